import { expect, test } from 'vitest';
import { TsugiteError } from '../../../protocol/errors.ts';
import { gatewayId } from '../../../protocol/fields.ts';
import { toCompactJson } from '../../../protocol/json.ts';
import { lastWill } from '../../../protocol/messages/presence.ts';
import { makeHearOutside } from '../../../server/flows/hear-outside.ts';
import type { OutsideMessage } from '../../../server/ports/gateways.ts';
import type { Db } from '../../../server/ports.ts';

const gateway = gatewayId.parse('gw-0001');

type Setting = { standing?: object | null; failures?: (Error | undefined)[]; isAway?: () => boolean };

function aListener({ standing = { is_blocked: false, is_certified: true }, failures = [], isAway = () => false }: Setting = {}) {
  const heard: string[] = [];
  const cutOff: string[] = [];
  const lines: Record<string, unknown>[] = [];
  const db: Db = {
    query: async (text) => {
      if (isAway()) throw new Error('ECONNREFUSED');
      return (text.includes('is_certified') && standing !== null ? [standing] : []) as never[];
    },
    tx: (work) => work(db),
    together: (work) => work(db),
    listen: async () => ({ close: async () => {} }),
    close: async () => {},
  };
  const log = (event: string, fields = {}) => void lines.push({ event, ...fields });
  const duties = makeHearOutside({
    db,
    clock: { nowMs: () => 0, after: () => () => {} },
    log: { info: log, warn: log, error: log },
    link: { publishNotice: () => {}, publishAck: () => {}, cutOff: (who) => void cutOff.push(who) },
    useByBirth: async () => ({ kind: 'nothing-new' }),
    takeReport: async ({ isFirstOnConnection, mayBeSentAgain }) => {
      const failure = failures.shift();
      if (failure) throw failure;
      heard.push(`report ${isFirstOnConnection} ${mayBeSentAgain}`);
      return { isResyncAsked: false };
    },
    takePresence: async () => void heard.push('presence'),
    takeTelemetry: async () => void heard.push('telemetry'),
  });
  const take = (what: OutsideMessage['what'], more: Partial<OutsideMessage> = {}) =>
    duties.take({ gateway, what, payload: Buffer.from('x'), isReplay: false, isRedelivered: false, ...more });
  return { take, heard, cutOff, lines };
}

test('no report counts as the first of a connection, which nobody sees; what the broker repeats is no repeat of the gateway', async () => {
  const { take, heard } = aListener();
  expect([await take('report'), await take('report', { isRedelivered: true })]).toEqual(['done', 'done']);
  expect(heard).toEqual(['report false true', 'report false false']);
});

test('while the database is away a message is to come again', async () => {
  let isAway = true;
  const { take, heard, lines } = aListener({ isAway: () => isAway });
  expect(await take('report')).toBe('again');
  isAway = false;
  expect(await take('report')).toBe('done');
  expect(heard).toHaveLength(1);
  expect(lines).toEqual([]);
});

test('what fails once is tried again; what the database never takes is dropped, named, and does not come back', async () => {
  const { take, heard, lines } = aListener({
    failures: [new Error('connection reset'), undefined, new Error('bad bytes'), new Error('bad bytes')],
  });
  expect(await take('report')).toBe('done');
  expect(heard).toHaveLength(1);
  expect(await take('report')).toBe('done');
  expect(heard).toHaveLength(1);
  expect(lines.map(({ event }) => event)).toEqual(['message.not_stored']);
});

test('what nobody can understand is not tried twice', async () => {
  const { take, heard, lines } = aListener({ failures: [new TsugiteError('MESSAGE_MALFORMED', { what: 'report' })] });
  expect(await take('report')).toBe('done');
  expect(heard).toEqual([]);
  expect(lines).toMatchObject([{ event: 'message.refused', number: 'E415', count: 1 }]);
});

test.each([
  ['nobody knows', null, 'unknown', 'E418'],
  ['is blocked', { is_blocked: true, is_certified: true }, 'blocked', 'E411'],
  ['has no certificate in force', { is_blocked: false, is_certified: false }, 'no certificate in force', 'E418'],
])('a gateway that %s is not heard, and put out', async (_name, standing, why, number) => {
  const { take, heard, cutOff, lines } = aListener({ standing });
  for (const what of ['report', 'telemetry', 'presence'] as const) expect(await take(what)).toBe('done');
  expect(heard).toEqual([]);
  expect(cutOff).toEqual([gateway, gateway, gateway]);
  expect(lines[0]).toMatchObject({ event: 'message.from_unwelcome', why, number });
});

test('that such a gateway is gone is heard; what it once retained puts nobody out', async () => {
  const { take, heard, cutOff } = aListener({ standing: { is_blocked: true, is_certified: true } });
  await take('presence', { payload: toCompactJson(lastWill) });
  expect(heard).toEqual(['presence']);
  await take('presence', { isReplay: true });
  expect([heard, cutOff]).toEqual([['presence'], []]);
});
