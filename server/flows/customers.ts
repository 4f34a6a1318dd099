/** Customers (お客さま), their sites, and the consent that providers registered. */
import { TsugiteError } from '../../protocol/errors.ts';
import type { ProviderId, RandomId, SoftwareId } from '../../protocol/fields.ts';
import type { Clock, Db, Random, Sql } from '../ports.ts';
import type { SiteFacts } from '../rules/contract-events.ts';
import { parseCustomerId } from '../rules/customer-id.ts';
import type { TargetMove } from '../rules/day-end.ts';
import type { Eligibility } from '../rules/eligibility.ts';
import type { EligibilityCatalogue } from '../rules/eligibility-catalogue.ts';
import { japanDay } from '../rules/japan-day.ts';
import type { Actor } from './actor.ts';
import { appendAudit } from './audit.ts';
import { addFacts, applyFacts, eligibilityOn, factsOn, lockSite } from './contract-facts.ts';
import { insertEvent } from './save-contract-event.ts';

export type ConsentScope = 'delivery' | 'reasonsToProvider' | 'diagnostics';
export type NewConsent = {
  readonly reference: string;
  readonly scopes: readonly ConsentScope[];
  readonly givenBy: string;
  readonly givenHow: string;
  readonly givenAtMs: number;
};

export function makeCustomers({ db, clock, random, catalogue }: { db: Db; clock: Clock; random: Random; catalogue: EligibilityCatalogue }) {
  return {
    /** A customer comes with one site; the お客さまID is never given back. */
    register: async (
      { customerId, label = '', facts }: { customerId: string; label?: string | undefined; facts: Partial<SiteFacts> },
      actor: Actor,
    ): Promise<{ customer: RandomId; site: RandomId; eligibility: Eligibility }> => {
      const nowMs = clock.nowMs();
      const id = parseCustomerId(customerId);
      return db.tx(async (sql) => {
        const [row] = await sql.query<{ id: RandomId }>(
          'INSERT INTO customers (id, customer_id, created_at) VALUES ($1, $2, $3) ON CONFLICT (customer_id) DO NOTHING RETURNING id',
          [random.id(), id, new Date(nowMs)],
        );
        if (row === undefined) throw new TsugiteError('CONFLICT', { what: { ja: 'お客さまID', en: 'The customer ID' } });
        const site = random.id();
        await sql.query('INSERT INTO sites (id, customer, label, created_at) VALUES ($1, $2, $3, $4)', [
          site,
          row.id,
          label,
          new Date(nowMs),
        ]);
        await addFacts(sql, site, facts, { effectiveOn: japanDay(nowMs), actor, atMs: nowMs });
        await appendAudit(sql, { actor, action: 'customer.register', subject: row.id, detail: { site, facts } }, nowMs);
        const { eligibility } = await applyFacts(sql, site, catalogue, { actor, atMs: nowMs });
        return { customer: row.id, site, eligibility };
      });
    },

    /** The only way from an お客さまID to the random ids; each use is audited (DOMAIN §12). */
    find: async (customerId: string, actor: Actor): Promise<{ customer: RandomId; sites: { site: RandomId; label: string }[] }> =>
      db.tx(async (sql) => {
        const customer = await customerOf(sql, customerId);
        await appendAudit(sql, { actor, action: 'customer.read', subject: customer, detail: { by: 'customerId' } }, clock.nowMs());
        return {
          customer,
          sites: await sql.query('SELECT id AS site, label FROM sites WHERE customer = $1 ORDER BY created_at, id', [customer]),
        };
      }),

    readSite: async (
      site: RandomId,
      actor: Actor,
    ): Promise<{ site: RandomId; customer: RandomId; facts: SiteFacts; gateway: string | null }> =>
      db.tx(async (sql) => {
        const [row] = await sql.query<{ customer: RandomId; gateway: string | null }>(
          `SELECT s.customer, g.id AS gateway FROM sites s LEFT JOIN gateways g ON g.site_id = s.id AND g.replaced_at IS NULL WHERE s.id = $1`,
          [site],
        );
        if (row === undefined) throw new TsugiteError('NOT_FOUND', { what: 'site' });
        const nowMs = clock.nowMs();
        await appendAudit(sql, { actor, action: 'customer.read', subject: row.customer, detail: { site } }, nowMs);
        return { site, ...row, facts: await factsOn(sql, site, japanDay(nowMs)) };
      }),

    /** A correction of contract facts, acted on at once; one for a later day waits for the end of that day, as every contract event does. */
    changeFacts: async (
      site: RandomId,
      { changes, effectiveOn }: { changes: Partial<SiteFacts>; effectiveOn?: string | undefined },
      actor: Actor,
    ): Promise<{ site: RandomId; eligibility: Eligibility; moves: TargetMove[] }> => {
      const nowMs = clock.nowMs();
      return db.tx(async (sql) => {
        await lockSite(sql, site);
        const today = japanDay(nowMs);
        const day = effectiveOn ?? today;
        await appendAudit(sql, { actor, action: 'contract.change', subject: site, detail: { effectiveOn: day, changes } }, nowMs);
        if (day > today) {
          await insertEvent(sql, { site, kind: 'change-facts', detail: { changes }, effectiveOn: day }, actor, nowMs);
          return { site, eligibility: await eligibilityOn(sql, site, catalogue, nowMs), moves: [] };
        }
        await addFacts(sql, site, changes, { effectiveOn: day, actor, atMs: nowMs });
        return { site, ...(await applyFacts(sql, site, catalogue, { actor, atMs: nowMs })) };
      });
    },
  };
}

/** @throws TsugiteError CUSTOMER_UNKNOWN */
export async function customerOf(sql: Sql, customerId: string): Promise<RandomId> {
  const [row] = await sql.query<{ id: RandomId }>('SELECT id FROM customers WHERE customer_id = $1', [parseCustomerId(customerId)]);
  if (row === undefined) throw new TsugiteError('CUSTOMER_UNKNOWN');
  return row.id;
}

/** Records a consent; the same reference again is the same consent. */
export async function saveConsent(
  sql: Sql,
  id: RandomId,
  of: { customer: RandomId; provider: ProviderId; software: SoftwareId; consent: NewConsent },
  atMs: number,
): Promise<RandomId> {
  const { customer, provider, software, consent } = of;
  await sql.query(
    `INSERT INTO consents (id, customer, provider_id, software_id, scopes, reference, given_by, given_how, given_at, recorded_at)
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) ON CONFLICT (customer, provider_id, reference) DO NOTHING`,
    [
      id,
      customer,
      provider,
      software,
      consent.scopes,
      consent.reference,
      consent.givenBy,
      consent.givenHow,
      new Date(consent.givenAtMs),
      new Date(atMs),
    ],
  );
  const [row] = await sql.query<{ id: RandomId }>('SELECT id FROM consents WHERE customer = $1 AND provider_id = $2 AND reference = $3', [
    customer,
    provider,
    consent.reference,
  ]);
  return (row as { id: RandomId }).id;
}

/** The consents in force of a customer towards one software. */
export async function consentsInForce(
  sql: Sql,
  of: { customer: RandomId; provider: ProviderId; software: SoftwareId },
  atMs: number,
): Promise<{ id: RandomId; scopes: ConsentScope[] }[]> {
  return sql.query(
    `SELECT id, scopes FROM consents WHERE customer = $1 AND provider_id = $2 AND (software_id IS NULL OR software_id = $3)
       AND (withdrawn_at IS NULL OR withdrawn_at > $4) ORDER BY recorded_at DESC, id`,
    [of.customer, of.provider, of.software, new Date(atMs)],
  );
}
