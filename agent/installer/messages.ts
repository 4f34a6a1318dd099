/** The one line into the installer child and the one line out. Both ends parse: neither believes the other. */
import * as z from 'zod/mini';
import { catalogue, type ErrorCode } from '../../protocol/errors.ts';
import {
  between,
  count,
  digest,
  firmware,
  keyId,
  line,
  modelName,
  pem,
  positive,
  providerId,
  softwareId,
  version,
} from '../../protocol/fields.ts';
import { limits } from '../../protocol/limits.ts';
import { manifestSchema } from '../../protocol/statements/manifest.ts';
import { revokedSigner } from '../../protocol/statements/root.ts';

/** The root's CAs and revoked signers are most of it; a root is at most as large. */
export const orderBytes = 2 * limits.payloadBytes;
export const answerBytes = 64 * 1024;

/** Where the child finds the package: opened by the agent, for reading only. */
export const packageDescriptor = 3;

export type InstallOrder = z.infer<typeof installOrder>;
export const installOrder = z.strictObject({
  storedBytes: positive,
  expected: z.strictObject({
    software: softwareId,
    version,
    provider: providerId,
    model: modelName,
    firmware,
    manifestSha256: digest,
    installedBytes: positive,
  }),
  limitInstalledBytes: positive,
  host: z.strictObject({ agent: version, node: line(64), arch: line(16) }),
  trust: z.strictObject({
    providerCas: z.array(pem).check(z.maxLength(8)),
    revokedSigners: z.array(revokedSigner).check(z.maxLength(1000)),
    atMs: count,
  }),
});

/** What a child may give as its reason: faults of packages, sizes and disks. A captured child must not speak for the contract or the law. */
const isInstallFault = (code: string): code is ErrorCode =>
  Object.hasOwn(catalogue, code) && /^E[2359]/.test(catalogue[code as ErrorCode].number);

export type InstallAnswer = z.infer<typeof installAnswer>;
export const installAnswer = z.discriminatedUnion('ok', [
  z.strictObject({
    ok: z.literal(true),
    manifest: manifestSchema,
    signer: z.strictObject({ issuer: keyId, serial: line(40), organisation: line(200), notAfterMs: between(0, Number.MAX_SAFE_INTEGER) }),
  }),
  z.strictObject({
    ok: z.literal(false),
    code: z.custom<ErrorCode>((code) => typeof code === 'string' && isInstallFault(code)),
    detail: z.record(z.string(), z.unknown()),
  }),
]);
