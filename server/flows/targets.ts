/** Targets after the order: another release, another attempt, the end. */
import { TsugiteError } from '../../protocol/errors.ts';
import type { RandomId, SoftwareId, Version } from '../../protocol/fields.ts';
import { compareVersions } from '../../protocol/version-order.ts';
import type { Clock, Db, Random, Sql } from '../ports.ts';
import { japanDay } from '../rules/japan-day.ts';
import { type ReleaseOffer, verifyFit } from '../rules/order.ts';
import { verifyDeliverable } from '../rules/software-states.ts';
import type { TargetState } from '../rules/targets.ts';
import type { Actor } from './actor.ts';
import { appendAudit } from './audit.ts';
import { factsOn } from './contract-facts.ts';
import { moveTarget } from './move-target.ts';
import { loadOffers, lockSoftware } from './offers.ts';
import { type ChangeWork, heldError, holdIfMuch } from './pending-changes.ts';
import { settlePlanGrace } from './plan-grace.ts';
import { recordTargetPlan } from './price-classes.ts';

export type Deployment = {
  readonly software: SoftwareId;
  readonly version: Version;
  /** Left out: every open target of the software. */
  readonly targets?: readonly RandomId[] | undefined;
  /** Needed to go back to a lower version. */
  readonly rollbackReason?: string | undefined;
};
export type Deployed = {
  readonly target: RandomId;
  readonly outcome: 'moved' | 'unchanged' | 'refused';
  readonly state: TargetState;
  readonly code?: string;
  readonly detail?: Readonly<Record<string, unknown>>;
};
/** What became of all of them, and of each of the first thousand, the refused ones first. */
export type DeploymentOutcome = Readonly<Record<Deployed['outcome'], number>> & { readonly targets: readonly Deployed[] };
export type CancelReason = 'cancelled' | 'household';
type Row = { id: RandomId; state: TargetState; site: RandomId; version: Version | null; committed: Version | null };

export function makeTargets({ db, clock, random }: { db: Db; clock: Clock; random: Random }) {
  return {
    /** Wants a release on targets that have the software. A target that cannot take it keeps what it has, and says why. */
    deploy: (wanted: Deployment, actor: Actor): Promise<DeploymentOutcome> =>
      db.tx(async (sql) => {
        const nowMs = clock.nowMs();
        const software = await lockSoftware(sql, wanted.software, actor);
        verifyDeliverable(software.state);
        const offer = (await loadOffers(sql, software.id)).find(({ version }) => version === wanted.version);
        if (offer === undefined) throw new TsugiteError('NOT_FOUND', { what: `${wanted.software} ${wanted.version}` });
        if (offer.state !== 'ADMITTED') throw new TsugiteError('DELIVERY_HALTED', { version: wanted.version });
        const rows = await openTargets(sql, software.id, wanted.targets);
        const outcomes: Deployed[] = [];
        for (const row of rows) outcomes.push(await deployOne(sql, row, offer, wanted, { actor, nowMs, random }));
        const moved = outcomes.filter(({ outcome }) => outcome === 'moved').map(({ target }) => target);
        await appendAudit(
          sql,
          { actor, action: 'release.deploy', subject: software.id, detail: { version: wanted.version, targets: moved } },
          nowMs,
        );
        return outcomeOf(outcomes);
      }),

    /** The same package once more, after a deployment that ended badly. */
    retry: (target: RandomId, actor: Actor): Promise<{ target: RandomId; attempt: number }> =>
      db.tx(async (sql) => {
        const nowMs = clock.nowMs();
        const { software } = await ownTarget(sql, target, actor);
        verifyDeliverable((await lockSoftware(sql, software, actor)).state);
        const state = await moveTarget(sql, { target, event: 'wanted', atMs: nowMs, by: actor.name, detail: { retry: true } });
        if (state === undefined) throw new TsugiteError('STATE_FORBIDS', { state: await stateOf(sql, target), action: 'retry' });
        const [row] = await sql.query<{ attempt: number }>(
          'UPDATE targets SET attempt = attempt + 1, entered_notice_at = NULL, deadline = NULL WHERE id = $1 RETURNING attempt',
          [target],
        );
        await appendAudit(sql, { actor, action: 'target.retry', subject: target }, nowMs);
        return { target, attempt: (row as { attempt: number }).attempt };
      }),

    /** 廃止: stop, uninstall, purge; a later order is a new target (D-15). @throws TsugiteError NOT_FOUND · APPROVAL_REQUIRED */
    cancel: async (
      targets: readonly RandomId[],
      reason: CancelReason,
      actor: Actor,
    ): Promise<{ target: RandomId; state: TargetState }[]> => {
      const result = await db.tx(async (sql) => {
        const nowMs = clock.nowMs();
        const wanted = [...new Set(targets)].sort();
        for (const target of wanted) await ownTarget(sql, target, actor);
        const ending = await stillOpen(sql, wanted);
        const proposers = actor.token === undefined ? [] : [actor.token];
        const subject = ending[0] ?? 'none';
        const held = await holdIfMuch(
          sql,
          { kind: 'cancel', subject, detail: { reason }, targets: ending, proposers },
          { random, actor, nowMs },
        );
        if (held !== undefined) return { held };
        await endAll(sql, ending, reason, actor, nowMs);
        const states: { target: RandomId; state: TargetState }[] = [];
        for (const target of wanted) states.push({ target, state: await stateOf(sql, target) });
        return { states };
      });
      if (result.held !== undefined) throw heldError(result.held, { kind: 'cancel' });
      return result.states;
    },

    cancelWork: {
      approved: (sql, { targets, detail }, actor, nowMs) =>
        endAll(sql, targets, detail.reason === 'household' ? 'household' : 'cancelled', actor, nowMs),
      declined: async () => {},
      afterApproval: async ({ targets }) => ({ ended: targets.length }),
    } satisfies ChangeWork,
  };
}

