/** Packages as no gateway may take them: made from a good one, or signed by a real certified provider who may not sign that. */
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import type { Digest } from '../../protocol/fields.ts';
import { buildTsg } from '../../protocol/package/tsg.ts';
import { digestOfText } from './mint.ts';
import { keyFile } from './openssl.ts';
import { aFile, aPackage, aTar, compress } from './packages.ts';
import { aRootCa, aSigner } from './provider-pki.ts';

/** The certified provider `demo`: the folder with its key and chain as the operator issued it, and a good package of it. */
export type Certified = { providerFolder: string; packageFile: string };

export type BadPackage = { name: string; number: string; code: string; layer: string; file(by: Certified, software: string): Buffer };

/** The real key and certificate, which may sign anything in the provider's own name only. */
export function signingOf({ providerFolder }: Certified) {
  const [leaf = ''] = readFileSync(path.join(providerFolder, 'chain.pem'), 'utf8').split(/(?<=-----END CERTIFICATE-----\n)/);
  return { signer: { pem: leaf, certFile: '', keyFile: path.join(providerFolder, 'provider.key.pem') }, chain: [] };
}
const good = ({ packageFile }: Certified) => readFileSync(packageFile);

/** Rightly signed by the certified provider, whatever its manifest says. */
export function aPackageOfDemo(
  by: Certified,
  software: string,
  manifest: Record<string, unknown> = {},
  files = [aFile('main.js')],
): Buffer {
  return aPackage(signingOf(by), { files, manifest: { provider: 'demo', software, ...manifest } });
}

export const badPackages: readonly BadPackage[] = [
  { name: 'truncated', number: 'E220', code: 'PKG_TRUNCATED', layer: 'outer', file: (by) => good(by).subarray(0, -2000) },
  {
    name: 'one bit flipped in what is installed',
    number: 'E223',
    code: 'PKG_PAYLOAD_MISMATCH',
    layer: 'payload',
    file: (by, software) => withOtherPayload(aPackageOfDemo(by, software), aTar([aFile('main.js', '// main.jr\n')])), // 'r' and 's' differ in one bit
  },
  {
    name: 'one bit flipped in the manifest',
    number: 'E201',
    code: 'SIGNATURE_INVALID',
    layer: 'envelope',
    file: (by) => withFlippedManifest(good(by)),
  },
  {
    name: 'unsigned',
    number: 'E216',
    code: 'PKG_UNSIGNED',
    layer: 'envelope',
    file: (by) => withEnvelope(good(by), (envelope) => ({ ...envelope, signatures: [] })),
  },
  {
    name: 'signed under a CA that the root does not pin',
    number: 'E202',
    code: 'SIGNING_KEY_UNKNOWN',
    layer: 'chain',
    file: (_, software) => aPackage({ signer: aSigner(aRootCa({ keyFile: keyFile('stranger') })), chain: [] }, { manifest: { software } }),
  },
  {
    name: "of another provider's id",
    number: 'E217',
    code: 'SIGNER_NOT_PROVIDER',
    layer: 'manifest',
    file: (by, software) => aPackageOfDemo(by, software, { provider: 'other' }),
  },
  { name: '25 M stored', number: 'E302', code: 'SIZE_OVER_MENU', layer: 'limits', file: () => Buffer.alloc(25_000_000) },
  {
    name: '7.5 M installed',
    number: 'E303',
    code: 'SIZE_OVER_PLAN',
    layer: 'limits',
    file: (by, software) => aPackageOfDemo(by, software, {}, [aFile('main.js', ''), aFile('zero.bin', Buffer.alloc(7_500_000))]),
  },
];

function withOtherPayload(tsg: Buffer, tar: Buffer): Buffer {
  return buildTsg(entryOf(tsg), compress(tar), 'br');
}

/** The bytes of `manifest.dsse.json`, as tar takes them out. */
function entryOf(tsg: Buffer): Buffer {
  return execFileSync('tar', ['-xO', 'manifest.dsse.json'], { input: tsg, stdio: ['pipe', 'pipe', 'ignore'] });
}

/** What a notice calls `manifestSha256`; any digest for a file that holds no manifest. */
export function digestOfManifest(tsg: Buffer): Digest {
  try {
    return createHash('sha256').update(entryOf(tsg)).digest('hex') as Digest;
  } catch {
    return digestOfText('no package'); // refused before anybody asks
  }
}

function withEnvelope(tsg: Buffer, change: (envelope: { payload: string; signatures: unknown[] }) => object): Buffer {
  const envelope = JSON.parse(entryOf(tsg).toString());
  const payload = execFileSync('tar', ['-xO', 'payload.tar.br'], { input: tsg });
  return buildTsg(Buffer.from(JSON.stringify(change(envelope))), payload, 'br');
}

function withFlippedManifest(tsg: Buffer): Buffer {
  return withEnvelope(tsg, (envelope) => {
    const payload = Buffer.from(envelope.payload, 'base64');
    payload[payload.indexOf('1.0.0') + 4] = '1'.charCodeAt(0); // '0' and '1' differ in one bit
    return { ...envelope, payload: payload.toString('base64') };
  });
}
