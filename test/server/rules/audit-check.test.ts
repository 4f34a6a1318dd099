import fc from 'fast-check';
import { expect, test } from 'vitest';
import { auditHash } from '../../../server/flows/audit.ts';
import { type KeptHead, noHead, parseAuditHead, type StoredAuditRow, writeAuditHead } from '../../../server/rules/audit-chain.ts';
import { makeChainReader, restoreAction } from '../../../server/rules/audit-check.ts';

const startMs = Date.parse('2026-11-01T00:00:00Z');

/** A chain as appendAudit writes it. */
function aChain(length: number, more: (seq: number) => Partial<StoredAuditRow> = () => ({})): StoredAuditRow[] {
  const rows: StoredAuditRow[] = [];
  for (let seq = 1; seq <= length; seq += 1) {
    const row = {
      seq,
      at: new Date(startMs + seq * 1000),
      actor: 'alice',
      action: 'customer.read',
      subject: `subject-${seq}`,
      detail: { why: 'a call', b: 1, a: [seq] },
      ...more(seq),
      prevHash: rows.at(-1)?.hash ?? noHead.hash,
    };
    rows.push({ ...row, hash: auditHash(row) });
  }
  return rows;
}

function check(rows: readonly StoredAuditRow[], heads: readonly KeptHead[] = []) {
  const reader = makeChainReader(auditHash, heads);
  for (const row of [...rows].sort((one, other) => one.seq - other.seq)) reader.take(row);
  return reader.verdict();
}

const headOf = (rows: readonly StoredAuditRow[], seq: number): KeptHead => ({
  seq,
  hash: (rows[seq - 1] as StoredAuditRow).hash,
  at: new Date(startMs + seq * 1000),
});
const without = (rows: readonly StoredAuditRow[], ...seqs: number[]) => rows.filter(({ seq }) => !seqs.includes(seq));
const withRow = (rows: readonly StoredAuditRow[], seq: number, change: Partial<StoredAuditRow>) =>
  rows.map((row) => (row.seq === seq ? { ...row, ...change } : row));
/** Somebody who knows how the hashes are made, and makes them right from row `seq` on. */
function writtenAnewFrom(rows: readonly StoredAuditRow[], seq: number, to = rows.length): StoredAuditRow[] {
  const anew: StoredAuditRow[] = [];
  for (const row of rows) {
    if (row.seq < seq || row.seq > to) anew.push(row);
    else {
      const prevHash = anew.at(-1)?.hash ?? noHead.hash;
      anew.push({ ...row, prevHash, hash: auditHash({ ...row, prevHash }) });
    }
  }
  return anew;
}

test('a chain that nobody touched is whole, whatever the order of keys in which the database gives the details back', () => {
  const rows = aChain(20).map((row) => ({ ...row, detail: { a: (row.detail as { a: number[] }).a, b: 1, why: 'a call' } }));
  expect(check(rows, [headOf(rows, 3), headOf(rows, 20)])).toEqual({
    rows: 20,
    head: { seq: 20, hash: rows[19]?.hash },
    faults: [],
    faultCount: 0,
    headsHeld: 2,
    headsGivenUp: 0,
    restored: [],
  });
  expect(check([])).toMatchObject({ rows: 0, head: undefined, faultCount: 0 });
});

test('any one field of any one row that is changed is named by its number', () => {
  const rows = aChain(12);
  const changes = fc.constantFrom<Partial<StoredAuditRow>>(
    { actor: 'bob' },
    { action: 'customer.write' },
    { subject: 'x' },
    { detail: {} },
    { at: new Date(0) },
    { hash: 'f'.repeat(64) },
    { prevHash: 'f'.repeat(64) },
  );
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 12 }), changes, (seq, change) => {
      const [first] = check(withRow(rows, seq, change)).faults;
      expect(first).toEqual({ kind: 'changed', seq });
    }),
  );
});

test('rows that were removed are named from the first to the last, at the beginning too', () => {
  const rows = aChain(12);
  expect(check(without(rows, 5)).faults).toEqual([{ kind: 'removed', seq: 5, to: 5 }]);
  expect(check(without(rows, 1, 2, 3, 9)).faults).toEqual([
    { kind: 'removed', seq: 1, to: 3 },
    { kind: 'removed', seq: 9, to: 9 },
  ]);
});

