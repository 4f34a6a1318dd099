/** The doors of what has to outlast the server: the audit log's heads, backups. */
import type { AuditHead, KeptHead } from '../rules/audit-chain.ts';

/** Heads of the audit log, kept where whoever can write the database cannot. */
export interface AuditHeads {
  /** In the order in which they were kept. */
  kept(): Promise<readonly KeptHead[]>;
  /** Durable when it returns. */
  keep(head: AuditHead, atMs: number): Promise<void>;
}
