/**
 * The end of a software for everybody: 配信禁止 and withdrawal (DOMAIN §5.3). When that is much, a second person decides about the running copies;
 * nobody new gets it from the first word on.
 */
import { TsugiteError } from '../../protocol/errors.ts';
import type { RandomId, SoftwareId } from '../../protocol/fields.ts';
import type { Clock, Db, Random, Sql } from '../ports.ts';
import { japanDay } from '../rules/japan-day.ts';
import type { ReleaseState } from '../rules/release-states.ts';
import { nextSoftwareState, type SoftwareState } from '../rules/software-states.ts';
import { type Actor, systemActor } from './actor.ts';
import { appendAudit } from './audit.ts';
import { haltedBy, moveRelease } from './move-release.ts';
import { moveSoftware } from './move-software.ts';
import { moveTarget } from './move-target.ts';
import { type ChangeWork, heldError, holdIfMuch } from './pending-changes.ts';

const targetsPerStep = 100;
const endOf = {
  prohibit: { event: 'prohibited', state: 'PROHIBITED', reason: 'prohibited', codes: ['SOFTWARE_PROHIBITED'] },
  withdraw: { event: 'withdrawn', state: 'WITHDRAWN', reason: 'withdrawn', codes: [] },
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
      await setEnded(sql, software, { kind, reason: String(change.detail.reason ?? ''), by: actor.name, nowMs });
    },
    declined: async (sql, change, _actor, nowMs) => {
      // Only what still waits for this word: a halt that somebody gave meanwhile stays.
      const halted = await sql.query<{ id: RandomId }>('SELECT id FROM releases WHERE halted_for = $1 ORDER BY id', [change.id]);
      for (const { id } of halted) await moveRelease(sql, { release: id, event: 'resumed', atMs: nowMs });
    },
    afterApproval: async () => ({ ended: await finish() }),
  });

  return {
    finish,
    work,
    /** @throws TsugiteError NOT_FOUND · STATE_FORBIDS (never registered) · APPROVAL_REQUIRED (held; new deliveries are halted) */
    end: async (kind: EndKind, software: SoftwareId, reason: string, actor: Actor): Promise<Ended> => {
      const nowMs = clock.nowMs();
      const { state, event } = endOf[kind];
      await finish(); // what another word has ended is ended by that word
      const held = await db.tx(async (sql) => {
        const now = await lockState(sql, software, actor);
        if (now === state) return undefined;
        if (nextSoftwareState(now, event) === undefined) throw new TsugiteError('STATE_FORBIDS', { state: now, action: kind });
        const targets = await openTargets(sql, software);
        const proposal = {
          kind,
          subject: software,
          detail: { reason },
          targets,
          proposers: actor.token === undefined ? [] : [actor.token],
        };
        const change = await holdIfMuch(sql, proposal, { random, actor, nowMs });
        if (change === undefined) await setEnded(sql, software, { kind, reason, by: actor.name, nowMs });
        else {
          const halt = { by: haltedBy(actor), reason, change: change.change };
          for (const release of await releasesOf(sql, software, ['ADMITTED']))
            await moveRelease(sql, { release, event: 'halted', halt, atMs: nowMs });
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

async function setEnded(
  sql: Sql,
  software: SoftwareId,
  { kind, reason, by, nowMs }: { kind: EndKind; reason: string; by: string; nowMs: number },
): Promise<void> {
  await moveSoftware(sql, { software, event: endOf[kind].event, atMs: nowMs, by, reason });
  if (kind === 'withdraw')
    for (const release of await releasesOf(sql, software, ['ADMITTED', 'HALTED']))
      await moveRelease(sql, { release, event: 'withdrawn', atMs: nowMs });
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

async function releasesOf(sql: Sql, software: SoftwareId, states: readonly ReleaseState[]): Promise<RandomId[]> {
  const rows = await sql.query<{ id: RandomId }>('SELECT id FROM releases WHERE software_id = $1 AND state = ANY($2) ORDER BY id', [
    software,
    states,
  ]);
  return rows.map(({ id }) => id);
}
