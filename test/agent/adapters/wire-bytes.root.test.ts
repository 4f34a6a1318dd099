import { execFileSync, spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import type { AddressInfo, Server } from 'node:net';
import { setPriority, tmpdir } from 'node:os';
import path from 'node:path';
import { build } from 'esbuild';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { anAuthority, anIdentity } from '../../support/gateway-pki.ts';
import { aBroker } from '../../support/test-broker.ts';

/** Both ends of the line are in namespaces of ours: nothing but this connection is counted, and nothing of the machine's own is touched. */
const namespaces = { server: `tsugite-${process.pid}-wire-server`, gateway: `tsugite-${process.pid}-wire-gateway` };
const addresses = {
  4: { server: '198.18.77.1', gateway: '198.18.77.2', prefix: 30 },
  6: { server: 'fd77::1', gateway: 'fd77::2', prefix: 64 },
} as const;
const ip = (...words: string[]) => void execFileSync('ip', words);

let folder: string;
let program: string;

beforeAll(async () => {
  folder = mkdtempSync(path.join(tmpdir(), 'tsugite-wire-'));
  program = path.join(folder, 'link.mjs');
  await build({
    entryPoints: ['test/support/link-in-namespace.ts'],
    outfile: program,
    bundle: true,
    platform: 'node',
    format: 'esm',
    target: 'node20',
    logLevel: 'error',
    banner: { js: "import { createRequire as __createRequire } from 'node:module'; const require = __createRequire(import.meta.url);" },
  });
  for (const name of Object.values(namespaces)) ip('netns', 'add', name);
  ip('-n', namespaces.server, 'link', 'add', 'line', 'type', 'veth', 'peer', 'name', 'line', 'netns', namespaces.gateway);
  for (const [end, name] of Object.entries(namespaces) as ['server' | 'gateway', string][]) {
    for (const family of [4, 6] as const) {
      const { [end]: address, prefix } = addresses[family];
      ip('-n', name, 'addr', 'add', `${address}/${prefix}`, 'dev', 'line', ...(family === 6 ? ['nodad'] : []));
    }
    ip('-n', name, 'link', 'set', 'line', 'up');
  }
  // On a machine that is busy a process that waits its turn acknowledges late, in a segment more: both ends go before others (children inherit it).
  setPriority(-20);
});
afterAll(() => {
  setPriority(0);
  for (const name of Object.values(namespaces)) ip('netns', 'del', name);
  rmSync(folder, { recursive: true, force: true });
});

/** A listening socket stays in the namespace where it was made, and may be handed to a process outside. */
function listenInside(namespace: string, address: string): Promise<Server> {
  const script = `const server = require('net').createServer().listen(0, '${address}', () => process.send('', server, () => process.exit()))`;
  return new Promise((resolve, reject) => {
    const child = spawn('nsenter', [`--net=/run/netns/${namespace}`, process.execPath, '-e', script], {
      stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    });
    child.on('message', (_, server) => resolve(server as Server));
    child.on('exit', (status) => reject(new Error(`nothing listens at ${address} (status ${status})`)));
  });
}

type Work = { reports: number; reportBytes: number; pings: number; notices: number; noticeBytes: number };
type Outcome = { charged: Record<string, number>; ipv4Bytes: number; segments: number; streamBytes: number };

async function runLink(family: 4 | 6, work: Work): Promise<Outcome> {
  const authorities = { server: await anAuthority('server CA'), device: await anAuthority('device CA') };
  const own = await anIdentity(authorities.device, 'gw-0001');
  const at = await listenInside(namespaces.server, addresses[family].server);
  const broker = await aBroker(authorities, { at });
  const { address, port } = at.address() as AddressInfo;
  const planFile = path.join(folder, 'plan.json');
  const identity = {
    gateway: own.gateway,
    https: 'https://localhost:1',
    mqtt: `mqtts://${family === 6 ? `[${address}]` : address}:${port}`,
    serverCasPem: [authorities.server.certPem],
    privateKeyPem: own.keyPem,
    certificatePem: own.certPem,
  };
  const birth = `{"v":1,"online":true,"filler":"${'x'.repeat(250)}"}`;
  writeFileSync(planFile, JSON.stringify({ identity, birth, ...work }));
  const sendNotices = async () => {
    for (let n = 0; n < work.notices; n++) {
      await new Promise((resolve) => setTimeout(resolve, 300)); // a silence: from 200 ms on the kernel acknowledges at once, which is the rule
      await broker.publish('tsugite/1/gw-0001/notice', Buffer.alloc(work.noticeBytes, 'n'));
    }
  };
  broker.aedes.on('subscribe', () => void sendNotices());
  try {
    const child = spawn('nsenter', [`--net=/run/netns/${namespaces.gateway}`, process.execPath, program, planFile], {
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let said = '';
    let complained = '';
    child.stdout.on('data', (piece) => (said += piece));
    child.stderr.on('data', (piece) => (complained += piece));
    await new Promise<void>((resolve, reject) =>
      child.once('close', (status) => (status === 0 ? resolve() : reject(new Error(complained)))),
    );
    const { read, written } = broker.rawBytes();
    return { ...(JSON.parse(said) as Outcome), streamBytes: read + written };
  } finally {
    await broker.stop();
  }
}

// IPv6 counters hold neighbour discovery too, so there the segments are the kernel's and their headers (72, and 8 more of SYN and SYN+ACK) added.
const measured = ({ ipv4Bytes, segments, streamBytes }: Outcome, family: 4 | 6) =>
  family === 4 ? ipv4Bytes : streamBytes + segments * 72 + 16;
const total = ({ charged }: Outcome) => Object.values(charged).reduce((sum, bytes) => sum + bytes, 0);

/**
 * A ledger that is wrong is wrong in each run. Chance adds segments to some: a process was not scheduled for 40 ms, so that an acknowledgement
 * went alone, or something was sent twice. So the first of three runs that agrees is believed, and three that do not are a fault.
 */
async function deviation(family: 4 | 6, work: Work): Promise<number> {
  const deviations: number[] = [];
  while (deviations.length < 3 && !deviations.some(isSmall)) {
    const outcome = await runLink(family, work);
    deviations.push(Math.abs(total(outcome) / measured(outcome, family) - 1));
  }
  return Math.min(...deviations);
}
const isSmall = (deviation: number) => deviation < 0.03;

describe.each([4, 6] as const)('over IPv%i the ledger is as the kernel counted, but for 3 in a hundred', (family) => {
  test('a connect with birth and subscription', async () => {
    expect(await deviation(family, { reports: 0, reportBytes: 0, pings: 1, notices: 0, noticeBytes: 0 })).toSatisfy(isSmall);
  });
  test('reports, notices and pings', async () => {
    expect(await deviation(family, { reports: 20, reportBytes: 400, pings: 3, notices: 5, noticeBytes: 2_048 })).toSatisfy(isSmall);
  });
});
