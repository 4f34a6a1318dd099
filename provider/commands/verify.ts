import { createHash } from 'node:crypto';
import type { TrustInForce } from '../../protocol/chain/verify-manifest.ts';
import type { Answer } from '../../protocol/command-output.ts';
import { parseEnvelope, payloadOf, verifyEnvelope } from '../../protocol/dsse.ts';
import { TsugiteError } from '../../protocol/errors.ts';
import { noSink } from '../../protocol/package/payload-reader.ts';
import { readEnvelopeBytes } from '../../protocol/package/tsg.ts';
import { verifyPackage } from '../../protocol/package/verify-package.ts';
import { keysOfRole, parseRoot, type Root, rootType } from '../../protocol/statements/root.ts';
import { wallMs } from '../adapters/clock.ts';
import { openPackageFile, readBytes } from '../adapters/files.ts';
import { readCertificates } from '../adapters/keys.ts';
import { bytesText } from '../rules/texts.ts';

type Options = { ca?: string[]; root?: string; at?: string };

/** `tsugite verify FILE`: every check of a gateway that needs no notice and no model, in its order. Writes nothing. */
export async function verifyFile(given: string | undefined, { ca = [], root, at }: Options): Promise<Answer> {
  // `--ca a.pem FILE`: the option takes all words up to the next one, so the last of them is the file.
  const [path, cas] = given === undefined && ca.length > 1 ? [ca.at(-1), ca.slice(0, -1)] : [given, ca];
  if (path === undefined) throw wrongUsage('FILE');
  if ((cas.length === 0) === (root === undefined)) throw wrongUsage('--ca | --root');
  const atMs = at === undefined ? wallMs() : timeOf(at);
  const rootInForce = root === undefined ? undefined : readRoot(root);
  const trust: TrustInForce = {
    providerCas: rootInForce?.providerCas ?? cas.flatMap(readCertificates).map(String),
    revokedSigners: rootInForce?.revokedSigners ?? [],
    atMs,
  };

  const file = openPackageFile(path);
  try {
    const { manifest, signer, layout } = await verifyPackage(file, trust, noSink);
    if (rootInForce !== undefined && atMs >= Date.parse(rootInForce.expires))
      throw new TsugiteError('ROOT_EXPIRED', { layer: 'chain', expected: at ?? 'now', found: rootInForce.expires });
    const { software, version, provider, title, payload } = manifest;
    const manifestSha256 = createHash('sha256').update(readEnvelopeBytes(file.readAt, layout)).digest('hex');
    return {
      value: {
        software,
        version,
        provider,
        title,
        signer,
        storedBytes: file.storedBytes,
        installedBytes: payload.installedBytes,
        files: payload.files,
        manifestSha256,
        manifest,
      },
      lines: [
        `OK ${software} ${version} 「${title.ja}」`,
        `  署名者 / signer: ${signer.organisation} (${signer.uri}), ${signer.notBefore} – ${signer.notAfter}`,
        `  保管 / stored: ${bytesText(file.storedBytes)}   インストール後 / installed: ${bytesText(payload.installedBytes)}   files: ${payload.files}`,
      ],
    };
  } finally {
    file.close();
  }
}

/** The user vouches for this file; its own signatures are checked so that a damaged one is not believed. */
function readRoot(path: string): Root {
  const envelope = parseEnvelope(readBytes(path));
  const root = parseRoot(payloadOf(envelope));
  verifyEnvelope(envelope, rootType, keysOfRole(root, 'root'), root.roles.root.threshold);
  return root;
}

function timeOf(text: string): number {
  const isTime = /^\d{4}-\d\d-\d\d(T\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d))?$/.test(text);
  const ms = isTime ? Date.parse(text) : Number.NaN;
  if (Number.isNaN(ms)) throw wrongUsage(`--at ${text}`);
  return ms;
}

function wrongUsage(at: string): TsugiteError {
  return new TsugiteError('USAGE_WRONG', { at });
}
