import { expect, test } from 'vitest';
import { TsugiteError } from '../../../protocol/errors.ts';
import { gatewayId } from '../../../protocol/fields.ts';
import { makeHearGateways } from '../../../server/flows/hear-gateways.ts';
import type { Db } from '../../../server/ports.ts';

const gateway = gatewayId.parse('gw-0001');
const payload = Buffer.from('x');

function aListener(takeTelemetry: () => Promise<void> = async () => {}, failReport: () => Error | undefined = () => undefined) {
  const heard: string[] = [];
  const db: Db = {
    query: async (text) => {
      heard.push(text.slice(0, 35));
      return [];
    },
    tx: (work) => work(db),
    together: (work) => work(db),
    listen: async () => ({ close: async () => {} }),
    close: async () => {},
  };
  const lines: Record<string, unknown>[] = [];
  const log = (event: string, fields = {}) => void lines.push({ event, ...fields });
  const duties = makeHearGateways({
    db,
    clock: { nowMs: () => 0, after: () => () => {} },
    log: { info: log, warn: log, error: log },
    link: { publishNotice: () => {}, publishAck: () => {}, cutOff: () => {} },
    useCertificate: async ({ serial }) => (serial === 'bad' ? { kind: 'refuse', why: 'cut-off' } : { kind: 'allow', isFirstUse: false }),
    takeReport: async ({ isFirstOnConnection }) => {
      heard.push(`report ${isFirstOnConnection}`);
      const failure = failReport();
      if (failure) throw failure;
      return { isResyncAsked: false };
    },
    takePresence: async () => void heard.push('presence'),
    takeTelemetry,
  });
  return { duties, heard, lines };
}

test('the last will and the end of a connection that a newer one has replaced change nothing', async () => {
  const { duties, heard } = aListener();
  await duties.mayConnect({ connection: 1, gateway, serial: '1' });
  await duties.mayConnect({ connection: 2, gateway, serial: '1' });
  await duties.take({ connection: 1, gateway, what: 'presence', payload });
  await duties.gone({ connection: 1, gateway });
  expect(heard).toEqual([]);
  await duties.take({ connection: 2, gateway, what: 'presence', payload });
  await duties.gone({ connection: 2, gateway });
  expect(heard).toEqual(['presence', 'UPDATE gateways SET online = false,']);
});

test('a refused connection does not replace the present one', async () => {
  const { duties, heard } = aListener();
  expect(await duties.mayConnect({ connection: 1, gateway, serial: '1' })).toBe('allow');
  expect(await duties.mayConnect({ connection: 2, gateway, serial: 'bad' })).toBe('refuse');
  await duties.take({ connection: 1, gateway, what: 'presence', payload });
  expect(heard).toEqual(['presence']);
});

test('only the first report of a connection is told to be the first', async () => {
  const { duties, heard } = aListener();
  await duties.mayConnect({ connection: 1, gateway, serial: '1' });
  for (const _ of [1, 2]) await duties.take({ connection: 1, gateway, what: 'report', payload });
  await duties.mayConnect({ connection: 2, gateway, serial: '1' });
  await duties.take({ connection: 2, gateway, what: 'report', payload });
  expect(heard).toEqual(['report true', 'report false', 'report true']);
});

test('a report that could not be stored is not jumped over by the next one; one that nobody can understand is', async () => {
  const failures: (Error | undefined)[] = [
    new TsugiteError('MESSAGE_MALFORMED', { what: 'report' }),
    new Error('database away'),
    undefined,
    new TsugiteError('MESSAGE_MALFORMED', { what: 'report' }),
    undefined,
  ];
  const { duties, heard } = aListener(undefined, () => failures.shift());
  await duties.mayConnect({ connection: 1, gateway, serial: '1' });
  for (const _ of [1, 2, 3, 4, 5]) await duties.take({ connection: 1, gateway, what: 'report', payload });
  expect(heard).toEqual(['report true', 'report true', 'report false', 'report false', 'report false']);
});

test('a message that cannot be understood or stored never throws at the broker', async () => {
  const failures = [
    new TsugiteError('MESSAGE_MALFORMED', { what: 'telemetry' }),
    new TsugiteError('MESSAGE_MALFORMED', { what: 'telemetry' }),
    new Error('database away'),
  ];
  const { duties, lines } = aListener(() => Promise.reject(failures.shift()));
  await duties.mayConnect({ connection: 1, gateway, serial: '1' });
  for (const _ of [1, 2, 3]) await duties.take({ connection: 1, gateway, what: 'telemetry', payload });
  expect(lines.map(({ event, number, count }) => [event, number, count])).toEqual([
    ['message.refused', 'E415', 1],
    ['message.refused', 'E415', 2],
    ['message.not_stored', undefined, undefined],
  ]);
});
