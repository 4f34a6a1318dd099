/** Step 5: the provider orders delivery to a customer; the same order again is the same target. */
import { TsugiteError } from '../../protocol/errors.ts';
import type { RandomId, SoftwareId, Version } from '../../protocol/fields.ts';
import type { Clock, Db, Random, Sql } from '../ports.ts';
import { isAbout, scopesInForce } from '../rules/consent.ts';
import type { Fired } from '../rules/eligibility.ts';
import type { EligibilityCatalogue } from '../rules/eligibility-catalogue.ts';
import { japanDay } from '../rules/japan-day.ts';
import { decideOrder } from '../rules/order.ts';
import type { TargetState } from '../rules/targets.ts';
import type { Actor } from './actor.ts';
import { appendAudit } from './audit.ts';
import { consentsOf, type NewConsent, saveConsent, scopesOf } from './consents.ts';
import { eligibilityOn, factsOn } from './contract-facts.ts';
import { moveTarget } from './move-target.ts';
import { loadOffers, loadOpenTargets, lockSoftware, type SoftwareRow } from './offers.ts';
import { customerOf } from './place.ts';
import { recordTargetPlan } from './price-classes.ts';
import { hideReasons } from './reasons.ts';

export type Order = {
  readonly software: SoftwareId;
  readonly customerId: string;
  /** Needed only when the customer has several. */
  readonly site?: RandomId | undefined;
  readonly consent?: NewConsent | undefined;
};
export type OrderedTarget = {
  readonly target: RandomId;
  readonly state: TargetState;
  readonly version: Version | null;
  readonly isRepeat: boolean;
  readonly reasons: readonly Pick<Fired, 'code' | 'detail'>[];
};

type Doors = { db: Db; clock: Clock; random: Random; catalogue: EligibilityCatalogue };

export function makeOrderDelivery(doors: Doors) {
  const { db, clock } = doors;
  /** @throws TsugiteError CUSTOMER_UNKNOWN · NOT_FOUND · those of `decideOrder`; ELIG_NOT_MET in their place where the customer did not consent to more */
  return (order: Order, actor: Actor): Promise<OrderedTarget> =>
    db.tx(async (sql) => {
      const software = await lockSoftware(sql, order.software, actor);
      const customer = await customerOf(sql, order.customerId);
      try {
        return await place(sql, doors, { order, software, customer, site: await siteOf(sql, customer, order.site) }, actor);
      } catch (error) {
        const scopes = await scopesOf(sql, { customer, provider: software.provider, software: software.id }, clock.nowMs());
        throw hideReasons(error, actor, new Set([...scopes, ...(order.consent?.scopes ?? [])]));
      }
    });
}

type Placing = { order: Order; software: SoftwareRow; customer: RandomId; site: RandomId };

async function place(
  sql: Sql,
  { clock, random, catalogue }: Doors,
  { order, software, customer, site }: Placing,
  actor: Actor,
): Promise<OrderedTarget> {
  const nowMs = clock.nowMs();
  const now = new Date(nowMs);
  const of = { customer, provider: software.provider, software: software.id };
  const given = (await consentsOf(sql, customer)).find((one) => isAbout(one, of) && scopesInForce(one, nowMs).includes('delivery'));
  const isGivenNow = order.consent?.scopes.includes('delivery') === true;
  const { hgwModel } = await factsOn(sql, site, japanDay(nowMs));
  const decision = decideOrder({
    software,
    offers: await loadOffers(sql, software.id),
    eligibility: await eligibilityOn(sql, site, catalogue, nowMs, 'new-order'),
    hgwModel,
    hasConsent: software.consent === 'notRequired' || isGivenNow || given !== undefined,
    open: await loadOpenTargets(sql, site),
  });
  if (decision.kind === 'repeat') return { ...(await stateOf(sql, decision.target)), isRepeat: true, reasons: [] };

  const consent =
    order.consent === undefined
      ? (given?.id ?? null)
      : await saveConsent(sql, random.id(), { ...of, consent: order.consent }, { actor, nowMs });
  const target = random.id();
  await sql.query(
    `INSERT INTO targets (id, software_id, provider_id, site_id, state, release_id, plan, consent_id, requested_at, requested_by)
     VALUES ($1, $2, $3, $4, 'REQUESTED', $5, $6, $7, $8, $9)`,
    [target, software.id, software.provider, site, decision.offer.release, decision.offer.plan, consent, now, actor.name],
  );
  await recordTargetPlan(sql, { target, release: decision.offer.release, atMs: nowMs });
  await sql.query(`INSERT INTO target_events (target_id, at, event, to_state, by) VALUES ($1, $2, 'order', 'REQUESTED', $3)`, [
    target,
    now,
    actor.name,
  ]);
  const codes = decision.fired.map(({ code }) => code);
  await moveTarget(sql, { target, event: decision.event, atMs: nowMs, by: actor.name, codes });
  await appendAudit(sql, { actor, action: 'target.order', subject: target, detail: { software: software.id, site, consent } }, nowMs);
  return { ...(await stateOf(sql, target)), isRepeat: false, reasons: decision.fired.map(({ code, detail }) => ({ code, detail })) };
}

async function siteOf(sql: Sql, customer: RandomId, wanted: RandomId | undefined): Promise<RandomId> {
  // Locked: two orders for one site must not both see room for the last software.
  const sites = await sql.query<{ id: RandomId }>('SELECT id FROM sites WHERE customer = $1 ORDER BY created_at, id FOR UPDATE', [
    customer,
  ]);
  const chosen = wanted === undefined ? sites : sites.filter(({ id }) => id === wanted);
  const [site] = chosen;
  if (site === undefined) throw new TsugiteError('NOT_FOUND', { what: 'site' });
  if (chosen.length > 1) throw new TsugiteError('INPUT_REFUSED', { faults: [{ field: 'site', fault: 'the customer has several' }] });
  return site.id;
}

async function stateOf(sql: Sql, target: RandomId): Promise<Pick<OrderedTarget, 'target' | 'state' | 'version'>> {
  const [row] = await sql.query<Pick<OrderedTarget, 'target' | 'state' | 'version'>>(
    'SELECT t.id AS target, t.state, r.version FROM targets t LEFT JOIN releases r ON r.id = t.release_id WHERE t.id = $1',
    [target],
  );
  return row as Pick<OrderedTarget, 'target' | 'state' | 'version'>;
}
