/** A sample as a package: real keys, a real certificate under a real provider CA, a real signature. */
import { createHash, createPrivateKey, sign, X509Certificate } from 'node:crypto';
import { encodeEnvelope, keyidOf, pae } from '../../protocol/dsse.ts';
import { providerId } from '../../protocol/fields.ts';
import { toCompactJson } from '../../protocol/json.ts';
import { buildTsg } from '../../protocol/package/tsg.ts';
import { type Manifest, manifestType, parseManifest } from '../../protocol/statements/manifest.ts';
import { makeKeyAndRequest } from '../../provider/adapters/keys.ts';
import { draftFor } from '../../provider/rules/template.ts';
import { makeProviderCa } from '../../server/adapters/provider-ca.ts';
import { beginningOfTime, makeAuthority, rsa3072 } from '../../server/adapters/x509.ts';
import type { Sample } from './sample-tree.ts';

const provider = providerId.parse('bench');
const sha256Of = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');

export type Signer = { readonly caPem: string; readonly certPem: string; readonly keyPem: string };
export type SignedSample = { readonly tsg: Buffer; readonly sha256: string; readonly manifest: Manifest; readonly manifestSha256: string };

export async function makeSigner(nowMs: number): Promise<Signer> {
  const authority = await makeAuthority(rsa3072, { organisation: 'Bench', commonName: 'Bench provider CA' }, beginningOfTime);
  const { keyPem, csrPem } = makeKeyAndRequest(provider, 'Bench');
  const { pem } = await makeProviderCa(authority).issue(csrPem, { provider, organisation: 'Bench', nowMs });
  return { caPem: authority.certPem, certPem: pem, keyPem };
}

export function signSample(sample: Sample, { certPem, keyPem }: Signer): SignedSample {
  const payload = {
    sha256: sha256Of(sample.tar),
    tarBytes: sample.tar.length,
    installedBytes: sample.files.reduce((sum, { size }) => sum + size, 0),
    files: sample.files.length,
    encoding: 'gz',
  };
  const manifestBytes = toCompactJson({ ...draftFor(provider, 'bench.sample'), payload });
  const key = createPrivateKey(keyPem);
  const envelope = encodeEnvelope({
    payloadType: manifestType,
    payload: manifestBytes.toString('base64'),
    signatures: [
      {
        keyid: keyidOf(key),
        sig: sign('sha256', pae(manifestType, manifestBytes), key).toString('base64'),
        x5c: [new X509Certificate(certPem).raw.toString('base64')],
      },
    ],
  });
  const tsg = buildTsg(envelope, sample.payload, 'gz');
  return { tsg, sha256: sha256Of(tsg), manifest: parseManifest(manifestBytes), manifestSha256: sha256Of(envelope) };
}
