import { createHash, type KeyObject, type X509Certificate } from 'node:crypto';
import { readCertificate } from '../../protocol/chain/certificate.ts';
import { readSignerIdentity } from '../../protocol/chain/signer.ts';
import { encodeEnvelope } from '../../protocol/dsse.ts';
import { TsugiteError } from '../../protocol/errors.ts';
import { limits } from '../../protocol/limits.ts';
import { buildTsg } from '../../protocol/package/tsg.ts';
import { signStatement } from '../../protocol/signing.ts';
import { type Manifest, manifestType } from '../../protocol/statements/manifest.ts';
import { readBuild } from '../adapters/build-folder.ts';
import { wallMs } from '../adapters/clock.ts';
import { replaceFile } from '../adapters/files.ts';
import { readCertificates, readPrivateKey } from '../adapters/keys.ts';
import type { Answer } from '../cli-output.ts';
import { bytesText } from '../rules/texts.ts';

type Options = { key: string; cert: string; out: string; passwordFile?: string };

/** `tsugite sign BUILD`: wraps the manifest in an envelope and puts it before the payload. Same input, same bytes. */
export async function signBuild(folder: string, options: Options): Promise<Answer> {
  const { manifest, payload } = await readBuild(folder);
  const key = readPrivateKey(options.key, options.passwordFile);
  const chain = withoutRoot(readCertificates(options.cert));
  assertMaySign(manifest, key, chain, options);

  const envelope = signStatement(manifestType, manifest, [key]);
  const signatures = envelope.signatures.map((signature) => ({ ...signature, x5c: chain.map(({ raw }) => raw.toString('base64')) }));
  const envelopeBytes = encodeEnvelope({ ...envelope, signatures });
  const tsg = buildTsg(envelopeBytes, payload, 'br');
  if (tsg.length >= limits.storedBytes) throw new TsugiteError('SIZE_OVER_MENU', { limit: limits.storedBytes, actual: tsg.length });
  replaceFile(options.out, tsg);

  const { software, version, provider } = manifest;
  const sha256 = createHash('sha256').update(tsg).digest('hex');
  const manifestSha256 = createHash('sha256').update(envelopeBytes).digest('hex');
  return {
    value: { software, version, provider, out: options.out, storedBytes: tsg.length, sha256, manifestSha256 },
    lines: [`${software} ${version} → ${options.out}`, `  ${bytesText(tsg.length)}`, `  sha256: ${sha256}`],
  };
}

/** A self-signed certificate at the end is the CA that gateways pin: it stays out of the package. */
function withoutRoot(chain: readonly X509Certificate[]): readonly X509Certificate[] {
  const last = chain.at(-1);
  return chain.length > 1 && last?.checkIssued(last) ? chain.slice(0, -1) : chain;
}

/** What every gateway would refuse is refused here, before anything is written. */
function assertMaySign(manifest: Manifest, key: KeyObject, chain: readonly X509Certificate[], { key: keyPath, cert }: Options): void {
  const [leaf] = chain;
  if (key.asymmetricKeyType !== 'rsa')
    throw new TsugiteError('KEY_UNUSABLE', { path: keyPath, at: `${key.asymmetricKeyType}; RSA is needed` });
  if (leaf === undefined || !leaf.checkPrivateKey(key))
    throw new TsugiteError('KEY_UNUSABLE', { path: cert, at: 'its first certificate is not that of the key' });
  chain.slice(1).forEach((issuer, at) => {
    if (!chain[at]?.checkIssued(issuer))
      throw new TsugiteError('KEY_UNUSABLE', { path: cert, at: 'each certificate must be followed by its issuer' });
  });
  const { notBeforeMs, notAfterMs } = readCertificate(leaf.raw);
  if (wallMs() < notBeforeMs || wallMs() > notAfterMs) throw new TsugiteError('SIGNER_EXPIRED', { from: leaf.validFrom, to: leaf.validTo });
  const { provider } = readSignerIdentity(leaf);
  if (provider !== manifest.provider) throw new TsugiteError('SIGNER_NOT_PROVIDER', { expected: manifest.provider, found: provider });
}
