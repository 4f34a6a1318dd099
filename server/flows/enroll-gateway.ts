/** `simpleenroll`: an invitation's token and a public key become a first certificate (DESIGN §4, RFC 7030 §4.2). */
import { createHash, timingSafeEqual } from 'node:crypto';
import { type GatewayId, gatewayId, type KeyId } from '../../protocol/fields.ts';
import type { CertificateMaker } from '../ports/gateways.ts';
import type { Clock, Db, Log, Random, Sql } from '../ports.ts';
import { decideEnrolment, type EnrolmentRefusal, type Invitation, serialFrom, validityFrom } from '../rules/enrolment.ts';

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
    const nowMs = clock.nowMs();
    const request = await certificates.readRequest(body);
    const gateway = gatewayId.safeParse(credentials.gateway);
    if (!gateway.success) return decideEnrolment('' as GatewayId, false, undefined, undefined, nowMs) as EnrolmentRefusal;
    const serial = serialFrom(random.bytes(16));
    const validity = validityFrom(nowMs);

    const decision = await db.tx(async (sql) => {
      const row = await newestInvitation(sql, gateway.data);
      const invitation = row && invitationOf(row, credentials.token);
      const decided = decideEnrolment(gateway.data, row?.blocked_at != null, invitation, request, nowMs);
      if (decided.kind === 'refuse' && decided.countsAsTry)
        await sql.query('UPDATE invitations SET wrong_tries = wrong_tries + 1 WHERE id = $1', [row?.id]);
      if (decided.kind === 'issue' && request !== undefined) {
        await sql.query('UPDATE invitations SET subject_keyid = $2 WHERE id = $1', [row?.id, request.keyid]);
        await recordCertificate(sql, { gateway: gateway.data, keyid: request.keyid, serial, ...validity, nowMs });
      }
      return decided;
    });
    if (decision.kind === 'refuse' || request === undefined) {
      const refusal = decision as EnrolmentRefusal;
      log.warn('enrolment.refused', { gateway: gateway.data, status: refusal.status, code: refusal.code, why: refusal.why });
      return refusal;
    }
    const issued = await certificates.issue({ gateway: gateway.data, publicKey: request.publicKey, serial, ...validity });
    log.info('enrolment.issued', { gateway: gateway.data, serial });
    return { kind: 'issued', pkcs7: certificates.certsOnly([issued.der]) };
  };
}

export async function recordCertificate(
  sql: Sql,
  issued: { gateway: GatewayId; keyid: KeyId; serial: string; notBeforeMs: number; notAfterMs: number; nowMs: number },
): Promise<void> {
  await sql.query(
    'INSERT INTO gateway_certificates (serial, gateway_id, subject_keyid, not_before, not_after, issued_at) VALUES ($1, $2, $3, $4, $5, $6)',
    [issued.serial, issued.gateway, issued.keyid, new Date(issued.notBeforeMs), new Date(issued.notAfterMs), new Date(issued.nowMs)],
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
