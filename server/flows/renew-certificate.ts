/** `simplereenroll`: the current certificate, even one that ended up to three years ago, asks for its successor (DESIGN §4, RFC 7030 §4.2.2). */
import type { GatewayId } from '../../protocol/fields.ts';
import type { CertificateMaker } from '../ports/gateways.ts';
import type { Clock, Db, Log, Random } from '../ports.ts';
import { type EnrolmentRefusal, serialFrom, validityFrom } from '../rules/enrolment.ts';
import { type Issued, recordCertificate } from './enroll-gateway.ts';

export type RenewCertificate = (who: { gateway: GatewayId; serial: string }, body: Uint8Array) => Promise<Issued | EnrolmentRefusal>;

/** The caller's certificate was found good for a renewal before this is called. */
export function makeRenewCertificate(doors: {
  db: Db;
  clock: Clock;
  random: Random;
  certificates: CertificateMaker;
  log: Log;
}): RenewCertificate {
  const { db, clock, random, certificates, log } = doors;
  return async ({ gateway, serial: current }, body) => {
    const nowMs = clock.nowMs();
    const request = await certificates.readRequest(body);
    if (request === undefined || request.commonName !== gateway) {
      const why = request === undefined ? 'malformed request' : 'other common name';
      log.warn('renewal.refused', { gateway, serial: current, why });
      return { kind: 'refuse', status: 400, code: 'ENROLL_REQUEST_REFUSED', why, countsAsTry: false };
    }
    const serial = serialFrom(random.bytes(16));
    const validity = validityFrom(nowMs);
    await db.tx((sql) => recordCertificate(sql, { gateway, keyid: request.keyid, serial, ...validity, nowMs }));
    const issued = await certificates.issue({ gateway, publicKey: request.publicKey, serial, ...validity });
    log.info('renewal.issued', { gateway, serial });
    return { kind: 'issued', pkcs7: certificates.certsOnly([issued.der]) };
  };
}
