import { createHash } from 'node:crypto';
import { mkdirSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { makeAppLog } from '../adapters/app-log.ts';
import { systemClock as clock } from '../adapters/clock.ts';
import { makeInstaller } from '../adapters/installer.ts';
import type { AppObserver } from '../adapters/sandbox/app-process.ts';
import { makeProveSandbox } from '../adapters/sandbox/proof.ts';
import { makeSandboxHost } from '../adapters/sandbox/sandbox-host.ts';
import { makeSandbox } from '../adapters/sandbox.ts';
import type { AgentConfig } from '../config.ts';

/** What runs foreign bytes: the sandbox of the apps and the installer child. Both pass closed folders above the data folder by themselves. */
export function composeSandbox(
  dataDir: string,
  config: AgentConfig,
  { nowMs, onTelemetry }: { nowMs: () => number; onTelemetry: AppObserver['onTelemetry'] },
) {
  const runDir = join(dataDir, 'run');
  mkdirSync(runDir, { recursive: true, mode: 0o711 });
  const appLog = makeAppLog(dataDir, nowMs);
  const host = makeSandboxHost({ runDir, cgroupParent: config.sandbox.cgroup ?? cgroupOf(dataDir) });
  const prove = makeProveSandbox(host);

  return {
    host,
    sandbox: makeSandbox({
      host,
      prove,
      lan: { ...config.lan, tag: keyOf(dataDir).slice(0, 6) },
      clock,
      observer: { onOutput: (app, line) => appLog(app, line), onTelemetry },
    }),
    installer: makeInstaller({ host, prove, clock, program: { dir: dirname(fileURLToPath(import.meta.url)), file: 'installer.js' } }),
    /** Gone after each start of the agent, hence made when it is needed. */
    socketsDirOf(uid: number): string {
      const path = join(runDir, String(uid));
      mkdirSync(path, { recursive: true, mode: 0o711 });
      return path;
    },
  };
}

/** Two agents of one machine have two data folders, hence two folders in the control group tree. */
function cgroupOf(dataDir: string): string {
  return `tsugite-${keyOf(dataDir)}`;
}

function keyOf(dataDir: string): string {
  return createHash('sha256').update(resolve(dataDir)).digest('hex').slice(0, 16);
}
