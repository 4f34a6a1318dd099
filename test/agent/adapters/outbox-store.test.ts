import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { countWaiting, makeOutboxStore } from '../../../agent/adapters/outbox-store.ts';
import { toUtcTime } from '../../../protocol/fields.ts';

let dataDir: string;
beforeEach(() => {
  dataDir = mkdtempSync(join(tmpdir(), 'outbox-'));
});
afterEach(() => rmSync(dataDir, { recursive: true }));

const body = (kind: 'end' | 'supervisor' = 'end') => ({ at: toUtcTime(1e12), kind });
const seqs = () =>
  makeOutboxStore(dataDir)
    .unacknowledged()
    .map(({ seq }) => seq);

test('reports stay until they are acknowledged, over restarts', () => {
  const outbox = makeOutboxStore(dataDir);
  for (let count = 0; count < 3; count++) outbox.add(body());
  expect(seqs()).toEqual([1, 2, 3]);
  expect(countWaiting(dataDir)).toBe(3);
  makeOutboxStore(dataDir).acknowledge(outbox.epoch, 2);
  expect(seqs()).toEqual([3]);
});

test('a number is never given twice, also when every report is gone', () => {
  const outbox = makeOutboxStore(dataDir);
  outbox.add(body());
  outbox.add(body());
  outbox.acknowledge(outbox.epoch, 2);
  expect(makeOutboxStore(dataDir).add(body()).seq).toBe(3);
});

test('an epoch lives as long as its folder', () => {
  const first = makeOutboxStore(dataDir);
  expect(first.isNew).toBe(true);
  expect(makeOutboxStore(dataDir)).toMatchObject({ epoch: first.epoch, isNew: false });
  rmSync(join(dataDir, 'outbox'), { recursive: true });
  expect(makeOutboxStore(dataDir).epoch).not.toBe(first.epoch);
});

describe('an acknowledgement is ignored', () => {
  test('when it is of another epoch', () => {
    makeOutboxStore(dataDir).add(body());
    makeOutboxStore(dataDir).acknowledge('0'.repeat(32), 1);
    expect(seqs()).toEqual([1]);
  });

  test('when it is beyond what was sent: later reports would be swallowed by it', () => {
    const outbox = makeOutboxStore(dataDir);
    outbox.add(body());
    outbox.acknowledge(outbox.epoch, 99);
    expect(outbox.add(body()).seq).toBe(2);
    expect(seqs()).toEqual([1, 2]);
  });
});

test('a counter that a broken flash cell changed begins a new epoch, so that no number can come twice', () => {
  const outbox = makeOutboxStore(dataDir);
  outbox.add(body());
  outbox.acknowledge(outbox.epoch, 1);
  writeFileSync(join(dataDir, 'outbox', 'epoch'), `${outbox.epoch} 0 ${'0'.repeat(64)}\n`);
  const after = makeOutboxStore(dataDir);
  expect(after.epoch).not.toBe(outbox.epoch);
  expect(after.add(body()).seq).toBe(1);
});

test('a damaged report is skipped, and those after it are sent', () => {
  const outbox = makeOutboxStore(dataDir);
  for (let count = 0; count < 3; count++) outbox.add(body());
  writeFileSync(join(dataDir, 'outbox', '2.json'), '{"v":1');
  expect(seqs()).toEqual([1, 3]);
  expect(makeOutboxStore(dataDir).add(body()).seq).toBe(4);
});

test('after months without a server what repeats itself by nature goes first', () => {
  const outbox = makeOutboxStore(dataDir);
  outbox.add(body());
  for (let count = 0; count < 1_005; count++) outbox.add(body('supervisor'));
  expect(outbox.unacknowledged()[0]?.kind).toBe('end');
  expect(outbox.unacknowledged()).toHaveLength(1_000);
  expect(readdirSync(join(dataDir, 'outbox'))).toHaveLength(1_001);
}, 60_000);
