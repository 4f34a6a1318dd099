/** Customers (お客さま), their sites, and what is under contract there. */
import { TsugiteError } from '../../protocol/errors.ts';
import type { RandomId } from '../../protocol/fields.ts';
import type { Clock, Db, Random } from '../ports.ts';
import type { SiteFacts } from '../rules/contract-events.ts';
import { parseCustomerId } from '../rules/customer-id.ts';
import type { TargetMove } from '../rules/day-end.ts';
import type { Eligibility } from '../rules/eligibility.ts';
import type { EligibilityCatalogue } from '../rules/eligibility-catalogue.ts';
import { japanDay } from '../rules/japan-day.ts';
import type { Actor } from './actor.ts';
import { appendAudit } from './audit.ts';
import { contentVersion, verifySeen } from './content-version.ts';
import { addFacts, applyFacts, eligibilityOn, factsOn, lockSite } from './contract-facts.ts';
import { customerOf, type Place, placeOf } from './place.ts';
import { insertEvent } from './save-contract-event.ts';

export type FactsChange = {
  readonly changes: Partial<SiteFacts>;
  readonly effectiveOn?: string | undefined;
  /** The version that whoever corrects has looked at. */
  readonly ifMatch?: string | undefined;
};

/** Of what is under contract at a site today. */
export function factsVersion(facts: SiteFacts): string {
  const entries = Object.entries(facts).sort(([one], [other]) => (one < other ? -1 : 1));
  return contentVersion(JSON.stringify(entries));
}

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
    find: (customerId: string, why: string, actor: Actor): Promise<{ customer: RandomId; sites: { site: RandomId; label: string }[] }> =>
      db.tx(async (sql) => {
        const customer = await customerOf(sql, customerId);
        const sites = await sql.query<{ site: RandomId; label: string }>(
          'SELECT id AS site, label FROM sites WHERE customer = $1 ORDER BY created_at, id',
          [customer],
        );
        await appendAudit(sql, { actor, action: 'customer.read', subject: customer, detail: { what: 'ids' }, why }, clock.nowMs());
        return { customer, sites };
      }),

    readSite: (
      place: Place,
      why: string,
      actor: Actor,
    ): Promise<{ site: RandomId; customer: RandomId; facts: SiteFacts; gateway: string | null }> =>
      db.tx(async (sql) => {
        const found = await placeOf(sql, place);
        const nowMs = clock.nowMs();
        const [gateway] = await sql.query<{ id: string }>('SELECT id FROM gateways WHERE site_id = $1 AND replaced_at IS NULL', [
          found.site,
        ]);
        const facts = await factsOn(sql, found.site, japanDay(nowMs));
        const detail = { what: 'contract', site: found.site };
        await appendAudit(sql, { actor, action: 'customer.read', subject: found.customer, detail, why }, nowMs);
        return { ...found, gateway: gateway?.id ?? null, facts };
      }),

    /**
     * A correction of contract facts, acted on at once; one for a later day waits for the end of that day, as every contract event does.
     *
     * @throws TsugiteError NOT_FOUND · VERSION_CHANGED
     */
    changeFacts: async (
      site: RandomId,
      { changes, effectiveOn, ifMatch }: FactsChange,
      actor: Actor,
    ): Promise<{ site: RandomId; eligibility: Eligibility; moves: TargetMove[] }> => {
      const nowMs = clock.nowMs();
      return db.tx(async (sql) => {
        await lockSite(sql, site);
        const today = japanDay(nowMs);
        verifySeen(ifMatch, factsVersion(await factsOn(sql, site, today)));
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
