/** Each TLS connection of a gateway passes here: may this certificate be used, and what does its first use change (DESIGN §4)? */
import type { GatewayId } from '../../protocol/fields.ts';
import type { GatewayLink } from '../ports/gateways.ts';
import type { Clock, Db, Log, Sql } from '../ports.ts';
import { type BirthUse, type Candidate, decideBirthUse, decideUse, type Standing, type UseDecision } from '../rules/certificate-use.ts';

export type UseCertificate = (who: { gateway: GatewayId; serial: string }, purpose: 'connect' | 'renew') => Promise<UseDecision>;

type Row = {
  not_before: Date;
  not_after: Date;
  issued_at: Date;
  first_used_at: Date | null;
  cut_off_at: Date | null;
  blocked_at: Date | null;
};

export function makeUseCertificate({ db, clock, link, log }: { db: Db; clock: Clock; link: GatewayLink; log: Log }): UseCertificate {
  return async (who, purpose) => {
    const nowMs = clock.nowMs();
    const seen = decideUse(await standingOf(db, who), purpose, nowMs);
    if (seen.kind === 'refuse' || !seen.isFirstUse) return seen;
    const { decision, others } = await db.tx(async (sql) => {
      await sql.query('SELECT 1 FROM gateways WHERE id = $1 FOR UPDATE', [who.gateway]);
      const locked = decideUse(await standingOf(sql, who), purpose, nowMs);
      return { decision: locked, others: locked.kind === 'allow' && locked.isFirstUse ? await recordFirstUse(sql, who, nowMs) : 0 };
    });
    if (others > 0) {
      link.cutOff(who.gateway);
      log.info('certificate.older_cut_off', { gateway: who.gateway, serial: who.serial, others });
    }
    return decision;
  };
}

/** What a birth through an outside broker says about certificates. @see decideBirthUse */
export type UseByBirth = (gateway: GatewayId) => Promise<BirthUse>;

export function makeUseByBirth({ db, clock }: { db: Db; clock: Clock }): UseByBirth {
  return async (gateway) => {
    const nowMs = clock.nowMs();
    const seen = decideBirthUse(await candidatesOf(db, gateway, nowMs));
    if (seen.kind !== 'first-use') return seen;
    return db.tx(async (sql) => {
      await sql.query('SELECT 1 FROM gateways WHERE id = $1 FOR UPDATE', [gateway]);
      const locked = decideBirthUse(await candidatesOf(sql, gateway, nowMs));
      if (locked.kind === 'first-use') await recordFirstUse(sql, { gateway, serial: locked.serial }, nowMs);
      return locked;
    });
  };
}

function candidatesOf(sql: Sql, gateway: GatewayId, nowMs: number): Promise<Candidate[]> {
  return sql.query<Candidate>(
    `SELECT serial, subject_keyid AS keyid, first_used_at IS NOT NULL AS "isUsedBefore" FROM gateway_certificates
     WHERE gateway_id = $1 AND cut_off_at IS NULL AND not_before <= $2 AND not_after >= $2 ORDER BY issued_at, serial`,
    [gateway, new Date(nowMs)],
  );
}

async function standingOf(sql: Sql, { gateway, serial }: { gateway: GatewayId; serial: string }): Promise<Standing | undefined> {
  const [row] = await sql.query<Row>(
    `SELECT c.not_before, c.not_after, c.issued_at, c.first_used_at, c.cut_off_at, g.blocked_at
     FROM gateway_certificates c JOIN gateways g ON g.id = c.gateway_id WHERE c.serial = $1 AND c.gateway_id = $2`,
    [serial, gateway],
  );
  return (
    row && {
      isBlocked: row.blocked_at !== null,
      isCutOff: row.cut_off_at !== null,
      notBeforeMs: row.not_before.getTime(),
      notAfterMs: row.not_after.getTime(),
      isUsedBefore: row.first_used_at !== null,
    }
  );
}

/** The token is spent, and every older certificate of this gateway ends here. @returns how many of those were in use */
async function recordFirstUse(sql: Sql, { gateway, serial }: { gateway: GatewayId; serial: string }, nowMs: number): Promise<number> {
  const now = new Date(nowMs);
  const [used] = await sql.query<{ subject_keyid: string; issued_at: Date }>(
    'UPDATE gateway_certificates SET first_used_at = $2 WHERE serial = $1 RETURNING subject_keyid, issued_at',
    [serial, now],
  );
  await sql.query('UPDATE invitations SET spent_at = $3 WHERE gateway_id = $1 AND subject_keyid = $2 AND spent_at IS NULL', [
    gateway,
    used?.subject_keyid,
    now,
  ]);
  const cutOff = await sql.query<{ first_used_at: Date | null }>(
    `UPDATE gateway_certificates SET cut_off_at = $3
     WHERE gateway_id = $1 AND serial <> $2 AND issued_at < $4 AND cut_off_at IS NULL RETURNING first_used_at`,
    [gateway, serial, now, used?.issued_at],
  );
  return cutOff.filter((row) => row.first_used_at !== null).length;
}
