/** Step 5: the provider orders delivery to a customer; the same order again is the same target. */
import { type ErrorCode, TsugiteError } from '../../protocol/errors.ts';
import type { RandomId, SoftwareId, Version } from '../../protocol/fields.ts';
import type { Clock, Db, Random, Sql } from '../ports.ts';
import { type ConsentRecord, isAbout, scopesInForce } from '../rules/consent.ts';
import type { Fired } from '../rules/eligibility.ts';
import type { EligibilityCatalogue } from '../rules/eligibility-catalogue.ts';
import { japanDay } from '../rules/japan-day.ts';
import { decideOrder, type OrderCase, type OrderDecision } from '../rules/order.ts';
import type { TargetState } from '../rules/targets.ts';
import type { Actor } from './actor.ts';
import { appendAudit } from './audit.ts';
import { consentsOf, type NewConsent, saveConsent, scopesOf } from './consents.ts';
import { eligibilityOn, factsOn } from './contract-facts.ts';
import { followTarget, moveApplication, openApplicationOf } from './move-application.ts';
import { moveTarget } from './move-target.ts';
import { loadOffers, loadOpenTargets, lockSoftware, type SoftwareRow } from './offers.ts';
import { customerOf } from './place.ts';
import { recordTargetPlan } from './price-classes.ts';
import { hideReasons, isAboutCustomer, maySeeReasons } from './reasons.ts';

export type Order = {
  readonly software: SoftwareId;
  /** Left out: that of the application. */
  readonly customerId?: string | undefined;
  /** Needed only when the customer has several. */
  readonly site?: RandomId | undefined;
  readonly consent?: NewConsent | undefined;
  /** Whose step 5 this is; left out: the customer's open application for this software, if there is one. */
  readonly application?: RandomId | undefined;
};
export type OrderedTarget = {
  readonly target: RandomId;
  readonly state: TargetState;
  readonly version: Version | null;
  readonly isRepeat: boolean;
  /** Without its consent to more, a provider reads one that only says that there is something. */
  readonly reasons: readonly { readonly code: ErrorCode; readonly detail: Fired['detail'] }[];
};

type Doors = { db: Db; clock: Clock; random: Random; catalogue: EligibilityCatalogue };

export function makeOrderDelivery(doors: Doors) {
  /**
   * @throws TsugiteError CUSTOMER_UNKNOWN · NOT_FOUND · STEP_MISSING · CONSENT_WITHDRAWN · those of `decideOrder`; ELIG_NOT_MET in their place where the
   *   customer did not consent to more
   */
  return async (order: Order, actor: Actor): Promise<OrderedTarget> => {
    const done = await doors.db.tx(async (sql) => {
      const software = await lockSoftware(sql, order.software, actor);
      const whose = await whoseOrder(sql, order, software);
      return place(sql, doors, { order, software, ...whose, site: await siteOf(sql, whose.customer, order.site) }, actor);
    });
    if ('refused' in done) throw done.refused;
    return done;
  };
}

type Placing = {
  readonly order: Order;
  readonly software: SoftwareRow;
  readonly customer: RandomId;
  readonly application: RandomId | undefined;
  readonly site: RandomId;
};

async function place(sql: Sql, doors: Doors, placing: Placing, actor: Actor): Promise<OrderedTarget | { refused: unknown }> {
  const nowMs = doors.clock.nowMs();
  const { software, customer } = placing;
  const of = { customer, provider: software.provider, software: software.id };
  const given = (await consentsOf(sql, customer)).find((one) => isAbout(one, of) && scopesInForce(one, nowMs).includes('delivery'));
  const it = await loadCase(sql, doors.catalogue, placing, given !== undefined, nowMs);
  let decision: OrderDecision;
  try {
    decision = decideOrder(it);
  } catch (error) {
    return { refused: await refusal(sql, doors, placing, error, { actor, nowMs }) };
  }
  const target = decision.kind === 'repeat' ? decision.target : await insertTarget(sql, doors, placing, decision, { given, actor, nowMs });
  await stepApplication(sql, placing, target, { actor, nowMs });
  if (decision.kind === 'repeat') return { ...(await stateOf(sql, target)), isRepeat: true, reasons: [] };
  await appendAudit(sql, { actor, action: 'target.order', subject: target, detail: { software: software.id, site: placing.site } }, nowMs);
  const mayRead = maySeeReasons(actor, await scopesOf(sql, of, nowMs));
  const reasons = mayRead ? decision.fired.map(({ code, detail }) => ({ code, detail })) : hiddenReasons(decision.fired);
  return { ...(await stateOf(sql, target)), isRepeat: false, reasons };
}

function hiddenReasons(fired: readonly Fired[]): { code: ErrorCode; detail: Record<string, never> }[] {
  return fired.length === 0 ? [] : [{ code: 'ELIG_NOT_MET', detail: {} }];
}

