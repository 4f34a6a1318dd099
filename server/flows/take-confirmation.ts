/** What a technician confirmed at a gateway becomes a contract fact of its site, and acts at once (DOMAIN D-13, D-15). */
import type { GatewayId, RandomId } from '../../protocol/fields.ts';
import type { Report } from '../../protocol/messages/report.ts';
import type { Sql } from '../ports.ts';
import { decideConfirmation } from '../rules/confirmation.ts';
import type { SiteFacts } from '../rules/contract-events.ts';
import type { TargetMove } from '../rules/day-end.ts';
import type { EligibilityCatalogue } from '../rules/eligibility-catalogue.ts';
import { japanDay } from '../rules/japan-day.ts';
import type { Actor } from './actor.ts';
import { appendAudit } from './audit.ts';
import { addFacts, applyFacts, factsOn } from './contract-facts.ts';

/** More than a gateway's whole outbox. */
const laterLooked = 10_000;

/** @returns undefined for a gateway that has no site */
export async function lockSiteOf(sql: Sql, gateway: GatewayId): Promise<RandomId | undefined> {
  const [site] = await sql.query<{ id: RandomId }>(
    'SELECT s.id FROM sites s JOIN gateways g ON g.site_id = s.id WHERE g.id = $1 FOR UPDATE OF s',
    [gateway],
  );
  return site?.id;
}

/**
 * In the transaction that stores the report, so it happens once for each (gateway, epoch, seq). Site and gateway are locked.
 *
 * @returns the targets that changed a state; undefined when nothing was recorded
 */
export async function takeConfirmation(
  sql: Sql,
  { gateway, site, report, facts }: { gateway: GatewayId; site: RandomId; report: Report; facts: Partial<SiteFacts> },
  { catalogue, nowMs }: { catalogue: EligibilityCatalogue; nowMs: number },
): Promise<readonly TargetMove[] | undefined> {
  // A box that was exchanged or blocked may still have something to say; about the site it has no say any more.
  const inPlace = await sql.query('SELECT 1 FROM gateways WHERE id = $1 AND site_id = $2 AND replaced_at IS NULL AND blocked_at IS NULL', [
    gateway,
    site,
  ]);
  if (inPlace.length === 0) return undefined;
  const { epoch, seq } = report;
  const later = await sql.query<Pick<Report, 'kind' | 'detail'>>(
    `SELECT kind, detail FROM reports WHERE gateway_id = $1 AND epoch = $2 AND seq > $3 AND kind = 'answer' ORDER BY seq LIMIT $4`,
    [gateway, epoch, seq, laterLooked],
  );
  const today = japanDay(nowMs);
  const known = await factsOn(sql, site, today);
  if (decideConfirmation(facts, known, later).kind === 'ignore') return undefined;

  const actor: Actor = { name: `gateway ${gateway}`, role: 'technician' };
  await addFacts(sql, site, facts, { effectiveOn: today, actor, atMs: nowMs });
  await appendAudit(
    sql,
    { actor, action: 'contract.confirm', subject: site, detail: { effectiveOn: today, changes: facts, epoch, seq } },
    nowMs,
  );
  // One word of a gateway ends nothing: it would pass by the second person whom the day's end asks.
  const { moves } = await applyFacts(sql, site, catalogue, { actor, atMs: nowMs, mayEnd: false });
  return moves;
}
