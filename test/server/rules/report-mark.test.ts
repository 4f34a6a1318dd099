import fc from 'fast-check';
import { expect, test } from 'vitest';
import { decideMark, isSentAgain } from '../../../server/rules/report-mark.ts';

test('one life of an outbox: whatever is lost, doubled or overtaken, nothing that may still come is ever acknowledged', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 12 }),
      fc.array(fc.record({ delivered: fc.integer({ min: 0, max: 12 }), lost: fc.uniqueArray(fc.integer({ min: 1, max: 12 })) }), {
        maxLength: 5,
      }),
      (reports, connections) => {
        let mark: number | undefined;
        const stored = new Set<number>();
        for (const { delivered, lost } of connections) {
          let isFirstOnConnection = true;
          const waiting = Array.from({ length: reports }, (_, index) => index + 1).filter((seq) => seq > (mark ?? 0));
          // The lowest always gets through when anything does: it was sent first. Others may fail in the database.
          const arriving = waiting.slice(0, delivered).filter((seq, index) => index === 0 || !lost.includes(seq));
          for (const seq of arriving) {
            stored.add(seq);
            mark = decideMark(mark, {
              seq,
              isFirstOnConnection,
              stored: [...stored].filter((each) => each > (mark ?? 0)).sort((a, b) => a - b),
            });
            isFirstOnConnection = false;
            for (let each = 1; each <= mark; each += 1) expect(stored).toContain(each);
          }
        }
        // And nothing hangs: once all of it came in order, all of it is acknowledged.
        const rest = Array.from({ length: reports }, (_, index) => index + 1).filter((seq) => seq > (mark ?? 0));
        for (const seq of rest) {
          stored.add(seq);
          mark = decideMark(mark, {
            seq,
            isFirstOnConnection: false,
            stored: [...stored].filter((each) => each > (mark ?? 0)).sort((a, b) => a - b),
          });
        }
        if (rest.length > 0) expect(mark).toBe(reports);
      },
    ),
  );
});

test('numbers that were reserved and never used do not hold the mark for ever', () => {
  expect(decideMark(7, { seq: 12, isFirstOnConnection: false, stored: [12] })).toBe(7);
  expect(decideMark(7, { seq: 12, isFirstOnConnection: true, stored: [12] })).toBe(12);
  expect(decideMark(undefined, { seq: 5_000, isFirstOnConnection: true, stored: [5_000] })).toBe(5_000);
});

test('a repeat below the mark leaves the mark where it is', () => {
  expect(decideMark(7, { seq: 3, isFirstOnConnection: true, stored: [] })).toBe(7);
});

const minuteMs = 60_000;

test('what a gateway sends again two minutes later, and is the lowest that we hold, has nothing outstanding below', () => {
  expect(isSentAgain({ seq: 12, firstReceivedMs: 0, nowMs: 2 * minuteMs }, [12, 13])).toBe(true);
});

test.each([
  ['it came for the first time', { seq: 12, firstReceivedMs: undefined, nowMs: 2 * minuteMs }, [12]],
  ['it came again so soon that a broker may have repeated it', { seq: 12, firstReceivedMs: 0, nowMs: minuteMs - 1 }, [12]],
  ['a lower one is held too, and is sent again before it', { seq: 12, firstReceivedMs: 0, nowMs: 2 * minuteMs }, [10, 12]],
  ['it stands below the mark', { seq: 12, firstReceivedMs: 0, nowMs: 2 * minuteMs }, []],
])('it is no such sign when %s', (_, report, stored) => {
  expect(isSentAgain(report, stored)).toBe(false);
});
