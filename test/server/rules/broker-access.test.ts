import { expect, test } from 'vitest';
import { gatewayId } from '../../../protocol/fields.ts';
import { topicKinds, topicOf } from '../../../protocol/topics.ts';
import { decideHello, decidePublish, decideSubscribe } from '../../../server/rules/broker-access.ts';

const me = gatewayId.parse('gw-0001');
const other = gatewayId.parse('gw-0002');

test('of all topics, qualities and retain flags a gateway may publish exactly three', () => {
  const allowed = [me, other].flatMap((gateway) =>
    topicKinds.flatMap((kind) =>
      [0, 1, 2].flatMap((qos) =>
        [false, true]
          .filter((retain) => decidePublish(me, { topic: topicOf(gateway, kind), qos, retain }).kind === 'allow')
          .map((retain) => `${gateway} ${kind} ${qos} ${retain}`),
      ),
    ),
  );
  expect(allowed).toEqual(['gw-0001 report 1 false', 'gw-0001 telemetry 1 false', 'gw-0001 presence 1 true']);
});

test('it may subscribe to its own notice and ack, and to no pattern', () => {
  const allowed = [me, other]
    .flatMap((gateway) => topicKinds.map((kind) => topicOf(gateway, kind)))
    .filter((topic) => decideSubscribe(me, topic).kind === 'allow');
  expect(allowed).toEqual([topicOf(me, 'notice'), topicOf(me, 'ack')]);
  for (const filter of [
    '#',
    '+',
    'tsugite/1/+/notice',
    'tsugite/1/gw-0001/#',
    'tsugite/1/gw-0001/+',
    '$SYS/#',
    '$share/x/tsugite/1/gw-0001/notice',
    '',
  ])
    expect(decideSubscribe(me, filter)).toEqual({ kind: 'refuse', why: 'not-its-topic' });
});

test.each([
  ['as it should be', {}, 'allow'],
  ['with its last will', { will: { topic: topicOf(me, 'presence'), qos: 1, retain: true } }, 'allow'],
  ['under another name', { clientId: other }, 'client-id'],
  ['under no name', { clientId: '' }, 'client-id'],
  ['with MQTT 5', { protocolVersion: 5 }, 'protocol'],
  ['with MQTT 3.1', { protocolVersion: 3 }, 'protocol'],
  ['without keep-alive', { keepaliveS: 0 }, 'keep-alive'],
  ['with too long a keep-alive', { keepaliveS: 1801 }, 'keep-alive'],
  ['with another gateway’s last will', { will: { topic: topicOf(other, 'presence'), qos: 1, retain: true } }, 'last-will'],
  ['with a report as last will', { will: { topic: topicOf(me, 'report'), qos: 1, retain: false } }, 'last-will'],
])('a gateway that says hello %s', (_name, said, verdict) => {
  const hello = { clientId: me as string, protocolVersion: 4, keepaliveS: 1680, will: undefined, ...said };
  const decision = decideHello(me, hello, 1800);
  expect(decision.kind === 'refuse' ? decision.why : decision.kind).toBe(verdict);
});