async function loadCase(
  sql: Sql,
  catalogue: EligibilityCatalogue,
  { order, software, site }: Placing,
  hasConsent: boolean,
  nowMs: number,
): Promise<OrderCase> {
  const { hgwModel } = await factsOn(sql, site, japanDay(nowMs));
  const isGivenNow = order.consent?.scopes.includes('delivery') === true;
  return {
    software,
    offers: await loadOffers(sql, software.id),
    eligibility: await eligibilityOn(sql, site, catalogue, nowMs, 'new-order'),
    hgwModel,
    hasConsent: software.consent === 'notRequired' || isGivenNow || hasConsent,
    open: await loadOpenTargets(sql, site),
  };
}

/**
 * What the caller reads instead. Reasons about a customer are read on a consent that is on record: a paper that an order brings along is kept even
 * when the order is refused, and the look is audited. Otherwise every お客さまID could be tried with a paper that nobody ever sees again.
 */
async function refusal(
  sql: Sql,
  { random }: Doors,
  { order, software, customer, site }: Placing,
  error: unknown,
  { actor, nowMs }: { actor: Actor; nowMs: number },
): Promise<unknown> {
  if (!(error instanceof TsugiteError)) throw error;
  const of = { customer, provider: software.provider, software: software.id };
  if (order.consent?.scopes.includes('reasonsToProvider') === true && isAboutCustomer(error))
    await saveConsent(sql, random.id(), { ...of, consent: order.consent }, { actor, nowMs });
  const detail = { software: software.id, site, number: error.number };
  await appendAudit(sql, { actor, action: 'target.refuse', subject: customer, detail }, nowMs);
  return hideReasons(error, actor, await scopesOf(sql, of, nowMs));
}

async function insertTarget(
  sql: Sql,
  { random }: Doors,
  { order, software, customer, site }: Placing,
  { offer, event, fired }: Extract<OrderDecision, { kind: 'create' }>,
  { given, actor, nowMs }: { given: ConsentRecord | undefined; actor: Actor; nowMs: number },
): Promise<RandomId> {
  const of = { customer, provider: software.provider, software: software.id };
  const consent =
    order.consent === undefined
      ? (given?.id ?? null)
      : await saveConsent(sql, random.id(), { ...of, consent: order.consent }, { actor, nowMs });
  const target = random.id();
  await sql.query(
    `INSERT INTO targets (id, software_id, provider_id, site_id, state, release_id, plan, consent_id, requested_at, requested_by)
     VALUES ($1, $2, $3, $4, 'REQUESTED', $5, $6, $7, $8, $9)`,
    [target, software.id, software.provider, site, offer.release, offer.plan, consent, new Date(nowMs), actor.name],
  );
  await recordTargetPlan(sql, { target, release: offer.release, atMs: nowMs });
  await sql.query(`INSERT INTO target_events (target_id, at, event, to_state, by) VALUES ($1, $2, 'order', 'REQUESTED', $3)`, [
    target,
    new Date(nowMs),
    actor.name,
  ]);
  await moveTarget(sql, { target, event, atMs: nowMs, by: actor.name, codes: fired.map(({ code }) => code) });
  return target;
}

/** Step 5 of the application that the order belongs to; said again, or of a target that another application has, it changes nothing. */
async function stepApplication(
  sql: Sql,
  { application, customer }: Placing,
  target: RandomId,
  { actor, nowMs }: { actor: Actor; nowMs: number },
): Promise<void> {
  if (application === undefined) return;
  const taken = await sql.query('SELECT 1 FROM applications WHERE target_id = $1', [target]);
  if (taken.length > 0) return;
  await moveApplication(sql, { application, event: 'deliveryRequested', customer, target, atMs: nowMs, by: actor.name });
  // Ordered and delivered before anybody wrote down the application.
  const { state } = await stateOf(sql, target);
  if (state === 'ACTIVE') await followTarget(sql, { target, event: 'delivered', atMs: nowMs, by: actor.name });
}

/** @throws TsugiteError CUSTOMER_UNKNOWN · NOT_FOUND (another provider's application, or one for another software) */
async function whoseOrder(
  sql: Sql,
  order: Order,
  { id: software }: SoftwareRow,
): Promise<{ customer: RandomId; application: RandomId | undefined }> {
  const named = order.customerId === undefined ? undefined : await customerOf(sql, order.customerId);
  if (order.application === undefined) {
    if (named === undefined) throw new TsugiteError('CUSTOMER_UNKNOWN');
    return { customer: named, application: await openApplicationOf(sql, { customer: named, software }) };
  }
  const [row] = await sql.query<{ customer: RandomId | null }>('SELECT customer FROM applications WHERE id = $1 AND software_id = $2', [
    order.application,
    software,
  ]);
  if (row === undefined) throw new TsugiteError('NOT_FOUND', { what: 'application' });
  const customer = named ?? row.customer ?? undefined;
  if (customer === undefined) throw new TsugiteError('CUSTOMER_UNKNOWN');
  return { customer, application: order.application };
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
