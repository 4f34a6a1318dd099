/**
 * A request that comes with an `Idempotency-Key` is carried out once, however often it is sent. Its answer is kept for a day, written in the transaction
 * that did the work: after a power cut either both are there or neither, so sending it again is safe at any moment.
 */
import { createHash } from 'node:crypto';
import { TsugiteError } from '../../protocol/errors.ts';
import type { RandomId } from '../../protocol/fields.ts';
import type { Clock, Db, Sql } from '../ports.ts';

export const keyKeptMs = 86_400_000;
const answerCharacters = 4_194_304;
const sweptAtOnce = 100;

export type KeyedRequest = {
  readonly token: RandomId;
  readonly key: string;
  /** What makes it this request and no other: route, path, query, body as the caller wrote them. */
  readonly request: unknown;
};
export type OncePerKey = ReturnType<typeof makeOncePerKey>;

export function makeOncePerKey({ db, clock }: { db: Db; clock: Clock }) {
  /**
   * @param work  only SQL, one statement after the other. A refusal (`isRefusal`) keeps what it has done, and is decided anew next time.
   * @returns the answer as JSON text
   * @throws TsugiteError REQUEST_KEY_REUSED · REQUEST_RUNNING · whatever `work` throws
   */
  return async (
    { token, key, request }: KeyedRequest,
    work: () => Promise<unknown>,
    isRefusal: (error: unknown) => boolean,
  ): Promise<{ readonly json: string; readonly isReplay: boolean }> => {
    const sha256 = createHash('sha256').update(JSON.stringify(request)).digest('hex');
    const outcome = await db.together(async (sql) => {
      const now = new Date(clock.nowMs());
      const before = await claim(sql, token, key, now);
      if (before !== undefined) {
        if (before.sha256 !== sha256) throw new TsugiteError('REQUEST_KEY_REUSED');
        return { json: before.answer, isReplay: true };
      }
      try {
        const json = JSON.stringify(await work());
        await keep(sql, { token, key, sha256, json, now });
        return { json, isReplay: false };
      } catch (refusal) {
        if (!isRefusal(refusal)) throw refusal;
        return { refusal };
      }
    });
    if ('refusal' in outcome) throw outcome.refusal;
    return outcome;
  };
}

/** @returns what was answered before; the key is this transaction's otherwise */
async function claim(sql: Sql, token: RandomId, key: string, now: Date): Promise<{ sha256: string; answer: string } | undefined> {
  // Not waited for: a twin that hangs would take one connection after the other.
  const [lock] = await sql.query<{ isOurs: boolean }>('SELECT pg_try_advisory_xact_lock(hashtextextended($1, 3)) AS "isOurs"', [
    `${token} ${key}`,
  ]);
  if (lock?.isOurs !== true) throw new TsugiteError('REQUEST_RUNNING', { retryAfterS: 1 });
  const [row] = await sql.query<{ sha256: string; answer: string }>(
    'SELECT request_sha256 AS sha256, answer FROM request_keys WHERE token_id = $1 AND key = $2 AND expires_at > $3',
    [token, key, now],
  );
  return row;
}

async function keep(
  sql: Sql,
  { token, key, sha256, json, now }: { token: RandomId; key: string; sha256: string; json: string; now: Date },
): Promise<void> {
  await sql.query('DELETE FROM request_keys WHERE token_id = $1 AND key = $2', [token, key]); // an expired one
  await sql.query(
    'DELETE FROM request_keys WHERE ctid IN (SELECT ctid FROM request_keys WHERE expires_at <= $1 LIMIT $2 FOR UPDATE SKIP LOCKED)',
    [now, sweptAtOnce],
  );
  if (json.length > answerCharacters) return; // done again rather than half remembered
  await sql.query(
    'INSERT INTO request_keys (token_id, key, request_sha256, answer, created_at, expires_at) VALUES ($1, $2, $3, $4, $5, $6)',
    [token, key, sha256, json, now, new Date(now.getTime() + keyKeptMs)],
  );
}
