/** Real apps in real sandboxes, for the tests that need root. Each test gets a folder and a control group tree of its own. */

import { createHash } from 'node:crypto';
import { chmodSync, chownSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import { makeProveSandbox } from '../../agent/adapters/sandbox/proof.ts';
import { makeSandboxHost } from '../../agent/adapters/sandbox/sandbox-host.ts';
import { makeSandbox } from '../../agent/adapters/sandbox.ts';
import type { AppProcess, AppSpec, Clock } from '../../agent/ports.ts';

export const realClock: Clock = {
  wallMs: () => Date.now(),
  monotonicMs: () => performance.now(),
  after: (delayMs, run) => {
    const timer = setTimeout(run, delayMs);
    return () => clearTimeout(timer);
  },
};

let number = 0;
const tagOf = (name: string) => createHash('sha256').update(name).digest('hex').slice(0, 6);

/**
 * @param closedParent  as for a clone under /root: only root may enter the folder above everything
 * @param lanTag        of an agent that was there before
 */
export function aSandboxBench({
  closedParent = false,
  lanTag,
  clock = realClock,
  probe,
}: {
  closedParent?: boolean;
  lanTag?: string | undefined;
  clock?: Clock;
  /** In the place of the real one. */
  probe?: Parameters<typeof makeProveSandbox>[1];
} = {}) {
  const top = mkdtempSync(join(tmpdir(), `tsugite-bench-${process.pid}-`));
  chmodSync(top, closedParent ? 0o700 : 0o755);
  const data = join(top, 'data');
  const runDir = join(data, 'run');
  mkdirSync(runDir, { recursive: true });
  number += 1;
  const cgroupParent = `tsugite-test-${process.pid}-${number}`;
  const lines: string[] = [];
  const samples: Record<string, unknown>[] = [];
  const host = makeSandboxHost({ runDir, cgroupParent });
  const sandbox = makeSandbox({
    host,
    prove: makeProveSandbox(host, probe),
    lan: { bridge: 'br-lan', pool: { from: 200, to: 239 }, tag: lanTag ?? tagOf(cgroupParent) },
    clock,
    observer: { onOutput: (_, line) => lines.push(line.text), onTelemetry: (_, sample) => samples.push(sample) },
  });
  const running: AppProcess[] = [];
  const atEnd: (() => void)[] = [];

  const aSpec = (name: string, program: string, change: Partial<AppSpec> = {}): AppSpec => {
    const [appDir, dataDir, socketsDir] = [join(data, 'store', name), join(data, 'software', name, 'data'), join(runDir, name)];
    for (const path of [appDir, dataDir]) mkdirSync(path, { recursive: true, mode: 0o711 });
    const uid = 20_001 + running.length;
    chownSync(dataDir, uid, uid);
    chmodSync(appDir, 0o755);
    writeFileSync(join(appDir, 'main.js'), program, { mode: 0o755 });
    return {
      target: `target${name}0000000000`,
      software: 'demo.test',
      provider: 'acme',
      version: '1.0.0',
      title: { ja: '試験', en: 'Test' },
      uid,
      appDir,
      data: { kind: 'folder', path: dataDir },
      socketsDir,
      entry: { runtime: 'node', args: ['main.js'] },
      health: { kind: 'ready', timeoutS: 20 },
      limits: { installedBytes: 1_000_000, dataBytes: 4 << 20, memoryBytes: 64 << 20, cpuPercent: 100, pids: 32, files: 64 },
      asked: { lan: [], wan: [] },
      permissions: { lan: [], wan: [], telemetry: false },
      model: 'PR-500KI',
      ...change,
    } as unknown as AppSpec;
  };
  return {
    data,
    runDir,
    host,
    sandbox,
    lines,
    samples,
    aSpec,
    start: async (name: string, program: string, change: Partial<AppSpec> = {}) => {
      const app = await sandbox.start(aSpec(name, program, change));
      running.push(app);
      return app;
    },
    /** Runs a program to its end and gives what it wrote. */
    run: async (name: string, program: string, change: Partial<AppSpec> = {}) => {
      const from = lines.length;
      const app = await sandbox.start(aSpec(name, program, change));
      running.push(app);
      const exit = await app.exited;
      return { exit, lines: lines.slice(from) };
    },
    atEnd: (job: () => void) => atEnd.push(job),
    end: async () => {
      await Promise.all(running.map((app) => app.stop(0)));
      for (const job of atEnd) job();
      await host.removeLeftovers();
      host.close();
      rmSync(top, { recursive: true, force: true });
    },
  };
}

/** A program that says ready and lives until it is told to end. */
export const quietApp = `
const http = require('node:http');
const say = (path, method = 'POST', body) => new Promise((resolve, reject) => {
  const request = http.request({ socketPath: process.env.TSUGITE_GATEWAY_SOCKET, path, method }, (response) => {
    let text = ''; response.on('data', (chunk) => { text += chunk; }).on('end', () => resolve({ status: response.statusCode, text }));
  });
  request.on('error', reject); request.end(body);
});
process.on('SIGTERM', () => process.exit(0));
http.createServer((request, response) => response.end('hello ' + request.url)).listen(process.env.TSUGITE_WEB_SOCKET, () => say('/ready'));
`;
