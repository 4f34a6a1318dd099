/** What is under contract at a site, as rows that are only added, and what the rules make of it today. */
import { TsugiteError } from '../../protocol/errors.ts';
import type { RandomId } from '../../protocol/fields.ts';
import type { Sql } from '../ports.ts';
import type { SiteFacts } from '../rules/contract-events.ts';
import { decideDayEnd, isEnding, type OpenTarget, type TargetMove } from '../rules/day-end.ts';
import { decideEligibility, type Eligibility } from '../rules/eligibility.ts';
import type { Asked, EligibilityCatalogue } from '../rules/eligibility-catalogue.ts';
import { japanDay } from '../rules/japan-day.ts';
import type { Actor } from './actor.ts';
import { moveTarget } from './move-target.ts';

/** Before anything is known about a site: nothing is under contract, so nothing is eligible. */
export const noFacts: SiteFacts = {
  line: 'NONE',
  access: 'DIRECT',
  collabCarrier: null,
  hgwModel: null,
  denwa: 'NONE',
  rental: false,
  officeEq: 'unknown',
  bflets: false,
  typeChanged: 'none',
  lineCancelled: false,
  hgwCancelled: false,
};

const columns = `line, access, collab_carrier AS "collabCarrier", hgw_model AS "hgwModel", denwa, rental, office_eq AS "officeEq", bflets,
  type_changed AS "typeChanged", line_cancelled AS "lineCancelled", hgw_cancelled AS "hgwCancelled"`;

export type Statement = { readonly facts: SiteFacts; readonly effectiveOn: string | null; readonly recordedAt: Date | null };

/** The newest statement in effect on a day in Japan; entered later wins on the same day (D-31). */
export async function statementOn(sql: Sql, site: RandomId, day: string): Promise<Statement> {
  const [row] = await sql.query<SiteFacts & { effectiveOn: string; recordedAt: Date }>(
    `SELECT ${columns}, effective_on AS "effectiveOn", recorded_at AS "recordedAt" FROM contract_facts
     WHERE site_id = $1 AND effective_on <= $2 ORDER BY effective_on DESC, id DESC LIMIT 1`,
    [site, day],
  );
  if (row === undefined) return { facts: noFacts, effectiveOn: null, recordedAt: null };
  const { effectiveOn, recordedAt, ...facts } = row;
  return { facts, effectiveOn, recordedAt };
}

export async function factsOn(sql: Sql, site: RandomId, day: string): Promise<SiteFacts> {
  return (await statementOn(sql, site, day)).facts;
}

export async function eligibilityOn(
  sql: Sql,
  site: RandomId,
  catalogue: EligibilityCatalogue,
  atMs: number,
  asked: Asked = 'service',
): Promise<Eligibility> {
  const day = japanDay(atMs);
  return decideEligibility(await factsOn(sql, site, day), catalogue, day, asked);
}

/** Adds a statement: what it leaves out stays as it was on that day. */
export async function addFacts(
  sql: Sql,
  site: RandomId,
  changes: Partial<SiteFacts>,
  { effectiveOn, actor, atMs }: { effectiveOn: string; actor: Actor; atMs: number },
): Promise<void> {
  await saveFacts(sql, site, { ...(await factsOn(sql, site, effectiveOn)), ...changes }, { effectiveOn, by: actor.name, atMs });
}

/** @returns the id of the statement */
export async function saveFacts(
  sql: Sql,
  site: RandomId,
  facts: SiteFacts,
  { effectiveOn, by, atMs }: { effectiveOn: string; by: string; atMs: number },
): Promise<number> {
  const [row] = await sql.query<{ id: number }>(
    `INSERT INTO contract_facts (site_id, effective_on, line, access, collab_carrier, hgw_model, denwa, rental, office_eq, bflets, type_changed,
       line_cancelled, hgw_cancelled, recorded_by, recorded_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)
     RETURNING id`,
    [
      site,
      effectiveOn,
      facts.line,
      facts.access,
      facts.access === 'DIRECT' ? null : facts.collabCarrier,
      facts.hgwModel,
      facts.denwa,
      facts.rental,
      facts.officeEq,
      facts.bflets,
      facts.typeChanged,
      facts.lineCancelled,
      facts.hgwCancelled,
      by,
      new Date(atMs),
    ],
  );
  return (row as { id: number }).id;
}

export async function lockSite(sql: Sql, site: RandomId): Promise<void> {
  const locked = await sql.query('SELECT id FROM sites WHERE id = $1 FOR UPDATE', [site]);
  if (locked.length === 0) throw new TsugiteError('NOT_FOUND', { what: 'site' });
}

export function openTargetsOf(sql: Sql, site: RandomId): Promise<OpenTarget[]> {
  return sql.query<OpenTarget>(
    `SELECT id AS target, software_id AS software, provider_id AS provider, state, committed_version IS NOT NULL AS "isRunning" FROM targets
     WHERE site_id = $1 AND ended_at IS NULL ORDER BY id`,
    [site],
  );
}

/**
 * Lets today's facts act on every open target of a site (D-15). Safe to do twice.
 *
 * @param mayEnd  false: what would end stays as it is, for the day's end and its second person
 */
export async function applyFacts(
  sql: Sql,
  site: RandomId,
  catalogue: EligibilityCatalogue,
  { actor, atMs, mayEnd = true }: { actor: Actor; atMs: number; mayEnd?: boolean },
): Promise<{ eligibility: Eligibility; moves: TargetMove[] }> {
  await lockSite(sql, site);
  const day = japanDay(atMs);
  const { eligibility, moves } = decideDayEnd(await factsOn(sql, site, day), [], await openTargetsOf(sql, site), catalogue, day);
  const allowed = moves.filter((move) => mayEnd || !isEnding(move));
  return { eligibility, moves: await carryOut(sql, allowed, { by: actor.name, atMs, day }) };
}

/** @param day  whose end this is: what ends, ended on it @returns those that changed a state */
export async function carryOut(
  sql: Sql,
  moves: readonly TargetMove[],
  { by, atMs, day }: { by: string; atMs: number; day: string },
): Promise<TargetMove[]> {
  const done: TargetMove[] = [];
  for (const move of moves) {
    const step = { target: move.target, event: move.event, atMs, by, codes: move.codes };
    const to = await moveTarget(sql, isEnding(move) ? { ...step, removedReason: 'cancelled', endedOn: day } : step);
    if (to !== undefined && to !== move.from) done.push({ ...move, to });
  }
  return done;
}
