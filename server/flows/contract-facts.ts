/** What is under contract at a site, as rows that are only added, and what the rules make of it today. */
import { TsugiteError } from '../../protocol/errors.ts';
import type { RandomId } from '../../protocol/fields.ts';
import type { Sql } from '../ports.ts';
import { type ContractFacts, decideEligibility, type Eligibility } from '../rules/eligibility.ts';
import type { EligibilityCatalogue } from '../rules/eligibility-catalogue.ts';
import { japanDay } from '../rules/japan-day.ts';
import { decideByContract, type TargetState } from '../rules/targets.ts';
import type { Actor } from './actor.ts';
import { moveTarget } from './move-target.ts';

export type SiteFacts = ContractFacts & { readonly collabCarrier: string | null };

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

/** The newest statement in effect on a day in Japan; entered later wins on the same day (D-31). */
export async function factsOn(sql: Sql, site: RandomId, day: string): Promise<SiteFacts> {
  const [row] = await sql.query<SiteFacts>(
    `SELECT ${columns} FROM contract_facts WHERE site_id = $1 AND effective_on <= $2 ORDER BY effective_on DESC, id DESC LIMIT 1`,
    [site, day],
  );
  return row ?? noFacts;
}

export async function eligibilityOn(sql: Sql, site: RandomId, catalogue: EligibilityCatalogue, atMs: number): Promise<Eligibility> {
  const day = japanDay(atMs);
  return decideEligibility(await factsOn(sql, site, day), catalogue, day);
}

/** Adds a statement: what it leaves out stays as it was on that day. */
export async function addFacts(
  sql: Sql,
  site: RandomId,
  changes: Partial<SiteFacts>,
  { effectiveOn, actor, atMs }: { effectiveOn: string; actor: Actor; atMs: number },
): Promise<SiteFacts> {
  const facts = { ...(await factsOn(sql, site, effectiveOn)), ...changes };
  if (facts.access === 'DIRECT') Object.assign(facts, { collabCarrier: null });
  await sql.query(
    `INSERT INTO contract_facts (site_id, effective_on, line, access, collab_carrier, hgw_model, denwa, rental, office_eq, bflets, type_changed,
       line_cancelled, hgw_cancelled, recorded_by, recorded_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)`,
    [
      site,
      effectiveOn,
      facts.line,
      facts.access,
      facts.collabCarrier,
      facts.hgwModel,
      facts.denwa,
      facts.rental,
      facts.officeEq,
      facts.bflets,
      facts.typeChanged,
      facts.lineCancelled,
      facts.hgwCancelled,
      actor.name,
      new Date(atMs),
    ],
  );
  return facts;
}

export type TargetMove = { readonly target: RandomId; readonly software: string; readonly from: TargetState; readonly to: TargetState };

/** Lets today's facts act on every open target of a site (D-15). Safe to do twice. */
export async function applyFacts(
  sql: Sql,
  site: RandomId,
  catalogue: EligibilityCatalogue,
  { actor, atMs }: { actor: Actor; atMs: number },
): Promise<{ eligibility: Eligibility; moves: TargetMove[] }> {
  const locked = await sql.query('SELECT id FROM sites WHERE id = $1 FOR UPDATE', [site]);
  if (locked.length === 0) throw new TsugiteError('NOT_FOUND', { what: 'site' });
  const eligibility = await eligibilityOn(sql, site, catalogue, atMs);
  const targets = await sql.query<{ id: RandomId; software: string; state: TargetState; isRunning: boolean }>(
    `SELECT id, software_id AS software, state, committed_version IS NOT NULL AS "isRunning" FROM targets
     WHERE site_id = $1 AND ended_at IS NULL ORDER BY id`,
    [site],
  );
  const moves: TargetMove[] = [];
  for (const { id, software, state, isRunning } of targets) {
    const decision = decideByContract(state, isRunning, eligibility);
    if (decision.kind === 'keep') continue;
    const step = { target: id, event: decision.event, atMs, by: actor.name, codes: decision.codes };
    const to = await moveTarget(sql, decision.event === 'end' ? { ...step, removedReason: 'cancelled' } : step);
    if (to !== undefined && to !== state) moves.push({ target: id, software, from: state, to });
  }
  return { eligibility, moves };
}
