/** Bearer tokens of people and programs. Only the hash is kept: 130 random bits need no salt and no slow hash. */
import { createHash } from 'node:crypto';
import { TsugiteError } from '../../protocol/errors.ts';
import type { ProviderId, RandomId } from '../../protocol/fields.ts';
import type { Clock, Db, Random } from '../ports.ts';
import { type Actor, type Role, systemActor } from './actor.ts';
import { appendAudit } from './audit.ts';
import { type Page, pageOf, rowsFor } from './page.ts';

export type TokenRequest = {
  readonly role: Role;
  readonly provider?: ProviderId | undefined;
  readonly label: string;
  readonly days?: number | undefined;
};
const dayMs = 86_400_000;
const prefix = 'tsugite_';

export function makeTokens({ db, clock, random }: { db: Db; clock: Clock; random: Random }) {
  return {
    /** @returns the token itself, for the only time */
    create: async (request: TokenRequest, by: Actor = systemActor): Promise<{ id: RandomId; token: string; expires: Date | null }> => {
      const nowMs = clock.nowMs();
      const id = random.id();
      const token = `${prefix}${random.id()}`;
      const expires = request.days === undefined ? null : new Date(nowMs + request.days * dayMs);
      await db.tx(async (sql) => {
        if (request.provider !== undefined) await verifyProviderExists(sql, request.provider);
        await sql.query(
          `INSERT INTO api_tokens (id, sha256, role, provider_id, label, created_at, expires_at, created_by) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)`,
          [id, hashOf(token), request.role, request.provider ?? null, request.label, new Date(nowMs), expires, by.token ?? null],
        );
        await appendAudit(
          sql,
          {
            actor: by,
            action: 'token.create',
            subject: id,
            detail: { role: request.role, provider: request.provider ?? null, label: request.label },
          },
          nowMs,
        );
      });
      return { id, token, expires };
    },

    /** @throws TsugiteError API_UNAUTHENTICATED, the same for unknown, revoked and expired */
    recognise: async (token: string | undefined): Promise<Actor> => {
      if (token === undefined || !token.startsWith(prefix) || token.length > 100) throw new TsugiteError('API_UNAUTHENTICATED');
      const [row] = await db.query<{ id: RandomId; label: string; role: Role; provider_id: ProviderId | null }>(
        `SELECT id, label, role, provider_id FROM api_tokens
         WHERE sha256 = $1 AND revoked_at IS NULL AND (expires_at IS NULL OR expires_at > $2)`,
        [hashOf(token), new Date(clock.nowMs())],
      );
      if (row === undefined) throw new TsugiteError('API_UNAUTHENTICATED');
      return { name: row.label, role: row.role, token: row.id, ...(row.provider_id === null ? {} : { provider: row.provider_id }) };
    },

    revoke: async (id: RandomId, by: Actor): Promise<void> => {
      const nowMs = clock.nowMs();
      await db.tx(async (sql) => {
        const rows = await sql.query('UPDATE api_tokens SET revoked_at = coalesce(revoked_at, $2) WHERE id = $1 RETURNING id', [
          id,
          new Date(nowMs),
        ]);
        if (rows.length === 0) throw new TsugiteError('NOT_FOUND', { what: 'token' });
        await appendAudit(sql, { actor: by, action: 'token.revoke', subject: id }, nowMs);
      });
    },

    list: async (page: Page) => {
      const rows = await db.query<{ id: RandomId }>(
        `SELECT id, role, provider_id AS provider, label, created_at AS "createdAt", expires_at AS expires, revoked_at AS "revokedAt",
           created_by AS "createdBy"
         FROM api_tokens WHERE $1::text IS NULL OR (created_at, id) > (SELECT created_at, id FROM api_tokens WHERE id = $1)
         ORDER BY created_at, id LIMIT $2`,
        [page.after ?? null, rowsFor(page)],
      );
      return pageOf(rows, page, 'id');
    },
  };
}

async function verifyProviderExists(sql: Pick<Db, 'query'>, provider: ProviderId): Promise<void> {
  const rows = await sql.query('SELECT 1 FROM providers WHERE id = $1', [provider]);
  if (rows.length === 0) throw new TsugiteError('NOT_FOUND', { what: `provider ${provider}` });
}

function hashOf(token: string): string {
  return createHash('sha256').update(token).digest('hex');
}
