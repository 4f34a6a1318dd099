import { expect, test } from 'vitest';
import { Sessions } from '../../../server/broker/sessions.ts';

const packet = (topic: string, text: string, brokerCounter: number) => ({
  cmd: 'publish',
  topic,
  payload: Buffer.from(text),
  qos: 1,
  retain: false,
  brokerId: 'b',
  brokerCounter,
});
const waiting = async (sessions: Sessions, id: string) =>
  (await sessions.outgoingStream({ id }).toArray()).map((each: { payload: Buffer }) => each.payload.toString());

test('of the messages that wait for a session, each topic keeps the newest, in the order of the newest', async () => {
  const sessions = new Sessions();
  for (const [topic, text] of [
    ['x', '1'],
    ['y', '2'],
    ['x', '3'],
  ] as const)
    await sessions.outgoingEnqueue({ clientId: 'gw' }, packet(topic, text, 0));
  expect(await waiting(sessions, 'gw')).toEqual(['2', '3']);
});

test('an acknowledgement clears its message, and one for a message that was replaced clears nothing', async () => {
  const sessions = new Sessions();
  const old = packet('x', 'old', 1);
  await sessions.outgoingEnqueue({ clientId: 'gw' }, old);
  await sessions.outgoingUpdate({ id: 'gw' }, { ...old, messageId: 5 });
  const newer = packet('x', 'new', 2);
  await sessions.outgoingEnqueue({ clientId: 'gw' }, newer);
  await sessions.outgoingUpdate({ id: 'gw' }, { ...old, messageId: 5 });
  expect(await sessions.outgoingClearMessageId({ id: 'gw' }, { messageId: 5 })).toBe(undefined);
  await sessions.outgoingUpdate({ id: 'gw' }, { ...newer, messageId: 6 });
  expect(await sessions.outgoingClearMessageId({ id: 'gw' }, { messageId: 6 })).toMatchObject({ topic: 'x' });
  expect(await waiting(sessions, 'gw')).toEqual([]);
});

test('a session that ends leaves nothing behind', async () => {
  const sessions = new Sessions();
  await sessions.addSubscriptions({ id: 'gw' }, [
    { topic: 'x', qos: 1 },
    { topic: 'y', qos: 0 },
  ]);
  await sessions.outgoingEnqueue({ clientId: 'gw' }, packet('x', '1', 1));
  expect(await sessions.subscriptionsByTopic('x')).toMatchObject([{ clientId: 'gw', topic: 'x', qos: 1 }]);
  expect(await sessions.subscriptionsByTopic('y')).toEqual([]); // QoS 0 is never kept for later
  await sessions.cleanSubscriptions({ id: 'gw' });
  expect([
    await sessions.subscriptionsByClient({ id: 'gw' }),
    await sessions.subscriptionsByTopic('x'),
    await waiting(sessions, 'gw'),
  ]).toEqual([[], [], []]);
});

test('an empty retained message takes the retained one away', async () => {
  const sessions = new Sessions();
  await sessions.storeRetained(packet('x', '1', 1));
  expect(await sessions.createRetainedStreamCombi(['x', 'z']).toArray()).toHaveLength(1);
  await sessions.storeRetained(packet('x', '', 2));
  expect(await sessions.createRetainedStreamCombi(['x']).toArray()).toEqual([]);
});