test('a gap that was closed by counting the rows behind it anew is still named', () => {
  const rows = aChain(12);
  const closed = without(rows, 5).map((row) => (row.seq > 5 ? { ...row, seq: row.seq - 1 } : row));
  expect(check(closed).faults.slice(0, 3)).toEqual([
    { kind: 'removed', seq: 5, to: 5 },
    { kind: 'moved', seq: 5, from: 6 },
    { kind: 'moved', seq: 6, from: 7 },
  ]);
});

test('two rows that were swapped are named with where each came from', () => {
  const rows = aChain(12);
  for (const [one, other] of [
    [4, 9],
    [4, 5],
  ] as const) {
    const swapped = rows.map((row) => (row.seq === one ? { ...row, seq: other } : row.seq === other ? { ...row, seq: one } : row));
    expect(check(swapped).faults).toEqual([
      { kind: 'moved', seq: one, from: other },
      { kind: 'moved', seq: other, from: one },
    ]);
  }
});

test('a row that was inserted is named, though its own hashes are right', () => {
  const rows = aChain(6);
  const forged = { ...(rows[2] as StoredAuditRow), actor: 'mallory', seq: 4, prevHash: (rows[2] as StoredAuditRow).hash };
  const inserted = [...rows.map((row) => (row.seq >= 4 ? { ...row, seq: row.seq + 1 } : row)), { ...forged, hash: auditHash(forged) }];
  expect(check(inserted).faults.slice(0, 2)).toEqual([
    { kind: 'inserted', seq: 4 },
    { kind: 'moved', seq: 5, from: 4 },
  ]);
});

test('a row with a hash of its own is named, because the next one was written after another', () => {
  const rows = writtenAnewFrom(withRow(aChain(9), 4, { actor: 'bob' }), 4, 4);
  expect(check(rows).faults).toEqual([{ kind: 'replaced', seq: 4 }]);
});

test('the end that was cut off, and what was written anew with right hashes, only a kept head can tell', () => {
  const rows = aChain(12);
  const short = rows.slice(0, 8);
  expect(check(short).faultCount).toBe(0);
  expect(check(short, [headOf(rows, 6), headOf(rows, 12)]).faults).toEqual([{ kind: 'cut-off', seq: 9, to: 12 }]);

  const anew = writtenAnewFrom(withRow(rows, 4, { actor: 'bob' }), 4);
  expect(check(anew).faultCount).toBe(0);
  expect(check(anew, [headOf(rows, 3), headOf(rows, 7)])).toMatchObject({ faults: [{ kind: 'rewritten', seq: 7 }], headsHeld: 1 });
});

test('a restore in the chain explains the heads that were kept before it, and no later one', () => {
  const before = aChain(12);
  const base = { seq: 8, hash: (before[7] as StoredAuditRow).hash };
  const after = aChain(10, (seq) => (seq === 9 ? { action: restoreAction, detail: { base }, at: new Date(startMs + 60_000) } : {}));
  const lost = [headOf(before, 10), headOf(before, 12)];
  expect(check(after, lost)).toMatchObject({ faults: [], headsGivenUp: 2, restored: [{ seq: 9, base: 8 }] });
  const later = { ...headOf(before, 12), at: new Date(startMs + 120_000) };
  expect(check(after, [later]).faults).toEqual([{ kind: 'cut-off', seq: 11, to: 12 }]);
  // A head without a time was kept by a person: that person has to be asked.
  expect(check(after, [{ seq: 12, hash: base.hash }]).faultCount).toBe(1);
  expect(check(after, [headOf(before, 7)]).faultCount).toBe(0);
});

test('of very many faults the first hundred are named, and all are counted', () => {
  const rows = aChain(400).map((row) => ({ ...row, actor: 'bob' }));
  expect(check(rows)).toMatchObject({ faultCount: 400, faults: { length: 100 } });
});

test('a head is written and read back; anything else is none', () => {
  const head = { seq: 12, hash: 'ab'.repeat(32) };
  expect(parseAuditHead(writeAuditHead(head))).toEqual(head);
  for (const text of ['', '12', `0:${head.hash}`, `12:${head.hash.toUpperCase()}`, `12:${head.hash}x`, `99999999999999999:${head.hash}`])
    expect(parseAuditHead(text), text).toBeUndefined();
});
