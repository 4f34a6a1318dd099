import { expect, test } from 'vitest';
import { TsugiteError } from '../../../protocol/errors.ts';
import type { RandomId } from '../../../protocol/fields.ts';
import { makeRecogniseCaller } from '../../../server/flows/recognise-caller.ts';
import { makeThrottle } from '../../../server/flows/throttle.ts';

const aClock = () => {
  const clock = { ms: 0, nowMs: () => clock.ms, after: () => () => {} };
  return clock;
};

test('callers are counted apart, and a look counts nothing', () => {
  const throttle = makeThrottle({ clock: aClock(), rate: { perMinute: 60, burst: 2 } });
  expect([throttle.take('a').kind, throttle.look('a').kind, throttle.take('a').kind, throttle.look('a').kind]).toEqual([
    'allow',
    'allow',
    'allow',
    'refuse',
  ]);
  expect(throttle.take('b').kind).toBe('allow');
});

test('its memory is full at its size: whoever comes then shares one count, and nobody who is counted is forgotten', () => {
  const clock = aClock();
  const throttle = makeThrottle({ clock, rate: { perMinute: 60, burst: 1 }, most: 100 });
  for (let index = 0; index < 100; index += 1) throttle.take(`known ${index}`);
  expect(throttle.take('stranger 1').kind).toBe('allow');
  expect(throttle.take('stranger 2').kind).toBe('refuse');
  expect(throttle.take('known 0').kind).toBe('refuse');
  clock.ms = 1_000; // all of them have waited long enough
  expect(throttle.take('stranger 3').kind).toBe('allow');
  expect(throttle.take('stranger 4').kind).toBe('allow');
});

const good = 'tsugite_good';
function someCallers(limits = { perAddress: 100, perToken: 5, wrongTokens: 3 }) {
  const clock = aClock();
  const looked: string[] = [];
  const isGood = new Set([good]);
  const callers = makeRecogniseCaller({
    clock,
    limits,
    tokens: {
      recognise: async (token) => {
        looked.push(String(token));
        if (!isGood.has(String(token))) throw new TsugiteError('API_UNAUTHENTICATED');
        return { name: 'somebody', role: 'viewer', token: 'a'.repeat(26) as RandomId };
      },
    },
  });
  const ask = (token: string, address = '192.0.2.1') =>
    callers.recognise(token, address).then(
      () => 'let in',
      (error: TsugiteError) => (error.code === 'RATE_LIMITED' ? error.detail.kind : error.code),
    );
  return { clock, callers, ask, looked, isGood };
}

test('an address that tries tokens is soon not looked up any more; its neighbours are', async () => {
  const { ask, looked, clock } = someCallers();
  for (let index = 0; index < 3; index += 1) expect(await ask(`tsugite_guess${index}`)).toBe('API_UNAUTHENTICATED');
  expect(await ask('tsugite_guess3')).toBe('wrong-tokens');
  expect(looked).toHaveLength(3);
  expect(await ask('tsugite_guess4', '192.0.2.2')).toBe('API_UNAUTHENTICATED');
  clock.ms = 20_000;
  expect(await ask('tsugite_guess5')).toBe('API_UNAUTHENTICATED');
});

test('whoever was good before is not held up by somebody who tries tokens beside it', async () => {
  const { ask, isGood } = someCallers();
  expect(await ask(good)).toBe('let in');
  for (let index = 0; index < 5; index += 1) await ask(`tsugite_guess${index}`);
  expect(await ask(good)).toBe('let in');
  isGood.delete(good); // revoked: looked at once more, and then one of the wrong ones
  expect(await ask(good)).toBe('API_UNAUTHENTICATED');
  expect(await ask(good)).toBe('wrong-tokens');
});

test('a token that asks too often waits, whatever address it comes from', async () => {
  const { ask, clock } = someCallers();
  for (let index = 0; index < 5; index += 1) expect(await ask(good, `192.0.2.${index}`)).toBe('let in');
  expect(await ask(good, '198.51.100.1')).toBe('token');
  clock.ms = 12_000;
  expect(await ask(good)).toBe('let in');
});

test('no token at all is no attempt at one', async () => {
  const { callers, ask } = someCallers();
  for (let index = 0; index < 10; index += 1)
    await expect(callers.recognise(undefined, '192.0.2.1')).rejects.toMatchObject({ code: 'API_UNAUTHENTICATED' });
  expect(await ask('tsugite_guess')).toBe('API_UNAUTHENTICATED');
});
