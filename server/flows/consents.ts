/** Consent records: who agreed to what, when and how, and what is taken back (DOMAIN §12, D-17). */
import { TsugiteError } from '../../protocol/errors.ts';
import type { ProviderId, RandomId, SoftwareId } from '../../protocol/fields.ts';
import type { Clock, Db, Random, Sql } from '../ports.ts';
import {
  type ConsentRecord,
  type ConsentScope,
  decideConsent,
  endedByWithdrawal,
  type RestingTarget,
  scopesInForce,
  scopesTowards,
} from '../rules/consent.ts';
import type { Actor } from './actor.ts';
import { appendAudit } from './audit.ts';
import { moveTarget } from './move-target.ts';
import { type Held, holdIfMuch } from './pending-changes.ts';
import { type Place, placeOf } from './place.ts';

export type NewConsent = {
  /** The provider's number of the customer's application. */
  readonly reference: string;
  readonly scopes: readonly ConsentScope[];
  readonly givenBy: string;
  readonly givenHow: string;
  readonly givenAtMs: number;
};
export type ConsentOf = {
  readonly customer: RandomId;
  /** null: given to the operator (diagnostics only). */
  readonly provider: ProviderId | null;
  /** null: every software of the provider. */
  readonly software: SoftwareId | null;
};
export type NewWithdrawal = {
  /** Left out: all. */
  readonly scopes?: readonly ConsentScope[] | undefined;
  readonly withdrawnBy: string;
  readonly withdrawnHow: string;
};
export type Withdrawn = {
  readonly consent: RandomId;
  readonly withdrawn: readonly ConsentScope[];
  readonly inForce: readonly ConsentScope[];
  /** Targets that rested on it and ended. */
  readonly ended: readonly RandomId[];
  /** What a second person has to decide about first. */
  readonly held: Held | null;
};

type Parts = { db: Db; clock: Clock; random: Random };

export function makeConsents({ db, clock, random }: Parts) {
  return {
    /** @throws TsugiteError NOT_FOUND · CUSTOMER_UNKNOWN · CONSENT_WITHDRAWN · INPUT_REFUSED */
    record: (
      at: Place,
      { provider, software }: Omit<ConsentOf, 'customer'>,
      consent: NewConsent,
      actor: Actor,
    ): Promise<{ consent: RandomId; scopes: readonly ConsentScope[] }> =>
      db.tx(async (sql) => {
        const nowMs = clock.nowMs();
        if (software !== null) await verifySoftwareOf(sql, software, provider);
        const { customer } = await placeOf(sql, at);
        const id = await saveConsent(sql, random.id(), { customer, provider, software, consent }, { actor, nowMs });
        const detail = { consent: id, provider, software, scopes: consent.scopes };
        await appendAudit(sql, { actor, action: 'consent.record', subject: customer, detail }, nowMs);
        return { consent: id, scopes: consent.scopes };
      }),

    /** At once: without `reasonsToProvider` the provider reads E100; without `delivery` what rested on it ends. Said again it changes nothing. */
    withdraw: (id: RandomId, wanted: NewWithdrawal, actor: Actor): Promise<Withdrawn> =>
      db.tx(async (sql) => {
        const nowMs = clock.nowMs();
        const customer = await lockConsent(sql, id, actor);
        const records = await consentsOf(sql, customer);
        const record = records.find((one) => one.id === id) as ConsentRecord;
        const inForce = scopesInForce(record, nowMs);
        const scopes = inForce.filter((scope) => wanted.scopes === undefined || wanted.scopes.includes(scope));
        await saveWithdrawal(sql, id, scopes, wanted, { actor, nowMs });
        const after = await consentsOf(sql, customer);
        const ends = scopes.includes('delivery') ? endedByWithdrawal(after, await restingTargets(sql, customer), nowMs) : [];
        const held = ends.length === 0 ? undefined : await holdEnds(sql, ends, { random, actor, nowMs });
        if (held === undefined) await endAll(sql, ends, { actor, nowMs });
        const detail = { consent: id, scopes, ended: held === undefined ? ends : [], held: held?.change ?? null };
        await appendAudit(sql, { actor, action: 'consent.withdraw', subject: customer, detail }, nowMs);
        return {
          consent: id,
          withdrawn: scopes,
          inForce: inForce.filter((scope) => !scopes.includes(scope)),
          ended: held === undefined ? ends : [],
          held: held ?? null,
        };
      }),
  };
}

async function verifySoftwareOf(sql: Sql, software: SoftwareId, provider: ProviderId | null): Promise<void> {
  const rows = await sql.query('SELECT 1 FROM software WHERE id = $1 AND provider_id = $2', [software, provider]);
  if (rows.length === 0) throw new TsugiteError('NOT_FOUND', { what: `software ${software}` });
}

