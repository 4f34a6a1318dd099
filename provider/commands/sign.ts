import { createHash, type KeyObject, sign, type X509Certificate } from 'node:crypto';
import { readCertificate } from '../../protocol/chain/certificate.ts';
import { readSignerIdentity } from '../../protocol/chain/signer.ts';
import type { Answer } from '../../protocol/command-output.ts';
import { encodeEnvelope, keyidOf, pae, parseEnvelope, payloadOf } from '../../protocol/dsse.ts';
import { TsugiteError } from '../../protocol/errors.ts';
import { limits } from '../../protocol/limits.ts';
import { noSink, readPayload } from '../../protocol/package/payload-reader.ts';
import { buildTsg, type Encoding, readEnvelopeBytes, splitTsg } from '../../protocol/package/tsg.ts';
import { type Manifest, manifestType, parseManifest } from '../../protocol/statements/manifest.ts';
import { readBuild } from '../adapters/build-folder.ts';
import { wallMs } from '../adapters/clock.ts';
import { openPackageFile, replaceFile } from '../adapters/files.ts';
import { readCertificates, readPrivateKey } from '../adapters/keys.ts';
import { bytesText } from '../rules/texts.ts';

type Options = { key: string; cert: string; out: string; passwordFile?: string };

/** What is signed: the manifest's bytes as they are, and the payload beside them. */
type Parts = { manifest: Manifest; manifestBytes: Buffer; payload: Uint8Array; encoding: Encoding };

/** `tsugite sign BUILD`: wraps the manifest in an envelope and puts it before the payload. Same input, same bytes. */
export async function signBuild(folder: string, options: Options): Promise<Answer> {
  return signParts({ ...(await readBuild(folder)), encoding: 'br' }, options);
}

/** `tsugite resign FILE.tsg`: a new signature, say by a renewed certificate, over the same manifest and payload. */
export async function resignFile(path: string, options: Options): Promise<Answer> {
  const file = openPackageFile(path);
  try {
    if (file.storedBytes >= limits.storedBytes)
      throw new TsugiteError('SIZE_OVER_MENU', { limit: limits.storedBytes, actual: file.storedBytes });
    const layout = splitTsg(file.readAt, file.storedBytes);
    const manifestBytes = payloadOf(parseEnvelope(readEnvelopeBytes(file.readAt, layout)));
    const manifest = parseManifest(manifestBytes);
    const { offset, length, encoding } = layout.payload;
    await readPayload(file.readAt, layout.payload, manifest, noSink);
    return signParts({ manifest, manifestBytes, payload: file.readAt(offset, length), encoding }, options);
  } finally {
    file.close();
  }
}

function signParts({ manifest, manifestBytes, payload, encoding }: Parts, options: Options): Answer {
  const key = readPrivateKey(options.key, options.passwordFile);
  const chain = withoutRoot(readCertificates(options.cert));
  assertMaySign(manifest, key, chain, options);

  const sig = sign('sha256', pae(manifestType, manifestBytes), key).toString('base64');
  const signature = { keyid: keyidOf(key), sig, x5c: chain.map(({ raw }) => raw.toString('base64')) };
  const envelope = encodeEnvelope({ payloadType: manifestType, payload: manifestBytes.toString('base64'), signatures: [signature] });
  const tsg = buildTsg(envelope, payload, encoding);
  if (tsg.length >= limits.storedBytes) throw new TsugiteError('SIZE_OVER_MENU', { limit: limits.storedBytes, actual: tsg.length });
  replaceFile(options.out, tsg);

  const { software, version, provider } = manifest;
  const sha256 = createHash('sha256').update(tsg).digest('hex');
  const manifestSha256 = createHash('sha256').update(envelope).digest('hex');
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