const mostTold = 1_000;

function outcomeOf(all: readonly Deployed[]): DeploymentOutcome {
  const of = (outcome: Deployed['outcome']) => all.filter((one) => one.outcome === outcome);
  const [refused, moved, unchanged] = [of('refused'), of('moved'), of('unchanged')];
  return {
    moved: moved.length,
    unchanged: unchanged.length,
    refused: refused.length,
    targets: [...refused, ...moved, ...unchanged].slice(0, mostTold),
  };
}

async function openTargets(sql: Sql, software: SoftwareId, only: readonly RandomId[] | undefined): Promise<Row[]> {
  return sql.query<Row>(
    `SELECT t.id, t.state, t.site_id AS site, r.version, t.committed_version AS committed FROM targets t LEFT JOIN releases r ON r.id = t.release_id
     WHERE t.software_id = $1 AND t.ended_at IS NULL AND ($2::text[] IS NULL OR t.id = ANY($2)) ORDER BY t.id FOR UPDATE OF t`,
    [software, only ?? null],
  );
}

async function deployOne(
  sql: Sql,
  row: Row,
  offer: ReleaseOffer,
  { version, rollbackReason }: Deployment,
  { actor, nowMs, random }: { actor: Actor; nowMs: number; random: Random },
): Promise<Deployed> {
  const outcome = (kind: Deployed['outcome'], state = row.state): Deployed => ({ target: row.id, outcome: kind, state });
  if (row.version === version) return outcome('unchanged');
  try {
    verifyFit(offer, (await factsOn(sql, row.site, japanDay(nowMs))).hgwModel ?? '');
    const isLower = row.committed !== null && compareVersions(version, row.committed) < 0;
    if (isLower && rollbackReason === undefined) throw new TsugiteError('VERSION_NOT_HIGHER', { expected: row.committed, found: version });
    const rollback = isLower ? { from: row.committed, order: random.id(), reason: rollbackReason } : null;
    const isWaiting = row.state === 'HOLD' || row.state === 'REQUESTED';
    const state = isWaiting
      ? row.state
      : await moveTarget(sql, { target: row.id, event: 'wanted', atMs: nowMs, by: actor.name, detail: { version } });
    if (state === undefined) throw new TsugiteError('STATE_FORBIDS', { state: row.state, action: 'update' });
    await sql.query(
      'UPDATE targets SET release_id = $2, plan = $3, rollback = $4, entered_notice_at = NULL, deadline = NULL WHERE id = $1',
      [row.id, offer.release, offer.plan, rollback],
    );
    await recordTargetPlan(sql, { target: row.id, release: offer.release, atMs: nowMs });
    await settlePlanGrace(sql, row.id, nowMs);
    return outcome('moved', state);
  } catch (error) {
    if (!(error instanceof TsugiteError)) throw error;
    return { ...outcome('refused'), code: error.code, detail: error.detail };
  }
}

async function endAll(sql: Sql, targets: readonly RandomId[], reason: CancelReason, actor: Actor, nowMs: number): Promise<void> {
  for (const target of targets) {
    const state = await moveTarget(sql, { target, event: 'end', atMs: nowMs, by: actor.name, removedReason: reason });
    if (state !== undefined) await appendAudit(sql, { actor, action: 'target.cancel', subject: target, detail: { reason } }, nowMs);
  }
}

async function stillOpen(sql: Sql, targets: readonly RandomId[]): Promise<RandomId[]> {
  const rows = await sql.query<{ id: RandomId }>('SELECT id FROM targets WHERE id = ANY($1) AND ended_at IS NULL ORDER BY id', [targets]);
  return rows.map(({ id }) => id);
}

/** Another provider's target does not exist for a provider. */
async function ownTarget(sql: Sql, target: RandomId, actor: Actor): Promise<{ software: SoftwareId; provider: string }> {
  const [row] = await sql.query<{ software: SoftwareId; provider: string }>(
    'SELECT software_id AS software, provider_id AS provider FROM targets WHERE id = $1',
    [target],
  );
  if (row === undefined || (actor.role === 'provider' && actor.provider !== row.provider))
    throw new TsugiteError('NOT_FOUND', { what: 'target' });
  return row;
}

async function stateOf(sql: Sql, target: RandomId): Promise<TargetState> {
  const [row] = await sql.query<{ state: TargetState }>('SELECT state FROM targets WHERE id = $1', [target]);
  return (row as { state: TargetState }).state;
}
