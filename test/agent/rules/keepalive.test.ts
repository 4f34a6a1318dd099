import { expect, test } from 'vitest';
import {
  afterConnected,
  afterPingAnswered,
  afterPingUnanswered,
  creepBack,
  initialKeepalive,
  type Keepalive,
  withPolicy,
} from '../../../agent/rules/keepalive.ts';

const weekMs = 7 * 24 * 60 * 60_000;
const aDeathWithTheLinkUp = (keepalive: Keepalive, atMs: number) => afterConnected(afterPingUnanswered(keepalive, atMs), atMs + 5_000);

test('one unanswered ping changes nothing, two in a row with the link up halve the interval', () => {
  const once = aDeathWithTheLinkUp(initialKeepalive(1_680, 0), 1_000_000);
  expect(once.currentS).toBe(1_680);
  expect(aDeathWithTheLinkUp(once, 2_700_000).currentS).toBe(840);
});

test('an answered ping between two deaths ends the row', () => {
  const once = aDeathWithTheLinkUp(initialKeepalive(1_680, 0), 1_000_000);
  expect(aDeathWithTheLinkUp(afterPingAnswered(once), 9_000_000).currentS).toBe(1_680);
});

test('a ping that died with the whole line says nothing about the interval', () => {
  let keepalive = initialKeepalive(1_680, 0);
  for (let n = 1; n <= 10; n++) keepalive = afterConnected(afterPingUnanswered(keepalive, n * 1_000_000), n * 1_000_000 + 91_000);
  expect(keepalive.currentS).toBe(1_680);
});

test('the interval is never halved below 240 s, nor raised by halving when policy asks for less', () => {
  let keepalive = initialKeepalive(1_680, 0);
  for (let n = 1; n <= 12; n++) keepalive = aDeathWithTheLinkUp(keepalive, n * 1_000_000);
  expect(keepalive.currentS).toBe(240);
  let short = initialKeepalive(60, 0);
  for (let n = 1; n <= 12; n++) short = aDeathWithTheLinkUp(short, n * 1_000_000);
  expect(short.currentS).toBe(60);
});

test('a shortened interval creeps back a quarter a week until the wanted one is reached', () => {
  let keepalive = aDeathWithTheLinkUp(aDeathWithTheLinkUp(initialKeepalive(1_680, 0), 0), 10_000);
  const changedAtMs = keepalive.changedAtMs;
  expect(creepBack(keepalive, changedAtMs + weekMs - 1).currentS).toBe(840);
  const seconds: number[] = [];
  for (let week = 1; week <= 5; week++) {
    keepalive = creepBack(keepalive, changedAtMs + week * weekMs);
    seconds.push(keepalive.currentS);
  }
  expect(seconds).toEqual([1_050, 1_313, 1_642, 1_680, 1_680]);
});

test('policy is kept within 60 to 1800 s', () => {
  expect([0, 59, 61.9, 1_800, 86_400].map((seconds) => initialKeepalive(seconds, 0).currentS)).toEqual([60, 60, 61, 1_800, 1_800]);
});

test('a new policy counts at once, but does not lengthen an interval that the line was found not to bear', () => {
  expect(withPolicy(initialKeepalive(1_680, 0), 600, 1).currentS).toBe(600);
  expect(withPolicy(initialKeepalive(600, 0), 1_680, 1).currentS).toBe(1_680);
  const halved = aDeathWithTheLinkUp(aDeathWithTheLinkUp(initialKeepalive(1_680, 0), 0), 10_000);
  expect(withPolicy(halved, 1_800, 1).currentS).toBe(840);
  expect(withPolicy(halved, 300, 1).currentS).toBe(300);
});
