import { TsugiteError } from '../../protocol/errors.ts';
import type { EstClient, IdentityStore } from '../ports/enrolment.ts';
import type { EventLog } from '../ports.ts';
import { isRenewalDue } from '../rules/certificate.ts';

type Needs = {
  est: EstClient;
  identities: IdentityStore;
  log: EventLog;
  /** When a certificate (PEM) begins and ends. */
  validityOf: (certificatePem: string) => { notBeforeMs: number; notAfterMs: number };
};

/**
 * Asks for a new certificate, for the same key, when two thirds of the present one's life are over. The old one stays good until the new one is
 * used, so a lost answer costs nothing.
 *
 * @returns whether there is a new one; the next connection uses it
 */
export function makeRenewCertificate({ est, identities, log, validityOf }: Needs): (nowMs: number) => Promise<boolean> {
  return async (nowMs) => {
    const identity = identities.load();
    if (identity === undefined || !isRenewalDue(validityOf(identity.certificatePem), nowMs)) return false;
    const { gateway, https, serverCasPem, privateKeyPem, certificatePem } = identity;
    try {
      const renewed = await est.enrol({
        gateway,
        https,
        trust: { serverCasPem, client: { privateKeyPem, certificatePem } },
        privateKeyPem,
      });
      identities.save({ ...identity, certificatePem: renewed });
    } catch (error) {
      if (!(error instanceof TsugiteError)) throw error;
      log.write({ event: 'certificate.renewal_failed', code: error.code, detail: error.detail });
      return false;
    }
    log.write({ event: 'certificate.renewed', detail: { gateway } });
    return true;
  };
}
