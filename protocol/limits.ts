/**
 * Every size cap of the protocol, in bytes unless the name says otherwise. A cap is checked before anything is parsed or allocated:
 * a length is the sender's claim.
 */
export const limits = {
  payloadBytes: 64 * 1024,
  envelopeBytes: 128 * 1024,
  jsonDepth: 16,
  jsonStringBytes: 4 * 1024,
  signaturesPerEnvelope: 16,
  certificatesPerSignature: 3,

  invitationBytes: 256 * 1024,
  reportBytes: 4 * 1024,
  ackBytes: 256,
  presenceBytes: 1024,
  telemetryBytes: 8 * 1024,
  statusBytes: 256 * 1024,

  rootRotationsPerWalk: 256,
  targetsPerNotice: 64,
  removedPerNotice: 64,
  requestsPerNotice: 16,

  /** Stored .tsg file; DOMAIN §3.1: 25M is already refused (E302). */
  storedBytes: 25_000_000,
  /** Sum of the payload's regular files; DOMAIN §3.1: 7.5M is already refused (E303). */
  installedBytes: 7_500_000,
  filesPerPackage: 10_000,
  nameBytes: 255,
  nameParts: 32,
} as const;
