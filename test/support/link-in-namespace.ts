/**
 * Runs inside a network namespace (bundled by the test that starts it): one control connection with real timers, then prints what was charged
 * beside what the namespace's own IP counters say.
 */
import { readFileSync } from 'node:fs';
import { systemClock } from '../../agent/adapters/clock.ts';
import { makeOpenControlConnection } from '../../agent/adapters/mqtt-connection.ts';
import type { Identity, Purpose } from '../../agent/ports.ts';
import { networkFaultOf } from '../../agent/rules/network-fault.ts';
import * as wireModel from '../../agent/rules/wire-model.ts';

type Plan = { identity: Identity; birth: string; reports: number; reportBytes: number; pings: number; notices: number };
const plan = JSON.parse(readFileSync(process.argv[2] ?? '', 'utf8')) as Plan;

/** What the kernel counted in this namespace: IPv4 bytes both ways, and TCP segments of both families. */
function counters(): { ipv4Bytes: number; segments: number } {
  return {
    ipv4Bytes: counter('netstat', 'IpExt', 'InOctets') + counter('netstat', 'IpExt', 'OutOctets'),
    segments: counter('snmp', 'Tcp', 'InSegs') + counter('snmp', 'Tcp', 'OutSegs'),
  };
}

function counter(file: string, group: string, name: string): number {
  const [names = '', values = ''] = readFileSync(`/proc/net/${file}`, 'utf8')
    .split('\n')
    .filter((line) => line.startsWith(`${group}:`));
  return Number(values.split(' ')[names.split(' ').indexOf(name)]);
}

/** The last acknowledgements of TCP's closing are on their way until the kernel keeps no more of the connection than TIME_WAIT. */
async function closingIsOver(): Promise<void> {
  const timeWait = '06';
  const states = (file: string) =>
    readFileSync(`/proc/net/${file}`, 'utf8')
      .trim()
      .split('\n')
      .slice(1)
      .map((line) => line.trim().split(/\s+/)[3]);
  while ([...states('tcp'), ...states('tcp6')].some((state) => state !== timeWait)) await new Promise((resolve) => setTimeout(resolve, 5));
}

const charged: Record<string, number> = {};
const before = counters();
let pongs = 0;
let notices = 0;
const isDone = () => pongs >= plan.pings && notices >= plan.notices;
await new Promise<void>((resolve, reject) => {
  const connection = makeOpenControlConnection({
    clock: systemClock,
    wireModel,
    networkFaultOf,
    answerMs: 30_000,
    ledger: {
      charge: (purpose: Purpose, bytes) => {
        charged[purpose] = (charged[purpose] ?? 0) + bytes;
      },
      chargePackage: () => {},
      month: () => ({ totalBytes: 0, byPurpose: charged as Record<Purpose, number> }),
    },
  })(
    { identity: plan.identity, keepaliveS: 1, birth: Buffer.from(plan.birth), mustSubscribe: true, forgetSession: false },
    {
      onOnline: () => void sendReports().catch(reject),
      onAnswered: () => {
        pongs += 1;
        finishIfDone();
      },
      onNotice: async () => {
        notices += 1;
        finishIfDone();
      },
      onAck: () => {},
      onEnd: (end) => (end.kind === 'closed-by-us' ? resolve() : reject(new Error(JSON.stringify(end)))),
    },
  );
  async function sendReports(): Promise<void> {
    for (let n = 0; n < plan.reports; n++) await connection.publish('report', Buffer.alloc(plan.reportBytes, 'r'));
  }
  function finishIfDone(): void {
    if (isDone()) void connection.close();
  }
});
await closingIsOver();
const after = counters();
process.stdout.write(
  JSON.stringify({ charged, ipv4Bytes: after.ipv4Bytes - before.ipv4Bytes, segments: after.segments - before.segments }),
);
