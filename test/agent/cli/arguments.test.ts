import { describe, expect, test } from 'vitest';
import { parseCommand, parseSince, usage } from '../../../agent/cli/arguments.ts';

describe('a command', () => {
  test.each([
    ['run --data /d --config /c', { verb: 'run', data: '/d', config: '/c', isJson: false }],
    ['enroll --invitation F --json', { verb: 'enroll', invitation: 'F', isJson: true }],
    ['status', { verb: 'status' }],
    ['why heater.acme', { verb: 'why', software: 'heater.acme' }],
    ['log --since 2h --follow', { verb: 'log', since: '2h', follow: true }],
    ['--help', { verb: 'help' }],
    ['run --help', { verb: 'help' }],
  ])('%s', (line, command) => {
    expect(parseCommand(line.split(' '))).toMatchObject(command);
  });

  test.each(['', 'walk', 'why', 'why a b', 'status a', 'enroll', 'run --invitation F', 'status --follow', 'run --colour'])(
    '%s is wrong use (E931), with the reason',
    (line) => {
      expect(() => parseCommand(line.split(' ').filter((part) => part !== ''))).toThrowError(/E931 USAGE_WRONG/);
    },
  );
});

test('every verb and option is in the help', () => {
  for (const word of ['run', 'enroll', 'status', 'why', 'log', '--data', '--config', '--json', '--since', '--follow', '--invitation'])
    expect(usage).toContain(word);
});

describe('a time', () => {
  const now = Date.parse('2026-11-22T12:00:00Z');
  test.each([
    ['90s', '2026-11-22T11:58:30.000Z'],
    ['15m', '2026-11-22T11:45:00.000Z'],
    ['2h', '2026-11-22T10:00:00.000Z'],
    ['3d', '2026-11-19T12:00:00.000Z'],
    ['2026-11-01T00:00:00Z', '2026-11-01T00:00:00.000Z'],
  ])('%s', (text, time) => {
    expect(new Date(parseSince(text, now)).toISOString()).toBe(time);
  });

  test('that is none is wrong use', () => {
    expect(() => parseSince('yesterday', now)).toThrowError(/USAGE_WRONG/);
  });
});