/** Records a consent; the same paper again is the same consent. @throws TsugiteError CONSENT_WITHDRAWN · INPUT_REFUSED (given in the future) */
export async function saveConsent(
  sql: Sql,
  id: RandomId,
  { customer, provider, software, consent }: ConsentOf & { consent: NewConsent },
  { actor, nowMs }: { actor: Actor; nowMs: number },
): Promise<RandomId> {
  if (consent.givenAtMs > nowMs + clockSkewMs)
    throw new TsugiteError('INPUT_REFUSED', { faults: [{ field: 'consent.givenAt', fault: 'a time to come' }] });
  const known = (await consentsOf(sql, customer, consent.reference)).find((one) => one.provider === provider && one.software === software);
  const decision = decideConsent(known, consent.scopes);
  if (decision.kind === 'refuse') throw new TsugiteError('CONSENT_WITHDRAWN', { kind: decision.why, reference: consent.reference });
  if (known !== undefined) return known.id;
  const { reference, scopes, givenBy, givenHow, givenAtMs } = consent;
  await sql.query(
    `INSERT INTO consents (id, customer, provider_id, software_id, scopes, reference, given_by, given_how, given_at, recorded_at, recorded_by)
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)`,
    [
      id,
      customer,
      provider,
      software,
      [...new Set(scopes)],
      reference,
      givenBy,
      givenHow,
      new Date(givenAtMs),
      new Date(nowMs),
      actor.name,
    ],
  );
  return id;
}

/** A provider's clock may run ahead of ours. */
const clockSkewMs = 300_000;

const recordQuery = `SELECT c.id, c.provider_id AS provider, c.software_id AS software, c.scopes,
  (extract(epoch FROM c.given_at) * 1000)::bigint AS "givenAtMs",
  coalesce((SELECT json_agg(json_build_object('scope', w.scope, 'atMs', (extract(epoch FROM w.withdrawn_at) * 1000)::bigint))
            FROM consent_withdrawals w WHERE w.consent_id = c.id), '[]') AS withdrawn FROM consents c`;

/** Every paper of a customer, newest first. */
export function consentsOf(sql: Sql, customer: RandomId, reference?: string): Promise<ConsentRecord[]> {
  return sql.query<ConsentRecord>(
    `${recordQuery} WHERE c.customer = $1 AND ($2::text IS NULL OR c.reference = $2) ORDER BY c.recorded_at DESC, c.id`,
    [customer, reference ?? null],
  );
}

/** The same for several customers. */
export async function consentsOfMany(sql: Sql, customers: readonly RandomId[]): Promise<ReadonlyMap<RandomId, readonly ConsentRecord[]>> {
  const rows = await sql.query<ConsentRecord & { customer: RandomId }>(
    `${recordQuery.replace('SELECT', 'SELECT c.customer,')} WHERE c.customer = ANY($1) ORDER BY c.recorded_at DESC, c.id`,
    [customers],
  );
  const byCustomer = new Map<RandomId, ConsentRecord[]>();
  for (const { customer, ...record } of rows) byCustomer.set(customer, [...(byCustomer.get(customer) ?? []), record]);
  return byCustomer;
}

/** What is in force of a customer towards one software. */
export async function scopesOf(
  sql: Sql,
  { customer, ...of }: { customer: RandomId; provider: ProviderId; software: SoftwareId },
  nowMs: number,
): Promise<ReadonlySet<ConsentScope>> {
  return scopesTowards(await consentsOf(sql, customer), of, nowMs);
}

/** Orders of the customer wait here, or are counted. Another provider's consent does not exist for a provider. */
async function lockConsent(sql: Sql, id: RandomId, actor: Actor): Promise<RandomId> {
  const [row] = await sql.query<{ customer: RandomId; provider: ProviderId | null }>(
    'SELECT customer, provider_id AS provider FROM consents WHERE id = $1',
    [id],
  );
  if (row === undefined || (actor.role === 'provider' && actor.provider !== row.provider))
    throw new TsugiteError('NOT_FOUND', { what: 'consent' });
  await sql.query('SELECT id FROM sites WHERE customer = $1 ORDER BY created_at, id FOR UPDATE', [row.customer]);
  return row.customer;
}

async function saveWithdrawal(
  sql: Sql,
  id: RandomId,
  scopes: readonly ConsentScope[],
  { withdrawnBy, withdrawnHow }: NewWithdrawal,
  { actor, nowMs }: { actor: Actor; nowMs: number },
): Promise<void> {
  await sql.query(
    `INSERT INTO consent_withdrawals (consent_id, scope, withdrawn_at, withdrawn_by, withdrawn_how, recorded_at, recorded_by)
     SELECT $1, scope, $3, $4, $5, $3, $6 FROM unnest($2::text[]) AS scope ON CONFLICT DO NOTHING`,
    [id, scopes, new Date(nowMs), withdrawnBy, withdrawnHow, actor.name],
  );
}

function restingTargets(sql: Sql, customer: RandomId): Promise<RestingTarget[]> {
  return sql.query<RestingTarget>(
    `SELECT t.id AS target, t.provider_id AS provider, t.software_id AS software, p.consent = 'required' AS "isConsentRequired"
     FROM targets t JOIN sites s ON s.id = t.site_id JOIN providers p ON p.id = t.provider_id
     WHERE s.customer = $1 AND t.ended_at IS NULL ORDER BY t.id`,
    [customer],
  );
}

function holdEnds(
  sql: Sql,
  ends: readonly RandomId[],
  { random, actor, nowMs }: { random: Random; actor: Actor; nowMs: number },
): Promise<Held | undefined> {
  const proposers = actor.token === undefined ? [] : [actor.token];
  const proposal = { kind: 'cancel', subject: String(ends[0]), detail: { reason: 'household' }, targets: ends, proposers } as const;
  return holdIfMuch(sql, proposal, { random, actor, nowMs });
}

async function endAll(sql: Sql, targets: readonly RandomId[], { actor, nowMs }: { actor: Actor; nowMs: number }): Promise<void> {
  for (const target of targets)
    await moveTarget(sql, { target, event: 'end', atMs: nowMs, by: actor.name, codes: ['CONSENT_MISSING'], removedReason: 'household' });
}
