import { execFileSync, spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { build } from 'esbuild';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { anAuthority, anIdentity } from '../../support/gateway-pki.ts';
import { aBroker } from '../../support/test-broker.ts';

const namespace = `tsugite-wire-${process.pid}`;
const outside = `tw${process.pid % 10_000}o`;
const inside = `tw${process.pid % 10_000}i`;
const addresses = {
  4: { server: '198.18.77.1', client: '198.18.77.2/30', serverNet: '198.18.77.1/30' },
  6: { server: 'fd77::1', client: 'fd77::2/64', serverNet: 'fd77::1/64' },
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
  ip('netns', 'add', namespace);
  ip('link', 'add', outside, 'type', 'veth', 'peer', 'name', inside, 'netns', namespace);
  for (const { client, serverNet } of Object.values(addresses)) {
    ip('addr', 'add', serverNet, 'dev', outside, ...(serverNet.includes(':') ? ['nodad'] : []));
    ip('-n', namespace, 'addr', 'add', client, 'dev', inside, ...(client.includes(':') ? ['nodad'] : []));
  }
  ip('link', 'set', outside, 'up');
  ip('-n', namespace, 'link', 'set', inside, 'up');
  ip('-n', namespace, 'link', 'set', 'lo', 'up');
});
afterAll(() => {
  ip('netns', 'del', namespace);
  rmSync(folder, { recursive: true, force: true });
  rmSync(`/etc/netns/${namespace}`, { recursive: true, force: true });
});

type Outcome = { charged: Record<string, number>; ipv4Bytes: number; segments: number; streamBytes: number };

async function runLink(
  family: 4 | 6,
  work: { reports: number; reportBytes: number; pings: number; notices: number; noticeBytes: number },
): Promise<Outcome> {
  const authorities = { server: await anAuthority('server CA'), device: await anAuthority('device CA') };
  const own = await anIdentity(authorities.device, 'gw-0001');
  const broker = await aBroker(authorities, { host: addresses[family].server });
  mkdirSync(`/etc/netns/${namespace}`, { recursive: true });
  writeFileSync(`/etc/netns/${namespace}/hosts`, `${addresses[family].server} localhost\n`);
  const planFile = path.join(folder, 'plan.json');
  const identity = {
    gateway: own.gateway,
    https: 'https://localhost:1',
    mqtt: `mqtts://localhost:${broker.port}`,
    serverCasPem: [authorities.server.certPem],
    privateKeyPem: own.keyPem,
    certificatePem: own.certPem,
  };
  const birth = `{"v":1,"online":true,"filler":"${'x'.repeat(250)}"}`;
  writeFileSync(planFile, JSON.stringify({ identity, birth, ...work }));
  const sendNotices = async () => {
    for (let n = 0; n < work.notices; n++) {
      await new Promise((resolve) => setTimeout(resolve, 300));
      await broker.publish('tsugite/1/gw-0001/notice', Buffer.alloc(work.noticeBytes, 'n'));
    }
  };
  broker.aedes.on('subscribe', () => void sendNotices());
  try {
    const child = spawn('ip', ['netns', 'exec', namespace, process.execPath, program, planFile], { stdio: ['ignore', 'pipe', 'pipe'] });
    let said = '';
    let complained = '';
    child.stdout.on('data', (piece) => (said += piece));
    child.stderr.on('data', (piece) => (complained += piece));
    await new Promise<void>((resolve, reject) =>
      child.once('exit', (status) => (status === 0 ? resolve() : reject(new Error(complained)))),
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

describe.each([4, 6] as const)('over IPv%i the ledger is as the kernel counted, but for 3 in a hundred', (family) => {
  test('a connect with birth and subscription', async () => {
    const outcome = await runLink(family, { reports: 0, reportBytes: 0, pings: 1, notices: 0, noticeBytes: 0 });
    expect(Math.abs(total(outcome) / measured(outcome, family) - 1)).toBeLessThan(0.03);
  });
  test('reports, notices and pings', async () => {
    const outcome = await runLink(family, { reports: 20, reportBytes: 400, pings: 5, notices: 5, noticeBytes: 2_048 });
    expect(Math.abs(total(outcome) / measured(outcome, family) - 1)).toBeLessThan(0.03);
  });
});
