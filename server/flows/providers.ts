/** Providers (事業者) and the certificates that their software is signed under. */
import { TsugiteError } from '../../protocol/errors.ts';
import type { ProviderId } from '../../protocol/fields.ts';
import type { Clock, Db, IssuedSigner, ProviderCa, Sql } from '../ports.ts';
import type { Actor } from './actor.ts';
import { appendAudit } from './audit.ts';
import { type Page, pageOf, rowsFor } from './page.ts';

export type NewProvider = {
  readonly provider: ProviderId;
  readonly name: string;
  readonly contact?: string | undefined;
  /** D-17: a provider whose service needs no application says so, with the reason. */
  readonly consentNotRequired?: string | undefined;
};

export function makeProviders({ db, clock, providerCa }: { db: Db; clock: Clock; providerCa: ProviderCa }) {
  const register = async (wanted: NewProvider, actor: Actor): Promise<{ provider: ProviderId; name: string }> => {
    const nowMs = clock.nowMs();
    const { provider, name, contact = '', consentNotRequired } = wanted;
    await db.tx(async (sql) => {
      const inserted = await sql.query(
        `INSERT INTO providers (id, name, contact, consent, consent_reason, created_at) VALUES ($1, $2, $3, $4, $5, $6)
         ON CONFLICT (id) DO NOTHING RETURNING id`,
        [
          provider,
          name,
          contact,
          consentNotRequired === undefined ? 'required' : 'notRequired',
          consentNotRequired ?? null,
          new Date(nowMs),
        ],
      );
      if (inserted.length === 0) throw new TsugiteError('CONFLICT', { what: `provider ${provider}` });
      await appendAudit(sql, { actor, action: 'provider.register', subject: provider, detail: { name } }, nowMs);
    });
    return { provider, name };
  };

  return {
    register,

    /**
     * Issues a signer certificate from a PKCS#10 request. Its organisation is the maker's name on the gateway's page: the registered name, or for a
     * provider that is not registered yet the name that it is registered under now.
     *
     * @returns the chain as PEM, leaf first, without the pinned CA
     */
    certify: async (provider: ProviderId, csrPem: string, actor: Actor): Promise<{ chain: string; serial: string; notAfter: string }> => {
      const nowMs = clock.nowMs();
      const [row] = await db.query<{ name: string }>('SELECT name FROM providers WHERE id = $1', [provider]);
      const issued = await providerCa.issue(csrPem, { provider, organisation: row?.name, nowMs });
      if (row === undefined) await register({ provider, name: issued.organisation }, actor);
      await db.tx((sql) => saveCertificate(sql, provider, issued, actor, nowMs));
      return { chain: issued.pem, serial: issued.serial, notAfter: new Date(issued.notAfterMs).toISOString() };
    },

    list: async (page: Page) => {
      const rows = await db.query<{ provider: ProviderId }>(
        `SELECT id AS provider, name, contact, consent, consent_reason AS "consentReason", created_at AS "createdAt",
           (SELECT count(*) FROM software s WHERE s.provider_id = p.id) AS software FROM providers p
         WHERE $1::text IS NULL OR id > $1 ORDER BY id LIMIT $2`,
        [page.after ?? null, rowsFor(page)],
      );
      return pageOf(rows, page, 'provider');
    },

    certificates: async (provider: ProviderId, page: Page) => {
      const rows = await db.query<{ serial: string }>(
        `SELECT serial, issuer_keyid AS issuer, organisation, subject_keyid AS "subjectKeyid", not_before AS "notBefore", not_after AS "notAfter",
           revoked_at AS "revokedAt", revoke_reason AS "revokeReason" FROM provider_certificates WHERE provider_id = $1
           AND ($2::text IS NULL OR (issued_at, serial) > (SELECT issued_at, serial FROM provider_certificates WHERE provider_id = $1 AND serial = $2))
         ORDER BY issued_at, serial LIMIT $3`,
        [provider, page.after ?? null, rowsFor(page)],
      );
      return pageOf(rows, page, 'serial');
    },
  };
}

export async function saveCertificate(sql: Sql, provider: ProviderId, issued: IssuedSigner, actor: Actor, nowMs: number): Promise<void> {
  await sql.query(
    `INSERT INTO provider_certificates (issuer_keyid, serial, provider_id, organisation, subject_keyid, not_before, not_after, pem, issued_at)
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)`,
    [
      issued.issuerKeyid,
      issued.serial,
      provider,
      issued.organisation,
      issued.subjectKeyid,
      new Date(issued.notBeforeMs),
      new Date(issued.notAfterMs),
      issued.pem,
      new Date(nowMs),
    ],
  );
  const detail = { serial: issued.serial, organisation: issued.organisation, subjectKeyid: issued.subjectKeyid };
  await appendAudit(sql, { actor, action: 'provider.certify', subject: provider, detail }, nowMs);
}
