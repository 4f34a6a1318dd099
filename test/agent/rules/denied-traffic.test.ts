import { expect, test } from 'vitest';
import { type Denied, type DeniedMemory, findUngranted, newlyDenied, noteDenied } from '../../../agent/rules/denied-traffic.ts';

const hourMs = 3_600_000;
const lan = (count: number, more: Partial<Denied> = {}): Denied => ({ class: 'lan', protocol: 'udp', count, ...more });

/** Refusals at moments (hours), and when of them is told (hours: counts). */
function told(refusals: readonly (readonly [atHours: number, ...denied: Denied[]])[]) {
  let memory: DeniedMemory = new Map();
  return refusals.map(([atHours, ...denied]) => {
    const noted = noteDenied(memory, denied, atHours * hourMs);
    memory = noted.memory;
    return noted.tell.map(({ detail }) => detail);
  });
}

test('the first refusal is told at once, and what follows within the hour waits and is summed', () => {
  expect(told([[0, lan(1)], [0.5, lan(2)], [0.9, lan(3)], [1]])).toEqual([
    [{ class: 'lan', protocol: 'udp', count: 1 }],
    [],
    [],
    [{ class: 'lan', protocol: 'udp', count: 5 }],
  ]);
});

test('while it goes on the silence doubles, up to a day', () => {
  const hours = Array.from({ length: 100 }, (_, hour) => [hour, lan(1)] as const);
  const tellings = told(hours).flatMap((tell, hour) => (tell.length > 0 ? [hour] : []));
  expect(tellings).toEqual([0, 1, 3, 7, 15, 31, 55, 79]);
});

test('after a day of quiet the next is news again', () => {
  expect(told([[0, lan(1)], [1, lan(1)], [30, lan(1)], [30.5, lan(1)], [31]]).map((tell) => tell.length)).toEqual([1, 1, 1, 0, 1]);
});

test('classes are told apart, each on its own clock', () => {
  expect(
    told([
      [0, lan(1)],
      [0.5, lan(1), { class: 'gateway', protocol: 'tcp', count: 4 }],
    ])[1],
  ).toEqual([{ class: 'gateway', protocol: 'tcp', count: 4 }]);
});

test('one kind is told with its named port, several are told together', () => {
  expect(told([[0, lan(2, { protocol: 'tcp', port: 80 })]])[0]).toEqual([{ class: 'lan', protocol: 'tcp', port: 80, count: 2 }]);
  expect(told([[0, lan(2, { protocol: 'tcp', port: 80 }), lan(5)]])[0]).toEqual([
    { class: 'lan', protocol: 'several', count: 7, kinds: ['tcp:80 2', 'udp 5'] },
  ]);
});

test('counters only grow, so what is new is the difference; after a restart all of it is', () => {
  expect(newlyDenied([lan(3)], [lan(5), lan(1, { port: 3610 })])).toEqual([lan(2), lan(1, { port: 3610 })]);
  expect(newlyDenied([lan(3)], [lan(3)])).toEqual([]);
  expect(newlyDenied([], [lan(3)])).toEqual([lan(3)]);
});

test('a permission that was asked for and not granted is a fault; another’s grant is not it', () => {
  expect(findUngranted({ lan: ['udp:3610'] }, { lan: ['tcp:80'] })).toEqual({
    code: 'APP_PERMISSION_DENIED',
    detail: { kind: 'not-granted', class: 'lan', permissions: ['udp:3610'] },
  });
  expect(findUngranted({ lan: ['udp:3610'] }, { lan: ['udp:3610', 'tcp:80'] })).toBeUndefined();
  expect(findUngranted({ lan: [] }, { lan: [] })).toBeUndefined();
});
