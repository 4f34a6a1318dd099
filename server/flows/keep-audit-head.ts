/**
 * The head of the audit log, written down outside the database: at the server's start, once a day, and at its end. Whoever can write the database can
 * write the chain anew, but not what was written down before.
 */
import type { AuditHeads } from '../ports/keep.ts';
import type { Clock, Db, Log, Sql } from '../ports.ts';
import { type AuditHead, writeAuditHead } from '../rules/audit-chain.ts';

const everyMs = 86_400_000;

export type AuditKeeper = { start(): void; stop(): Promise<void> };

export function makeAuditKeeper(parts: { db: Db; clock: Clock; log: Log; heads: AuditHeads }): AuditKeeper {
  const { clock, log } = parts;
  let cancel = () => {};
  let keeping: Promise<void> = Promise.resolve();

  function keep(): Promise<void> {
    keeping = keepAuditHead(parts).then(
      // The server's log is the second place: it usually ends on another machine.
      (head) => head && log.info('audit.head', { head: writeAuditHead(head) }),
      (error: unknown) => log.error('audit.head_failed', { error }),
    );
    return keeping;
  }

  function keepDaily(): void {
    void keep();
    cancel = clock.after(everyMs, keepDaily);
  }

  return {
    start: keepDaily,
    stop: async () => {
      cancel();
      await keeping;
      await keep();
    },
  };
}

/** @returns the head, when there is one that was not kept yet */
export async function keepAuditHead({ db, clock, heads }: { db: Sql; clock: Clock; heads: AuditHeads }): Promise<AuditHead | undefined> {
  const head = await newestAuditHead(db);
  const last = (await heads.kept()).at(-1);
  if (head === undefined || (last?.seq === head.seq && last.hash === head.hash)) return undefined;
  await heads.keep(head, clock.nowMs());
  return head;
}

export async function newestAuditHead(sql: Sql): Promise<AuditHead | undefined> {
  const [head] = await sql.query<AuditHead>('SELECT seq, hash FROM audit ORDER BY seq DESC LIMIT 1');
  return head;
}
