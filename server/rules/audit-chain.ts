/** A row of the audit log, what of it is hashed, and the heads that are kept outside the table. */

export type AuditRow = {
  readonly seq: number;
  readonly at: Date;
  readonly actor: string;
  readonly action: string;
  readonly subject: string;
  /** As JSON gives it back: no Date, no undefined. */
  readonly detail: unknown;
  readonly prevHash: string;
};
export type StoredAuditRow = AuditRow & { readonly hash: string };

/** The last row at some time. */
export type AuditHead = { readonly seq: number; readonly hash: string };
/** `at`: when it was kept, where that is known; a restore later than that explains why the rows up to it are gone. */
export type KeptHead = AuditHead & { readonly at?: Date };

/** Before the first row. */
export const noHead: AuditHead = { seq: 0, hash: '0'.repeat(64) };

/** The row's hash is this text's SHA-256. */
export function auditText({ seq, at, actor, action, subject, detail, prevHash }: AuditRow): string {
  return JSON.stringify([prevHash, seq, at.toISOString(), actor, action, subject, withSortedKeys(detail)]);
}

/** `SEQ:HASH`, as `audit verify` prints it and takes it back. */
export function writeAuditHead({ seq, hash }: AuditHead): string {
  return `${seq}:${hash}`;
}

export function parseAuditHead(text: string): AuditHead | undefined {
  const [, seq, hash] = /^([1-9]\d{0,15}):([0-9a-f]{64})$/.exec(text) ?? [];
  return hash !== undefined && Number.isSafeInteger(Number(seq)) ? { seq: Number(seq), hash } : undefined;
}

/** jsonb does not keep the order of keys, so the hash must not depend on it. */
function withSortedKeys(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withSortedKeys);
  if (value === null || typeof value !== 'object') return value;
  return Object.fromEntries(
    Object.entries(value)
      .sort(([left], [right]) => (left < right ? -1 : 1))
      .map(([key, entry]) => [key, withSortedKeys(entry)]),
  );
}
