/** `simpleenroll`: an invitation's token and a public key become a first certificate (DESIGN §4, RFC 7030 §4.2). */
import { createHash, timingSafeEqual } from 'node:crypto';
import { type GatewayId, gatewayId, type KeyId } from '../../protocol/fields.ts';
import type { CertificateMaker } from '../ports/gateways.ts';
import type { Clock, Db, Log, Random, Sql } from '../ports.ts';
import { decideEnrolment, type EnrolmentRefusal, type Invitation, notInvited, serialFrom, validityFrom } from '../rules/enrolment.ts';

export type Issued = { readonly kind: 'issued'; readonly pkcs7: string };
export type EnrollGateway = (credentials: { gateway: string; token: string }, body: Uint8Array) => Promise<Issued | EnrolmentRefusal>;

type Row = {
  id: string;
  token_sha256: string;
  expires_at: Date;
  subject_keyid: KeyId | null;
  wrong_tries: number;
  spent_at: Date | null;
  voided_at: Date | null;
  blocked_at: Date | null;
};

export function makeEnrollGateway(doors: {
  db: Db;
  clock: Clock;
  random: Random;
  certificates: CertificateMaker;
  log: Log;
}): EnrollGateway {
  const { db, clock, random, certificates, log } = doors;
  return async (credentials, body) => {
    const gateway = gatewayId.safeParse(credentials.gateway).data;
    if (gateway === undefined) return refused(log, credentials.gateway.slice(0, 80), notInvited);
    const nowMs = clock.nowMs();
    const request = await certificates.readRequest(body);
    const serial = serialFrom(random.bytes(16));
    const validity = validityFrom(nowMs);

    const decision = await db.tx(async (sql) => {
      const row = await newestInvitation(sql, gateway);
      const decided = decideEnrolment(gateway, row?.blocked_at != null, row && invitationOf(row, credentials.token), request, nowMs);
      if (decided.kind === 'issue') {
        await sql.query('UPDATE invitations SET subject_keyid = $2 WHERE id = $1', [row?.id, decided.request.keyid]);
        await recordCertificate(sql, { gateway, keyid: decided.request.keyid, serial, ...validity, nowMs });
      } else if (decided.countsAsTry) await sql.query('UPDATE invitations SET wrong_tries = wrong_tries + 1 WHERE id = $1', [row?.id]);
      return decided;
    });
    if (decision.kind === 'refuse') return refused(log, gateway, decision);
    const issued = await certificates.issue({ gateway, publicKey: decision.request.publicKey, serial, ...validity });
    log.info('enrolment.issued', { gateway, serial });
    return { kind: 'issued', pkcs7: certificates.certsOnly([issued.der]) };
  };
}

function refused(log: Log, gateway: string, refusal: EnrolmentRefusal): EnrolmentRefusal {
  log.warn('enrolment.refused', { gateway, status: refusal.status, code: refusal.code, why: refusal.why });
  return refusal;
}

/** Answers that were lost leave certificates that nobody holds; a gateway that asks without end must not fill the table with them. */
const unusedKept = 8;

export async function recordCertificate(
  sql: Sql,
  issued: { gateway: GatewayId; keyid: KeyId; serial: string; notBeforeMs: number; notAfterMs: number; nowMs: number },
): Promise<void> {
  await sql.query(
    'INSERT INTO gateway_certificates (serial, gateway_id, subject_keyid, not_before, not_after, issued_at) VALUES ($1, $2, $3, $4, $5, $6)',
    [issued.serial, issued.gateway, issued.keyid, new Date(issued.notBeforeMs), new Date(issued.notAfterMs), new Date(issued.nowMs)],
  );
  await sql.query(
    `DELETE FROM gateway_certificates WHERE serial IN (
       SELECT serial FROM gateway_certificates WHERE gateway_id = $1 AND first_used_at IS NULL ORDER BY issued_at DESC, serial OFFSET $2)`,
    [issued.gateway, unusedKept],
  );
}

async function newestInvitation(sql: Sql, gateway: GatewayId): Promise<Row | undefined> {
  const [row] = await sql.query<Row>(
    `SELECT i.id, i.token_sha256, i.expires_at, i.subject_keyid, i.wrong_tries, i.spent_at, i.voided_at, g.blocked_at
     FROM invitations i JOIN gateways g ON g.id = i.gateway_id
     WHERE i.gateway_id = $1 ORDER BY i.created_at DESC LIMIT 1 FOR UPDATE OF i`,
    [gateway],
  );
  return row;
}

function invitationOf(row: Row, token: string): Invitation {
  const given = createHash('sha256').update(token, 'utf8').digest();
  return {
    tokenMatches: timingSafeEqual(given, Buffer.from(row.token_sha256, 'hex')),
    expiresAtMs: row.expires_at.getTime(),
    boundKey: row.subject_keyid,
    wrongTries: row.wrong_tries,
    isSpent: row.spent_at !== null,
    isVoid: row.voided_at !== null,
  };
}
