/** The list of gateway certificates that an outside broker must not let in: blocked gateways, and what a newer certificate has cut off. */
import type { CrlMaker } from '../ports/gateways.ts';
import type { Clock, Db, Sql } from '../ports.ts';
import { crlTimeMs, isNewCrlDue, type LastCrl, type Revoked } from '../rules/device-crl.ts';

export type DeviceCrl = { readonly number: number; readonly madeAt: Date; readonly revoked: number; readonly pem: string };
type Row = { number: number; serials: string[]; pem: string; made_at: Date };

/** @returns asks for the newest list, which is made now when it is due; until then the same bytes */
export function makeDeviceCrl({ db, clock, crls }: { db: Db; clock: Clock; crls: CrlMaker }): () => Promise<DeviceCrl> {
  return async () => {
    const nowMs = clock.nowMs();
    return db.tx(async (sql) => {
      // Two who ask at once must not sign two lists with one number.
      await sql.query('LOCK TABLE device_crl IN EXCLUSIVE MODE');
      const [row] = await sql.query<Row>('SELECT number, serials, pem, made_at FROM device_crl');
      const last: LastCrl = row && { serials: row.serials, madeAtMs: row.made_at.getTime() };
      const revoked = await revokedNow(sql, nowMs);
      if (row !== undefined && !isNewCrlDue(last, { revoked, inForce: await goodAgain(sql, row.serials, nowMs) }, nowMs)) return shown(row);
      const number = (row?.number ?? 0) + 1;
      const thisUpdateMs = crlTimeMs(last, nowMs);
      const pem = await crls.make({ number, thisUpdateMs, revoked });
      const next: Row = { number, serials: revoked.map(({ serial }) => serial), pem, made_at: new Date(thisUpdateMs) };
      await sql.query(
        `INSERT INTO device_crl (number, serials, pem, made_at) VALUES ($1, $2, $3, $4)
         ON CONFLICT (only_one) DO UPDATE SET number = $1, serials = $2, pem = $3, made_at = $4`,
        [next.number, next.serials, next.pem, next.made_at],
      );
      return shown(next);
    });
  };
}

function shown({ number, serials, pem, made_at }: Row): DeviceCrl {
  return { number, madeAt: made_at, revoked: serials.length, pem };
}

async function revokedNow(sql: Sql, nowMs: number): Promise<Revoked[]> {
  const rows = await sql.query<{ serial: string; since: Date; is_urgent: boolean }>(
    `SELECT c.serial, coalesce(c.cut_off_at, g.blocked_at) AS since, g.blocked_at IS NOT NULL OR c.subject_keyid IS DISTINCT FROM (
         SELECT n.subject_keyid FROM gateway_certificates n WHERE n.gateway_id = c.gateway_id AND n.first_used_at IS NOT NULL
         ORDER BY n.issued_at DESC LIMIT 1) AS is_urgent
     FROM gateway_certificates c JOIN gateways g ON g.id = c.gateway_id
     WHERE c.not_after >= $1 AND (c.cut_off_at IS NOT NULL OR g.blocked_at IS NOT NULL) ORDER BY c.serial`,
    [new Date(nowMs)],
  );
  return rows.map(({ serial, since, is_urgent }) => ({ serial, sinceMs: since.getTime(), isUrgent: is_urgent }));
}

async function goodAgain(sql: Sql, listed: readonly string[], nowMs: number): Promise<string[]> {
  const rows = await sql.query<{ serial: string }>(
    `SELECT c.serial FROM gateway_certificates c JOIN gateways g ON g.id = c.gateway_id
     WHERE c.serial = ANY($1) AND c.not_after >= $2 AND c.cut_off_at IS NULL AND g.blocked_at IS NULL`,
    [listed, new Date(nowMs)],
  );
  return rows.map(({ serial }) => serial);
}
