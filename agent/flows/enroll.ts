import { encodeEnvelope } from '../../protocol/dsse.ts';
import { TsugiteError } from '../../protocol/errors.ts';
import type { GatewayId } from '../../protocol/fields.ts';
import { type Invitation, parseInvitation } from '../../protocol/messages/invitation.ts';
import type { TrustStore } from '../ports/disk.ts';
import type { EstClient, IdentityStore } from '../ports/enrolment.ts';
import type { EventLog } from '../ports.ts';
import { isKeyKept } from '../rules/certificate.ts';
import { verifyFirstRoot } from '../rules/root.ts';

type Needs = {
  est: EstClient;
  identities: IdentityStore;
  trust: Pick<TrustStore, 'loadRoots' | 'pinAnew'>;
  household: { erase(): Promise<void> };
  log: EventLog;
};

export type Enrolled = { gateway: GatewayId; https: string; mqtt: string; rootVersion: number };

/**
 * Makes this data folder the gateway of an invitation: asks for a certificate, pins the root. May be done again, with the same invitation after
 * an answer was lost, or with a new one for the same gateway. Under another identity everything of the one before is erased first.
 *
 * @throws TsugiteError MESSAGE_MALFORMED (invitation) · a fault of its root · the refusals and network faults of EST; then
 *         nothing was changed, but that a key which the server may know is kept for the next try
 */
export function makeEnroll({ est, identities, trust, household, log }: Needs): (invitation: Buffer) => Promise<Enrolled> {
  /**
   * Another household must never meet what this one left. Nothing is touched before the server has said yes, so that a wrong invitation costs
   * nothing; after a power cut in between the gateway is nobody, and wants a new invitation.
   */
  async function becomeAnother({ gateway, https, mqtt, serverCas, token, root }: Invitation, rootVersion: number): Promise<void> {
    const privateKeyPem = est.makeKey();
    const certificatePem = await est.enrol({ gateway, https, token, trust: { serverCasPem: serverCas }, privateKeyPem });
    await household.erase();
    identities.saveKey(privateKeyPem);
    trust.pinAnew(rootVersion, encodeEnvelope(root));
    identities.save({ gateway, https, mqtt, serverCasPem: serverCas, privateKeyPem, certificatePem });
  }

  return async (bytes) => {
    const invitation = parseInvitation(bytes);
    const { gateway, https, mqtt, serverCas, token } = invitation;
    const root = verifyFirstRoot(invitation.root);
    const before = identities.load();
    if (before !== undefined && before.gateway !== gateway) {
      await becomeAnother(invitation, root.version);
      log.write({ event: 'agent.identity_changed', detail: { from: before.gateway } });
      return { gateway, https, mqtt, rootVersion: root.version };
    }

    const keptKeyPem = identities.loadKey();
    const privateKeyPem = keptKeyPem ?? makeKey({ est, identities });
    try {
      const certificatePem = await est.enrol({ gateway, https, token, trust: { serverCasPem: serverCas }, privateKeyPem });
      pinRoot(trust, invitation, root.version);
      identities.save({ gateway, https, mqtt, serverCasPem: serverCas, privateKeyPem, certificatePem });
    } catch (error) {
      const isKept = !(error instanceof TsugiteError) || isKeyKept(error.code, error.detail.kind, keptKeyPem === undefined);
      if (before === undefined && !isKept) identities.dropKey();
      throw error;
    }
    log.write({ event: 'gateway.enrolled', detail: { gateway, https, rootVersion: root.version } });
    return { gateway, https, mqtt, rootVersion: root.version };
  };
}

/** Durable before it is used: after a power cut the same key asks again. */
function makeKey({ est, identities }: Pick<Needs, 'est' | 'identities'>): string {
  const privateKeyPem = est.makeKey();
  identities.saveKey(privateKeyPem);
  return privateKeyPem;
}

/** A gateway that already follows this root keeps what it learned since; under any other root it begins anew. */
function pinRoot(trust: Needs['trust'], { root }: Invitation, version: number): void {
  const envelope = encodeEnvelope(root);
  const isKnown = trust.loadRoots().get(version)?.equals(envelope) === true;
  if (!isKnown) trust.pinAnew(version, envelope);
}
