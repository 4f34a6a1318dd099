/**
 * A provider asks for its signer certificate with its token; the operator issues or refuses. A stolen token alone gets none: the operator names the key
 * id that the provider has read out to it (telephone, paper), and a request for any other key is not issued.
 */
import { TsugiteError } from '../../protocol/errors.ts';
import type { KeyId, ProviderId, RandomId } from '../../protocol/fields.ts';
import type { Clock, Db, ProviderCa, Random, Sql } from '../ports.ts';
import { type Actor, systemActor } from './actor.ts';
import { appendAudit } from './audit.ts';
import { type Listed, type Page, pageOf, rowsFor } from './page.ts';
import { saveCertificate } from './providers.ts';

const waitingDays = 30;
const mostWaiting = 5;
const dayMs = 86_400_000;

export type RequestState = 'WAITING' | 'ISSUED' | 'REFUSED';
export type CertificateRequest = {
  readonly request: RandomId;
  readonly provider: ProviderId;
  readonly subjectKeyid: KeyId;
  readonly organisation: string;
  readonly state: RequestState;
  readonly requestedBy: string;
  readonly requestedAt: Date;
  readonly decidedBy: string | null;
  readonly decidedAt: Date | null;
  readonly refuseReason: string | null;
  readonly serial: string | null;
  readonly notAfter: Date | null;
  /** PEM, the leaf first, without the pinned CA; null until it is issued. */
  readonly chain: string | null;
};

type Doors = { readonly db: Db; readonly clock: Clock; readonly random: Random; readonly providerCa: ProviderCa };

export function makeCertificateRequests({ db, clock, random, providerCa }: Doors) {
  return {
    /** The same key again is the same request. @throws TsugiteError KEY_UNUSABLE · SIGNER_NOT_PROVIDER · STATE_FORBIDS (too many wait) */
    request: async (csr: string, actor: Actor & { readonly provider: ProviderId }): Promise<CertificateRequest> => {
      const nowMs = clock.nowMs();
      const { provider } = actor;
      const asked = await providerCa.check(csr, { provider, organisation: await nameOf(db, provider) });
      return db.tx(async (sql) => {
        await sql.query('SELECT id FROM providers WHERE id = $1 FOR NO KEY UPDATE', [provider]);
        const waiting = await sql.query<CertificateRequest>(`${requestQuery} WHERE c.provider_id = $1 AND c.state = 'WAITING'`, [provider]);
        const same = waiting.find(({ subjectKeyid }) => subjectKeyid === asked.subjectKeyid);
        if (same !== undefined) return same;
        if (waiting.length >= mostWaiting)
          throw new TsugiteError('STATE_FORBIDS', { state: 'WAITING', action: 'request', limit: mostWaiting });
        const id = random.id();
        await sql.query(
          `INSERT INTO certificate_requests (id, provider_id, csr, subject_keyid, organisation, state, requested_by, requested_at)
           VALUES ($1, $2, $3, $4, $5, 'WAITING', $6, $7)`,
          [id, provider, csr, asked.subjectKeyid, asked.organisation, actor.name, new Date(nowMs)],
        );
        const detail = { request: id, subjectKeyid: asked.subjectKeyid };
        await appendAudit(sql, { actor, action: 'certificate.request', subject: provider, detail }, nowMs);
        return load(sql, id, actor);
      });
    },

    show: (request: RandomId, actor: Actor): Promise<CertificateRequest> => load(db, request, actor),

    /** The newest first. */
    list: async (filter: { state?: RequestState | undefined }, actor: Actor, page: Page): Promise<Listed<CertificateRequest>> => {
      const rows = await db.query<CertificateRequest>(
        `${requestQuery} WHERE ($1::text IS NULL OR c.provider_id = $1) AND ($2::text IS NULL OR c.state = $2)
           AND ($3::text IS NULL OR (c.requested_at, c.id) < (SELECT requested_at, id FROM certificate_requests WHERE id = $3))
         ORDER BY c.requested_at DESC, c.id DESC LIMIT $4`,
        [actor.role === 'provider' ? actor.provider : null, filter.state ?? null, page.after ?? null, rowsFor(page)],
      );
      return pageOf(rows, page, 'request');
    },

    /** @param keyid  as the provider read it out, not as the request says it  @throws TsugiteError NOT_FOUND · STATE_FORBIDS · REQUEST_KEY_DIFFERS */
    issue: async (request: RandomId, keyid: KeyId, actor: Actor): Promise<CertificateRequest> => {
      const nowMs = clock.nowMs();
      const asked = await load(db, request, actor);
      verifyWaiting(asked, 'issue');
      if (asked.subjectKeyid !== keyid) throw new TsugiteError('REQUEST_KEY_DIFFERS', { expected: keyid, found: asked.subjectKeyid });
      const { provider } = asked;
      const [row] = await db.query<{ csr: string }>('SELECT csr FROM certificate_requests WHERE id = $1', [request]);
      const issued = await providerCa.issue(row?.csr ?? '', { provider, organisation: await nameOf(db, provider), nowMs });
      return db.tx(async (sql) => {
        verifyWaiting(await lock(sql, request, actor), 'issue');
        await saveCertificate(sql, provider, issued, actor, nowMs);
        await sql.query(
          `UPDATE certificate_requests SET state = 'ISSUED', decided_by = $2, decided_at = $3, issuer_keyid = $4, serial = $5 WHERE id = $1`,
          [request, actor.name, new Date(nowMs), issued.issuerKeyid, issued.serial],
        );
        return load(sql, request, actor);
      });
    },

    /** @throws TsugiteError NOT_FOUND · STATE_FORBIDS */
    refuse: (request: RandomId, reason: string, actor: Actor): Promise<CertificateRequest> =>
      db.tx(async (sql) => {
        const asked = await lock(sql, request, actor);
        verifyWaiting(asked, 'refuse');
        await setRefused(sql, asked, reason, actor, clock.nowMs());
        return load(sql, request, actor);
      }),

    /** Nobody answered for a month: the provider asks anew. @returns how many */
    refuseOld: (): Promise<number> =>
      db.tx(async (sql) => {
        const nowMs = clock.nowMs();
        const old = await sql.query<CertificateRequest>(
          `${requestQuery} WHERE c.state = 'WAITING' AND c.requested_at <= $1 ORDER BY c.id FOR UPDATE OF c`,
          [new Date(nowMs - waitingDays * dayMs)],
        );
        for (const one of old) await setRefused(sql, one, `no answer for ${waitingDays} days`, systemActor, nowMs);
        return old.length;
      }),
  };
}

