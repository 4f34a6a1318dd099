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
 * used, so a lost answer costs nothing. Once it is kept, it is shown to the server, so that the old one ends now and not at some later connect.
 *
 * @returns whether there is a new one; the next connection uses it
 */
export function makeRenewCertificate({ est, identities, log, validityOf }: Needs): (nowMs: number) => Promise<boolean> {
  return async (nowMs) => {
    const identity = identities.load();
    if (identity === undefined || !isRenewalDue(validityOf(identity.certificatePem), nowMs)) return false;
    const { gateway, https, serverCasPem, privateKeyPem, certificatePem } = identity;
    let renewed: string;
    try {
      renewed = await est.enrol({
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
    await est.show({ https, trust: { serverCasPem, client: { privateKeyPem, certificatePem: renewed } } }).catch((error: unknown) => {
      // Not heard: the old one ends with the next request, or by itself.
      if (!(error instanceof TsugiteError)) throw error;
    });
    return true;
  };
}
