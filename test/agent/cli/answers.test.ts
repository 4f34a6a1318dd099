import { describe, expect, test } from 'vitest';
import { entryLine, selectEntries } from '../../../agent/cli/log-text.ts';
import { writeAnswer, writeFailure } from '../../../protocol/command-output.ts';
import { TsugiteError } from '../../../protocol/errors.ts';

const streams = () => {
  const said = { out: '', err: '' };
  return { said, out: (text: string) => (said.out += text), err: (text: string) => (said.err += text) };
};
const failing = (error: unknown, isJson = false) => {
  const { said, ...to } = streams();
  return { exit: writeFailure(error, isJson, to), ...said };
};

describe('a failure', () => {
  test('says number, code, why in both languages, expected, found and remedy', () => {
    const { err, out } = failing(new TsugiteError('NOTICE_WRONG_GATEWAY', { expected: 'hgw-1', found: 'hgw-2' }));
    expect(out).toBe('');
    for (const part of ['E212 NOTICE_WRONG_GATEWAY', '別のホームゲートウェイ', 'hgw-1', 'hgw-2', '対処:', 'Remedy:'])
      expect(err).toContain(part);
  });

  test('is one object on stdout for a program', () => {
    const { out, err } = failing(new TsugiteError('STORE_NO_SPACE', { need: 2, free: 1 }), true);
    expect(err).toBe('');
    expect(JSON.parse(out)).toMatchObject({
      ok: false,
      number: 'E305',
      code: 'STORE_NO_SPACE',
      detail: { need: 2, free: 1 },
      remedy: { ja: expect.any(String) },
    });
  });

  test.each([
    ['USAGE_WRONG', 2],
    ['ENROLL_TOKEN_REFUSED', 3],
    ['SIGNATURE_INVALID', 3],
    ['SERVER_UNREACHABLE', 1],
    ['NOT_ENROLLED', 1],
    ['CONFIG_INVALID', 1],
  ] as const)('%s ends with %i', (code, exit) => {
    expect(failing(new TsugiteError(code)).exit).toBe(exit);
  });

  test('that nobody foresaw still has a number, and its stack for us', () => {
    const { err, exit } = failing(new Error('oops'));
    expect(exit).toBe(1);
    expect(err).toContain('E999');
    expect(err).toContain('Error: oops');
  });
});

test('an answer is lines for a person, one object for a program', () => {
  const answer = { value: { a: 1 }, lines: ['one', 'two'] };
  const [person, program] = [streams(), streams()];
  writeAnswer(answer, false, person);
  writeAnswer(answer, true, program);
  expect(person.said.out).toBe('one\ntwo\n');
  expect(JSON.parse(program.said.out)).toEqual({ ok: true, a: 1 });
});

describe('the log', () => {
  const entry = (seq: number, minute: number) => ({
    seq,
    time: `2026-11-22T00:${String(minute).padStart(2, '0')}:00.000Z`,
    event: 'link.online',
    ja: '接続しました。',
  });

  test('shows a gap between two numbers as an entry of its own (E904)', () => {
    const shown = selectEntries([entry(1, 1), entry(2, 2), entry(6, 3)], { sinceMs: Number.NEGATIVE_INFINITY });
    expect(shown.map(({ seq, event, number }) => [seq, event, number])).toEqual([
      [1, 'link.online', undefined],
      [2, 'link.online', undefined],
      [3, 'log.gap', 'E904'],
      [6, 'link.online', undefined],
    ]);
    expect(shown[2]?.detail).toEqual({ from: 3, to: 5 });
  });

  test('begins at the time asked for', () => {
    expect(selectEntries([entry(1, 1), entry(2, 2)], { sinceMs: Date.parse('2026-11-22T00:02:00Z') }).map(({ seq }) => seq)).toEqual([2]);
  });

  test('of one software, or from a level up, with what is missing all the same', () => {
    const entries = [
      { ...entry(1, 1), level: 'info', software: 'a.b' },
      { ...entry(2, 2), level: 'warn', software: 'c.d' },
      { ...entry(5, 3), level: 'error', software: 'a.b' },
    ];
    const wanted = (more: object) =>
      selectEntries(entries, { sinceMs: 0, ...more }).map(({ seq, event }) => `${seq}${event === 'log.gap' ? ' gap' : ''}`);
    expect(wanted({})).toEqual(['1', '2', '3 gap', '5']);
    expect(wanted({ software: 'a.b' })).toEqual(['1', '3 gap', '5']);
    expect(wanted({ level: 'warn' })).toEqual(['2', '3 gap', '5']);
    expect(wanted({ software: 'c.d', level: 'error' })).toEqual(['3 gap']);
  });

  test('reads like the fault log of a gateway', () => {
    expect(entryLine({ ...entry(1, 1), number: 'E403', software: 'heater.acme', version: '1.0.0' })).toBe(
      '2026-11-22 00:01:00  E403  heater.acme 1.0.0  接続しました。',
    );
  });
});
