/** Packages of a test: real keys, real signatures, real archives; and tars that no packer of ours would write. */
import { createHash, createPrivateKey, sign } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { brotliCompressSync, constants, gzipSync } from 'node:zlib';
import { encodeEnvelope, keyidOf, pae } from '../../protocol/dsse.ts';
import { canonicalTar, withChecksum } from '../../protocol/package/canonical-tar.ts';
import { buildTsg, type Encoding } from '../../protocol/package/tsg.ts';
import type { PackageFile } from '../../protocol/package/verify-package.ts';
import { manifestType } from '../../protocol/statements/manifest.ts';
import { derOf, type Issued } from './openssl.ts';

export type TestFile = { readonly name: string; readonly content: Buffer; readonly isExecutable: boolean };

export function aFile(name: string, content: string | Buffer = `// ${name}\n`, isExecutable = false): TestFile {
  return { name, content: Buffer.from(content), isExecutable };
}

export function aTar(files: readonly TestFile[]): Buffer {
  const entries = files.map((file) => ({ ...file, size: file.content.length }));
  return Buffer.concat([...canonicalTar(entries, (file) => file.content)]);
}

export type RawEntry = {
  name?: string;
  prefix?: string;
  type?: string;
  mode?: string;
  mtime?: string;
  uid?: string;
  link?: string;
  magic?: string;
  content?: string | Buffer;
  size?: string;
};

/** A ustar entry with any field as one likes; the checksum is right. */
export function rawEntry(entry: RawEntry): Buffer {
  const content = Buffer.from(entry.content ?? '');
  const header = Buffer.alloc(512);
  header.write(entry.name ?? 'main.js', 0);
  header.write(entry.mode ?? '0000644', 100);
  header.write(entry.uid ?? '0000000', 108);
  header.write('0000000', 116);
  header.write(entry.size ?? content.length.toString(8).padStart(11, '0'), 124);
  header.write(entry.mtime ?? '00000000000', 136);
  header.write(entry.type ?? '0', 156);
  header.write(entry.link ?? '', 157);
  header.write(entry.magic ?? 'ustar\x0000', 257);
  header.write('0000000', 329);
  header.write('0000000', 337);
  header.write(entry.prefix ?? '', 345);
  return Buffer.concat([withChecksum(header), content, Buffer.alloc((512 - (content.length % 512)) % 512)]);
}

export const endOfTar: Buffer = Buffer.alloc(1024);

export function compress(tar: Uint8Array, encoding: Encoding = 'br'): Buffer {
  if (encoding === 'gz') return gzipSync(tar);
  return brotliCompressSync(tar, { params: { [constants.BROTLI_PARAM_QUALITY]: 9, [constants.BROTLI_PARAM_LGWIN]: 22 } });
}

type ManifestDraft = Record<string, unknown> & {
  payload: { sha256: string; tarBytes: number; installedBytes: number; files: number; encoding: string };
};

/** A manifest whose numbers are those of the files; `overrides` replace whole fields. */
export function aManifest(tar: Uint8Array, files: readonly TestFile[], overrides: Record<string, unknown> = {}): ManifestDraft {
  return {
    v: 1,
    software: 'heater.acme',
    version: '1.0.0',
    provider: 'acme',
    title: { ja: 'ヒーター', en: 'Heater' },
    customer: {
      description: '説明',
      price: '月額 110 円',
      leadTimeDays: 7,
      contact: '0120-000-000',
      termsUrl: 'https://acme.example.jp/terms',
    },
    models: ['*'],
    requires: { agent: '^1.0.0' },
    payload: {
      sha256: createHash('sha256').update(tar).digest('hex'),
      tarBytes: tar.length,
      installedBytes: files.reduce((sum, file) => sum + file.content.length, 0),
      files: files.length,
      encoding: 'br',
    },
    entry: { runtime: 'node', args: ['main.js'] },
    permissions: { lan: [], wan: [], telemetry: false },
    resources: { memoryBytes: 33_554_432, cpuPercent: 25, pids: 16, dataBytes: 65_536 },
    health: { kind: 'ready', timeoutS: 30 },
    data: { format: 1 },
    ...overrides,
  } as ManifestDraft;
}

export type SigningParts = { signer: Issued; chain: readonly Issued[] };

/** Signs a manifest as `openssl dgst -sha256 -sign` does, whatever it says. */
export function signManifest(manifest: unknown, { signer, chain }: SigningParts): Buffer {
  const payload = Buffer.from(JSON.stringify(manifest));
  const key = createPrivateKey(readFileSync(signer.keyFile));
  return encodeEnvelope({
    payloadType: manifestType,
    payload: payload.toString('base64'),
    signatures: [
      {
        keyid: keyidOf(key),
        sig: sign('sha256', pae(manifestType, payload), key).toString('base64'),
        x5c: [signer, ...chain].map((issued) => derOf(issued.pem).toString('base64')),
      },
    ],
  });
}

export function aPackage(
  signing: SigningParts,
  {
    files = [aFile('main.js')],
    manifest = {},
    encoding = 'br',
  }: { files?: TestFile[]; manifest?: Record<string, unknown>; encoding?: Encoding } = {},
): Buffer {
  const tar = aTar(files);
  const draft = aManifest(tar, files, manifest);
  draft.payload = { ...draft.payload, encoding };
  return buildTsg(signManifest(draft, signing), compress(tar, encoding), encoding);
}

/** A package file in memory. */
export function inMemory(bytes: Uint8Array): PackageFile {
  return { storedBytes: bytes.length, readAt: (offset, length) => bytes.subarray(offset, offset + length) };
}
