/** Bearer tokens of people and programs. Only the hash is kept: 130 random bits need no salt and no slow hash. */
import { createHash } from 'node:crypto';
import { TsugiteError } from '../../protocol/errors.ts';
import type { ProviderId, RandomId } from '../../protocol/fields.ts';
import type { Clock, Db, Random, Sql } from '../ports.ts';
import { isUseWorthWriting, replacedEndsMs, tokenEndsMs } from '../rules/token-life.ts';
import { type Actor, type Role, systemActor } from './actor.ts';
import { appendAudit } from './audit.ts';
import { type Page, pageOf, rowsFor } from './page.ts';

export type TokenRequest = {
  readonly role: Role;
  readonly provider?: ProviderId | undefined;
  readonly label: string;
  /** Left out: `tokenDays.unlessSaid` */
  readonly days?: number | undefined;
};
export type IssuedToken = { readonly id: RandomId; readonly token: string; readonly expires: Date };
const prefix = 'tsugite_';

export function makeTokens({ db, clock, random }: { db: Db; clock: Clock; random: Random }) {
  const insert = async (
    sql: Sql,
    { role, provider, label, days }: TokenRequest,
    { issuer, replaces = null, nowMs }: { issuer: RandomId | null; replaces?: RandomId | null; nowMs: number },
  ): Promise<IssuedToken> => {
    const issued = { id: random.id(), token: `${prefix}${random.id()}`, expires: new Date(tokenEndsMs(nowMs, days)) };
    await sql.query(
      `INSERT INTO api_tokens (id, sha256, role, provider_id, label, created_at, expires_at, created_by, replaces)
       VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)`,
      [issued.id, hashOf(issued.token), role, provider ?? null, label, new Date(nowMs), issued.expires, issuer, replaces],
    );
    return issued;
  };

  return {
    /** @returns the token itself, for the only time */
    create: (request: TokenRequest, by: Actor = systemActor): Promise<IssuedToken> =>
      db.tx(async (sql) => {
        const nowMs = clock.nowMs();
        if (request.provider !== undefined) await verifyProviderExists(sql, request.provider);
        const issued = await insert(sql, request, { issuer: by.token ?? null, nowMs });
        const detail = {
          role: request.role,
          provider: request.provider ?? null,
          label: request.label,
          expires: issued.expires.toISOString(),
        };
        await appendAudit(sql, { actor: by, action: 'token.create', subject: issued.id, detail }, nowMs);
        return issued;
      }),

    /**
     * Gives the caller a new token in place of its own, which is good for a few minutes more. Asked again (the answer was lost), the one that nobody
     * has used is void. The new one counts as issued by the old one, so it is no second person either.
     */
    replaceOwn: (
      { days, overlapMinutes }: { days?: number | undefined; overlapMinutes?: number | undefined },
      actor: Actor,
    ): Promise<IssuedToken & { readonly oldExpires: Date }> =>
      db.tx(async (sql) => {
        const nowMs = clock.nowMs();
        const now = new Date(nowMs);
        const [own] = await sql.query<{ id: RandomId; expires: Date }>(
          'SELECT id, expires_at AS expires FROM api_tokens WHERE id = $1 FOR UPDATE',
          [actor.token],
        );
        if (own === undefined) throw new TsugiteError('API_FORBIDDEN', { role: 'system' });
        await sql.query('UPDATE api_tokens SET revoked_at = $2 WHERE replaces = $1 AND revoked_at IS NULL AND last_used_at IS NULL', [
          own.id,
          now,
        ]);
        const request = { role: actor.role, provider: actor.provider, label: actor.name, days };
        const issued = await insert(sql, request, { issuer: own.id, replaces: own.id, nowMs });
        const oldExpires = new Date(replacedEndsMs(nowMs, own.expires.getTime(), overlapMinutes));
        await sql.query('UPDATE api_tokens SET expires_at = $2 WHERE id = $1', [own.id, oldExpires]);
        await appendAudit(
          sql,
          { actor, action: 'token.replace', subject: own.id, detail: { by: issued.id, oldExpires: oldExpires.toISOString() } },
          nowMs,
        );
        return { ...issued, oldExpires };
      }),

    /** @throws TsugiteError API_UNAUTHENTICATED, the same for unknown, revoked and expired */
    recognise: async (token: string | undefined): Promise<Actor> => {
      if (token === undefined || !token.startsWith(prefix) || token.length > 100) throw new TsugiteError('API_UNAUTHENTICATED');
      const now = new Date(clock.nowMs());
      const [row] = await db.query<{ id: RandomId; label: string; role: Role; provider: ProviderId | null; lastUsed: Date | null }>(
        `SELECT id, label, role, provider_id AS provider, last_used_at AS "lastUsed" FROM api_tokens
         WHERE sha256 = $1 AND revoked_at IS NULL AND expires_at > $2`,
        [hashOf(token), now],
      );
      if (row === undefined) throw new TsugiteError('API_UNAUTHENTICATED');
      if (isUseWorthWriting(row.lastUsed?.getTime(), now.getTime()))
        await db.query('UPDATE api_tokens SET last_used_at = $2 WHERE id = $1', [row.id, now]);
      return { name: row.label, role: row.role, token: row.id, ...(row.provider === null ? {} : { provider: row.provider }) };
    },

    /** The caller's own. */
    own: async ({ name, role, provider, token }: Actor) => {
      const [row] = await db.query<{ expires: Date }>('SELECT expires_at AS expires FROM api_tokens WHERE id = $1', [token]);
      return { name, role, provider: provider ?? null, token, expires: row?.expires };
    },

    /** Also whatever was taken in its place: a thief would have done that first. */
    revoke: (id: RandomId, by: Actor): Promise<void> =>
      db.tx(async (sql) => {
        const nowMs = clock.nowMs();
        const rows = await sql.query<{ id: RandomId }>(
          `WITH RECURSIVE line AS (SELECT id FROM api_tokens WHERE id = $1 UNION SELECT t.id FROM api_tokens t JOIN line ON t.replaces = line.id)
           UPDATE api_tokens SET revoked_at = coalesce(revoked_at, $2) WHERE id IN (SELECT id FROM line) RETURNING id`,
          [id, new Date(nowMs)],
        );
        if (rows.length === 0) throw new TsugiteError('NOT_FOUND', { what: 'token' });
        const replacements = rows.map((row) => row.id).filter((one) => one !== id);
        await appendAudit(sql, { actor: by, action: 'token.revoke', subject: id, detail: { replacements: replacements.sort() } }, nowMs);
      }),

    list: async (page: Page) => {
      const rows = await db.query<{ id: RandomId }>(
        `${tokenQuery} WHERE $1::text IS NULL OR (created_at, id) > (SELECT created_at, id FROM api_tokens WHERE id = $1)
         ORDER BY created_at, id LIMIT $2`,
        [page.after ?? null, rowsFor(page)],
      );
      return pageOf(rows, page, 'id');
    },
  };
}

const tokenQuery = `SELECT id, role, provider_id AS provider, label, created_at AS "createdAt", expires_at AS expires, revoked_at AS "revokedAt",
  last_used_at AS "lastUsedAt", created_by AS "createdBy", replaces FROM api_tokens`;

async function verifyProviderExists(sql: Sql, provider: ProviderId): Promise<void> {
  const rows = await sql.query('SELECT 1 FROM providers WHERE id = $1', [provider]);
  if (rows.length === 0) throw new TsugiteError('NOT_FOUND', { what: `provider ${provider}` });
}

/** What is kept of a token. */
export function hashOf(token: string): string {
  return createHash('sha256').update(token).digest('hex');
}
