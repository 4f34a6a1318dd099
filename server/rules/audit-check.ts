/**
 * Is the audit log the one that was written? Each row's hash covers its content and the hash of the row before, so what was changed inside shows by
 * itself. A chain whose end was cut off, or that was written anew from some row on, is right by itself: only a head that was kept elsewhere tells.
 */
import { type AuditHead, type AuditRow, type KeptHead, noHead, type StoredAuditRow } from './audit-chain.ts';

export type ChainFault =
  /** What it says is not what was hashed. */
  | { readonly kind: 'changed'; readonly seq: number }
  /** It was written under another number: swapped, or pushed on by an insertion or a removal. */
  | { readonly kind: 'moved'; readonly seq: number; readonly from: number }
  /** Right by itself, but the next row was not written after it. */
  | { readonly kind: 'replaced'; readonly seq: number }
  | { readonly kind: 'inserted'; readonly seq: number }
  | { readonly kind: 'removed'; readonly seq: number; readonly to: number }
  /** A kept head says that this number had another hash: the chain was written anew up to here, at least. */
  | { readonly kind: 'rewritten'; readonly seq: number }
  /** A kept head says that there were rows up to `to`: the end is gone. */
  | { readonly kind: 'cut-off'; readonly seq: number; readonly to: number };

/** A restore of the database: rows behind `base` are gone, and the chain itself says so. */
export type Restored = { readonly seq: number; readonly at: Date; readonly base: number };

export type ChainVerdict = {
  readonly rows: number;
  /** Undefined while the log is empty. */
  readonly head: AuditHead | undefined;
  /** Of those inside the chain the first `faultsNamed`; `faultCount` counts on. */
  readonly faults: readonly ChainFault[];
  readonly faultCount: number;
  readonly headsHeld: number;
  /** Kept heads that are gone with a restore. */
  readonly headsGivenUp: number;
  readonly restored: readonly Restored[];
};

/** What marks a restore in the chain; `detail.base` is the head that the restored database had. */
export const restoreAction = 'restore.hold';
const faultsNamed = 100;

type HashOf = (row: AuditRow) => string;

/** Takes the rows in the order of their numbers; remembers two of them, and the faulty ones that it names. */
export function makeChainReader(hashOf: HashOf, heads: readonly KeptHead[] = []) {
  const expected = [...heads].sort((one, other) => one.seq - other.seq);
  const held = new Set<KeptHead>();
  const faults: ChainFault[] = [];
  const changed: StoredAuditRow[] = [];
  const restored: Restored[] = [];
  let [rows, faultCount, nextHead] = [0, 0, 0];
  let last = noHead;
  let beforeLast = noHead;

  function add(fault: ChainFault): void {
    faultCount += 1;
    if (faults.length < faultsNamed) faults.push(fault);
  }

  function checkLink(row: StoredAuditRow): void {
    if (row.prevHash === last.hash || faults.some(({ seq }) => seq === last.seq)) return;
    if (last === noHead) add({ kind: 'changed', seq: row.seq });
    else add({ kind: row.prevHash === beforeLast.hash ? 'inserted' : 'replaced', seq: last.seq });
  }

  function checkHeads({ seq, hash }: StoredAuditRow): void {
    for (let head = expected[nextHead]; head !== undefined && head.seq <= seq; head = expected[nextHead]) {
      if (head.seq === seq && head.hash === hash) held.add(head);
      nextHead += 1;
    }
  }

  return {
    take: (row: StoredAuditRow): void => {
      const isGap = row.seq > last.seq + 1;
      if (isGap) add({ kind: 'removed', seq: last.seq + 1, to: row.seq - 1 });
      if (hashOf(row) !== row.hash) {
        add({ kind: 'changed', seq: row.seq });
        if (changed.length < faultsNamed) changed.push(row);
      } else {
        if (!isGap) checkLink(row);
        if (row.action === restoreAction) restored.push({ seq: row.seq, at: row.at, base: baseOf(row) });
      }
      checkHeads(row);
      beforeLast = last;
      last = row;
      rows += 1;
    },

    verdict: (): ChainVerdict => {
      const missed = expected.filter((head) => !held.has(head));
      const unexplained = missed.filter((head) => !restored.some((restore) => explains(restore, head)));
      const rewritten = unexplained.filter(({ seq }) => seq <= last.seq && !isRemoved(faults, seq));
      const beyond = unexplained.filter(({ seq }) => seq > last.seq).at(-1);
      return {
        rows,
        head: last === noHead ? undefined : { seq: last.seq, hash: last.hash },
        faults: [
          ...nameShifts(nameMoves(faults, changed, hashOf)),
          ...rewritten.slice(0, faultsNamed).map(({ seq }): ChainFault => ({ kind: 'rewritten', seq })),
          ...(beyond === undefined ? [] : [{ kind: 'cut-off', seq: last.seq + 1, to: beyond.seq } as const]),
        ],
        faultCount: faultCount + rewritten.length + (beyond === undefined ? 0 : 1),
        headsHeld: held.size,
        headsGivenUp: missed.length - unexplained.length,
        restored,
      };
    },
  };
}

/** A changed row that is right under another number was moved: each of two swapped ones names where it came from. */
function nameMoves(faults: readonly ChainFault[], changed: readonly StoredAuditRow[], hashOf: HashOf): ChainFault[] {
  const numbers = changed.map(({ seq }) => seq);
  return faults.map((fault) => {
    const row = fault.kind === 'changed' ? changed.find(({ seq }) => seq === fault.seq) : undefined;
    if (row === undefined) return fault;
    const from = [row.seq - 1, row.seq + 1, ...numbers].find((seq) => seq !== row.seq && hashOf({ ...row, seq }) === row.hash);
    return from === undefined ? fault : { kind: 'moved', seq: row.seq, from };
  });
}

/** All rows from some number on moved by one: the first of them stands behind what was inserted, or in the place of what was removed. */
function nameShifts(faults: readonly ChainFault[]): readonly ChainFault[] {
  const [first, second] = faults;
  if (first?.kind !== 'moved' || (second?.kind === 'moved' && second.from === first.seq && first.from === second.seq)) return faults;
  if (first.from === first.seq - 1) return [{ kind: 'inserted', seq: first.from }, ...faults];
  return first.from === first.seq + 1 ? [{ kind: 'removed', seq: first.seq, to: first.seq }, ...faults] : faults;
}

function baseOf({ detail }: StoredAuditRow): number {
  const { base } = (detail ?? {}) as { base?: { seq?: unknown } };
  return typeof base?.seq === 'number' ? base.seq : 0;
}

/** Only a head that was kept before it: whoever cuts off the end today cannot point to a restore of last year. */
function explains(restore: Restored, head: KeptHead): boolean {
  return head.at !== undefined && head.at <= restore.at && head.seq > restore.base;
}

function isRemoved(faults: readonly ChainFault[], seq: number): boolean {
  return faults.some((fault) => fault.kind === 'removed' && fault.seq <= seq && seq <= fault.to);
}
