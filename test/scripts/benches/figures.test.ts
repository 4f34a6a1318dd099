import { describe, expect, test } from 'vitest';
import { installFigures } from '../../../scripts/benches/install-figures.ts';
import { readOptions } from '../../../scripts/benches/options.ts';
import { atMost, toText } from '../../../scripts/benches/result.ts';
import { inRounds, median, medianRatio } from '../../../scripts/benches/rounds.ts';

describe('rounds', () => {
  test('go in turn, change their order, and tell the first that it does not count', async () => {
    const seen: string[] = [];
    const note = (name: string) => async (isKept: boolean) => void seen.push(`${name}${isKept ? '' : ' dropped'}`);
    await inRounds(2, [note('floor'), note('ours')]);
    expect(seen).toEqual(['floor dropped', 'ours dropped', 'ours', 'floor', 'floor', 'ours']);
  });

  test('the median of an even number lies between the two in the middle', () => {
    expect([median([3, 1, 2]), median([4, 1, 3, 2])]).toEqual([2, 2.5]);
  });

  test('one slow moment that hits both sides of a round does not move the ratio', () => {
    expect(medianRatio([100, 1000, 120], [100, 1000, 100])).toBe(1);
  });
});

describe('a goal', () => {
  test('is met at its value, and judged before it is rounded', () => {
    expect(atMost('agent-rss-mb', 54, 54, 'MB')).toEqual({ id: 'agent-rss-mb', goal: 54, value: 54, unit: 'MB', met: true });
    expect(atMost('agent-rss-mb', 54, 54.0001, 'MB')).toMatchObject({ value: 54, met: false });
  });
});

describe('install', () => {
  const about = { gzBytes: 1, tarBytes: 2, files: 3 };
  const ours = (wallMs: number) => ({ wallMs, cpuMs: 50, hashMs: 10, childMs: wallMs - 30, storeMs: 20 });
  const { ratio, peakMb, rows } = installFigures(about, {
    floor: [
      { wallMs: 100, cpuMs: 90 },
      { wallMs: 200, cpuMs: 100 },
      { wallMs: 100, cpuMs: 110 },
    ],
    ours: [ours(150), ours(260), ours(120)],
    watched: [
      { peakRssBytes: 70_000_000, cpuMs: 150 },
      { peakRssBytes: 80_000_000, cpuMs: 160 },
      { peakRssBytes: 60_000_000, cpuMs: 140 },
    ],
  });

  test('the ratio is that of the rounds, the peak the largest of all', () => {
    expect([ratio, peakMb]).toEqual([1.3, 80]);
  });

  test('the CPU of the agent and of its child are one sum', () => {
    expect(rows[1]).toMatchObject({ cpuMs: 200, cpuRatio: 2, wallMs: 150, leastMs: 120, mostMs: 260 });
  });
});

describe('the command line', () => {
  test.each([
    [[], 'one bench is needed'],
    [['install', 'footprint'], 'one bench is needed'],
    [['bytes'], "the bench 'bytes' is not built yet"],
    [['constructor'], "there is no bench 'constructor'"],
    [['install', '--rounds', '0'], '--rounds: 1 to 999'],
    [['install', '--fast'], "Unknown option '--fast'"],
  ])('%j is wrong use: %s', (args, why) => {
    expect(readOptions(args, ['install'])).toMatchObject({ kind: 'wrong', why: expect.stringContaining(why) });
  });

  test('asks for one bench', () => {
    expect(readOptions(['--json', 'install', '--rounds', '3'], ['install'])).toEqual({
      kind: 'measure',
      bench: 'install',
      isJson: true,
      rounds: 3,
    });
  });
});

test('without --json a person reads tables, one for rows of the same columns', () => {
  const text = toText({
    bench: 'install',
    at: '2026-11-22T00:00:00.000Z',
    host: { cores: 2 },
    rows: [{ way: 'floor', ms: 5 }, { way: 'ours', ms: 12 }, { other: 1 }],
    goals: [atMost('install-7mb-ratio', 1.2, 2.4, 'x')],
  });
  expect(text.split('\n')).toEqual([
    'install, 2026-11-22T00:00:00.000Z',
    '  cores: 2',
    '',
    'way    ms',
    'floor   5',
    'ours   12',
    '',
    'other',
    '    1',
    '',
    'goal               at most  measured  unit  met',
    'install-7mb-ratio      1.2       2.4  x     NO',
    '',
  ]);
});