const requestQuery = `SELECT c.id AS request, c.provider_id AS provider, c.subject_keyid AS "subjectKeyid", c.organisation, c.state,
  c.requested_by AS "requestedBy", c.requested_at AS "requestedAt", c.decided_by AS "decidedBy", c.decided_at AS "decidedAt",
  c.refuse_reason AS "refuseReason", c.serial, p.not_after AS "notAfter", p.pem AS chain
  FROM certificate_requests c LEFT JOIN provider_certificates p ON p.issuer_keyid = c.issuer_keyid AND p.serial = c.serial`;

/** Another provider's request does not exist for a provider. */
async function load(sql: Sql, request: RandomId, actor: Actor): Promise<CertificateRequest> {
  const [row] = await sql.query<CertificateRequest>(`${requestQuery} WHERE c.id = $1`, [request]);
  if (row === undefined || (actor.role === 'provider' && actor.provider !== row.provider))
    throw new TsugiteError('NOT_FOUND', { what: `request ${request}` });
  return row;
}

async function lock(sql: Sql, request: RandomId, actor: Actor): Promise<CertificateRequest> {
  await sql.query('SELECT id FROM certificate_requests WHERE id = $1 FOR UPDATE', [request]);
  return load(sql, request, actor);
}

function verifyWaiting({ state }: CertificateRequest, action: string): void {
  if (state !== 'WAITING') throw new TsugiteError('STATE_FORBIDS', { state, action });
}

async function setRefused(
  sql: Sql,
  { request, provider, subjectKeyid }: CertificateRequest,
  reason: string,
  actor: Actor,
  nowMs: number,
): Promise<void> {
  await sql.query(`UPDATE certificate_requests SET state = 'REFUSED', decided_by = $2, decided_at = $3, refuse_reason = $4 WHERE id = $1`, [
    request,
    actor.name,
    new Date(nowMs),
    reason,
  ]);
  const detail = { request, subjectKeyid, reason };
  await appendAudit(sql, { actor, action: 'certificate.refuse', subject: provider, detail }, nowMs);
}

async function nameOf(sql: Sql, provider: ProviderId): Promise<string | undefined> {
  const [row] = await sql.query<{ name: string }>('SELECT name FROM providers WHERE id = $1', [provider]);
  return row?.name;
}
