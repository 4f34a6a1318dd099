import { beforeAll, beforeEach, expect, test } from 'vitest';
import { makeOpenControlConnection } from '../../../agent/adapters/mqtt-connection.ts';
import { makeStayConnected } from '../../../agent/flows/stay-connected.ts';
import type { ControlLink } from '../../../agent/ports.ts';
import { pingAnswerMs } from '../../../agent/rules/keepalive.ts';
import { networkFaultOf } from '../../../agent/rules/network-fault.ts';
import * as wireModel from '../../../agent/rules/wire-model.ts';
import type { Authority } from '../../../server/ports.ts';
import { anAuthority, anIdentity } from '../../support/gateway-pki.ts';
import { aManualClock, type ManualClock } from '../../support/manual-clock.ts';
import { aBroker } from '../../support/test-broker.ts';
import { until } from '../../support/until.ts';

let authorities: { server: Authority; device: Authority };
let own: Awaited<ReturnType<typeof anIdentity>>;
let clock: ManualClock;
let told: string[];

beforeAll(async () => {
  authorities = { server: await anAuthority('server CA'), device: await anAuthority('device CA') };
  own = await anIdentity(authorities.device, 'gw-0001');
});
beforeEach(() => {
  clock = aManualClock();
  told = [];
});

function aLink(port: number): ControlLink {
  const ledger = { charge: () => {}, chargePackage: () => {}, month: () => ({ totalBytes: 0, byPurpose: {} as never }) };
  const link = makeStayConnected({
    open: makeOpenControlConnection({ clock, ledger, wireModel, networkFaultOf, answerMs: pingAnswerMs }),
    clock,
    random: { fraction: () => 0.5, hex: () => '', id: () => '' as never },
    identity: () => ({
      gateway: own.gateway,
      https: 'https://localhost:1',
      mqtt: `mqtts://localhost:${port}`,
      serverCasPem: [authorities.server.certPem],
      privateKeyPem: own.keyPem,
      certificatePem: own.certPem,
    }),
    spending: () => ({ spentBytes: 0, monthElapsedMs: 0, monthLengthMs: 30 * 86_400_000, targetBytes: 3_000_000, ceilingReached: false }),
  });
  link.start({
    birth: () => Buffer.from('{"birth":true}'),
    onOnline: () => void told.push('online'),
    onOffline: (code) => void told.push(code),
    onNotice: async (envelope) => void told.push(String(envelope)),
    onAck: (message) => void told.push(String(message)),
  });
  return link;
}

async function stop(link: ControlLink): Promise<void> {
  const stopping = link.stop();
  await clock.advanceMs(5_000);
  await stopping;
}

test('a broker that goes away is waited for, and what it retained arrives when it is back', async () => {
  const first = await aBroker(authorities);
  const link = aLink(first.port);
  await until(() => told.includes('online'), 'online');
  await first.stop();
  await until(() => told.includes('SERVER_UNREACHABLE'), 'offline');
  for (let n = 0; n < 5; n++) await clock.advanceMs(1_000);
  const second = await aBroker(authorities, { port: first.port });
  await second.publish('tsugite/1/gw-0001/notice', 'notice 2', { retain: true });
  await until(() => {
    void clock.advanceMs(1_000);
    return told.includes('notice 2');
  }, 'the retained notice');
  expect(told).toEqual(['online', 'SERVER_UNREACHABLE', 'online', 'notice 2']);
  await stop(link);
  await second.stop();
});
