/**
 * The end of a software for everybody: 配信禁止 and withdrawal (DOMAIN §5.3). When that is much, a second person decides about the running copies;
 * nobody new gets it from the first word on.
 */
import { TsugiteError } from '../../protocol/errors.ts';
import type { RandomId, SoftwareId } from '../../protocol/fields.ts';
import type { Clock, Db, Random, Sql } from '../ports.ts';
import { japanDay } from '../rules/japan-day.ts';
import type { SoftwareState } from '../rules/software-states.ts';
import { type Actor, systemActor } from './actor.ts';
import { appendAudit } from './audit.ts';
import { moveTarget } from './move-target.ts';
import { markNoticeDue } from './notice-due.ts';
import { type ChangeWork, heldError, holdIfMuch } from './pending-changes.ts';

const targetsPerStep = 100;
const endOf = {
  prohibit: { state: 'PROHIBITED', reason: 'prohibited', codes: ['SOFTWARE_PROHIBITED'] },
  withdraw: { state: 'WITHDRAWN', reason: 'withdrawn', codes: [] },
} as const;
type EndKind = keyof typeof endOf;

export type Ended = { readonly software: SoftwareId; readonly state: SoftwareState; readonly ended: number };

export function makeEndSoftware({ db, clock, random }: { db: Db; clock: Clock; random: Random }) {
  /** Targets of ended software, in steps; whatever a crash left is ended at the next call. @returns how many */
  async function finish(): Promise<number> {
    let count = 0;
    for (;;) {
      const ended = await db.tx((sql) => endSome(sql, clock.nowMs()));
      if (ended === 0) return count;
      count += ended;
    }
  }

  const work = (kind: EndKind): ChangeWork => ({
    approved: async (sql, change, actor, nowMs) => {
      const software = change.subject as SoftwareId;
      const state = await lockState(sql, software, actor);
      const others = (await openTargets(sql, software)).filter((target) => !change.targets.includes(target));
      if (others.length > 0) throw new TsugiteError('STATE_FORBIDS', { state, action: 'approve', others: others.length });
      await setEnded(sql, software, { kind, reason: String(change.detail.reason ?? ''), nowMs });
    },
    declined: async (sql, change, _actor, nowMs) => {
      const halted = Array.isArray(change.detail.halted) ? change.detail.halted : [];
      await sql.query(`UPDATE releases SET state = 'ADMITTED' WHERE id = ANY($1) AND state = 'HALTED'`, [halted]);
      await markSitesDue(sql, change.subject, nowMs);
    },
    afterApproval: async () => ({ ended: await finish() }),
  });

  return {
    finish,
    work,
    /** @throws TsugiteError NOT_FOUND · STATE_FORBIDS (never registered) · APPROVAL_REQUIRED (held; new deliveries are halted) */
    end: async (kind: EndKind, software: SoftwareId, reason: string, actor: Actor): Promise<Ended> => {
      const nowMs = clock.nowMs();
      const { state } = endOf[kind];
      const held = await db.tx(async (sql) => {
        const now = await lockState(sql, software, actor);
        if (now === state) return undefined;
        if (now === 'DRAFT' || now === 'MEASURED' || now === 'PROHIBITED')
          throw new TsugiteError('STATE_FORBIDS', { state: now, action: kind });
        const targets = await openTargets(sql, software);
        const halted = await releasesOnOffer(sql, software);
        const proposal = {
          kind,
          subject: software,
          detail: { reason, halted },
          targets,
          proposers: actor.token === undefined ? [] : [actor.token],
        };
        const change = await holdIfMuch(sql, proposal, { random, actor, nowMs });
        if (change === undefined) await setEnded(sql, software, { kind, reason, nowMs });
        else {
          await sql.query(`UPDATE releases SET state = 'HALTED' WHERE id = ANY($1)`, [halted]);
          await markSitesDue(sql, software, nowMs);
        }
        await appendAudit(
          sql,
          {
            actor,
            action: `software.${kind}`,
            subject: software,
            detail: { reason, targets: targets.length, held: change?.change ?? null },
          },
          nowMs,
        );
        return change;
      });
      if (held !== undefined) throw heldError(held, { kind });
      return { software, state, ended: await finish() };
    },
  };
}

/** Its base fee ends with it, also when it is prohibited: nothing of it is kept for delivery any more (D-10). */
async function setEnded(
  sql: Sql,
  software: SoftwareId,
  { kind, reason, nowMs }: { kind: EndKind; reason: string; nowMs: number },
): Promise<void> {
  await sql.query(
    `UPDATE software SET state = $2, state_reason = $3, cancelled_at = CASE WHEN registered_at IS NOT NULL THEN coalesce(cancelled_at, $4) END
     WHERE id = $1`,
    [software, endOf[kind].state, reason, new Date(nowMs)],
  );
}

async function endSome(sql: Sql, nowMs: number): Promise<number> {
  const rows = await sql.query<{ target: RandomId; state: string; cancelledAt: Date }>(
    `SELECT t.id AS target, s.state, s.cancelled_at AS "cancelledAt" FROM targets t JOIN software s ON s.id = t.software_id
     WHERE t.ended_at IS NULL AND s.state IN ('PROHIBITED', 'WITHDRAWN') ORDER BY t.id LIMIT $1`,
    [targetsPerStep],
  );
  for (const { target, state, cancelledAt } of rows) {
    const { reason, codes } = state === 'PROHIBITED' ? endOf.prohibit : endOf.withdraw;
    const endedOn = japanDay(cancelledAt.getTime()); // whatever a crash delayed, the contract ended with its software
    await moveTarget(sql, { target, event: 'end', atMs: nowMs, by: systemActor.name, codes, removedReason: reason, endedOn });
  }
  return rows.length;
}

/** Orders wait here, or are counted. Another's software does not exist for a provider. */
async function lockState(sql: Sql, software: SoftwareId, actor: Actor): Promise<SoftwareState> {
  const [row] = await sql.query<{ state: SoftwareState; provider: string }>(
    'SELECT state, provider_id AS provider FROM software WHERE id = $1 FOR UPDATE',
    [software],
  );
  if (row === undefined || (actor.role === 'provider' && actor.provider !== row.provider))
    throw new TsugiteError('NOT_FOUND', { what: `software ${software}` });
  return row.state;
}

async function openTargets(sql: Sql, software: SoftwareId): Promise<RandomId[]> {
  const rows = await sql.query<{ id: RandomId }>('SELECT id FROM targets WHERE software_id = $1 AND ended_at IS NULL ORDER BY id', [
    software,
  ]);
  return rows.map(({ id }) => id);
}

async function releasesOnOffer(sql: Sql, software: SoftwareId): Promise<RandomId[]> {
  const rows = await sql.query<{ id: RandomId }>(`SELECT id FROM releases WHERE software_id = $1 AND state = 'ADMITTED' ORDER BY id`, [
    software,
  ]);
  return rows.map(({ id }) => id);
}

async function markSitesDue(sql: Sql, software: string, nowMs: number): Promise<void> {
  const rows = await sql.query<{ site: string }>(
    `SELECT DISTINCT site_id AS site FROM targets WHERE software_id = $1 AND state IN ('READY', 'DELIVERING', 'UPDATING', 'FAILED')`,
    [software],
  );
  await markNoticeDue(sql, { sites: rows.map(({ site }) => site) }, nowMs);
}
