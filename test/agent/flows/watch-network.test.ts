import { afterEach, beforeEach, expect, test } from 'vitest';
import type { Denied } from '../../../agent/rules/denied-traffic.ts';
import { type AgentBench, anAgentBench, aTestPackage } from '../../support/agent-bench.ts';

let bench: AgentBench;
beforeEach(async () => {
  bench = anAgentBench();
  await bench.boot();
});
afterEach(() => bench.remove());

const permissions = { lan: ['udp:3610', 'tcp:80'], wan: [], telemetry: false };
const granted = { ...permissions, lan: ['udp:3610', 'tcp:80'] };
const aircon = (grants = granted) => aTestPackage('aircon', '1.0.0', { wish: { grants }, manifest: { permissions } });
const app = () => {
  const found = bench.apps.at(-1);
  if (found === undefined) throw new Error('nothing runs');
  return found;
};
const refuse = (...denied: Denied[]) => {
  app().network = { address: '192.168.1.200', denied };
};
const supervisorReports = () =>
  bench.reports('supervisor').map(({ number, detail, software, version }) => ({ number, detail, software, version }));
const about = { software: 'aircon.acme', version: '1.0.0' };

test('software is started with what it asked for and what it was given', async () => {
  await bench.deliver(aircon({ ...granted, lan: ['udp:3610'] }));
  expect(app().spec.asked.lan).toEqual(['udp:3610', 'tcp:80']);
  expect(app().spec.permissions.lan).toEqual(['udp:3610']);
});

test('a permission that was not granted is told once (E603), in the log, the report and on the page', async () => {
  await bench.deliver(aircon({ ...granted, lan: [] }));
  app().end({ status: 1, signal: null, outOfMemory: false, memoryPeakBytes: 1 });
  await bench.settled();
  await bench.pass(5_000); // started anew
  expect(bench.apps.length).toBe(2);

  expect(supervisorReports()).toEqual([
    { number: 'E603', detail: { kind: 'not-granted', class: 'lan', permissions: ['udp:3610', 'tcp:80'] }, ...about },
  ]);
  expect(bench.events.filter(({ event }) => event === 'permission.denied')).toHaveLength(1);
  expect(bench.snapshot().software.map(({ state, reason }) => [state, reason?.code])).toEqual([['running', 'APP_PERMISSION_DENIED']]);
});

test('a refused connection is reported at once by class and count, then at most once an hour', async () => {
  await bench.deliver(aircon());
  refuse({ class: 'lan', protocol: 'tcp', port: 80, count: 3 });
  await bench.pass(10_000);
  expect(supervisorReports()).toEqual([{ number: 'E603', detail: { class: 'lan', protocol: 'tcp', port: 80, count: 3 }, ...about }]);

  refuse({ class: 'lan', protocol: 'tcp', port: 80, count: 10 });
  await bench.pass(30 * 60_000);
  expect(supervisorReports()).toHaveLength(1);
  await bench.pass(31 * 60_000);
  expect(supervisorReports().at(-1)?.detail).toEqual({ class: 'lan', protocol: 'tcp', port: 80, count: 7 });
  expect(JSON.stringify(bench.sent)).not.toContain('192.168');
});

test('what was refused just before its end is told too, and a restart does not begin the hour anew', async () => {
  await bench.deliver(aircon());
  refuse({ class: 'wan', protocol: 'udp', count: 1 });
  app().end({ status: 1, signal: null, outOfMemory: false, memoryPeakBytes: 1 });
  await bench.settled();
  await bench.pass(5_000);
  expect(supervisorReports().map(({ detail }) => detail)).toEqual([{ class: 'wan', protocol: 'udp', count: 1 }]);

  refuse({ class: 'wan', protocol: 'udp', count: 2 });
  await bench.pass(60_000);
  expect(supervisorReports()).toHaveLength(1);
  await bench.pass(61 * 60_000);
  expect(supervisorReports().at(-1)?.detail).toEqual({ class: 'wan', protocol: 'udp', count: 2 });
});

test('a home that cannot be joined is told once (E611), and when it could be after all the log says so', async () => {
  await bench.wish([aircon()]);
  app().network = { fault: { code: 'APP_LAN_UNAVAILABLE', detail: { kind: 'no-bridge', bridge: 'br-lan' } }, denied: [] };
  await bench.pass(61_000);
  expect(supervisorReports()).toEqual([{ number: 'E611', detail: { kind: 'no-bridge', bridge: 'br-lan' }, ...about }]);

  refuse();
  await bench.pass(10_000);
  expect(bench.events.filter(({ event }) => event.startsWith('app.network')).map(({ event, detail }) => [event, detail?.address])).toEqual([
    ['app.network_missing', undefined],
    ['app.network_joined', '192.168.1.200'],
  ]);
  expect(supervisorReports()).toHaveLength(1);
});
