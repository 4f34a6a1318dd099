/**
 * Unpacks a payload without trusting a byte of it: bounded decompression, the tar package's parser, the policy of DESIGN §5, and beside it
 * the same entries encoded anew. Only a tar that equals its own canonical spelling has the signed digest.
 */
import { Parser } from 'tar/parse';
import type { ReadEntry } from 'tar/read-entry';
import { TsugiteError } from '../errors.ts';
import type { Manifest } from '../statements/manifest.ts';
import { blockBytes, type CanonicalDigest, isFolder, makeCanonicalDigest } from './canonical-tar.ts';
import { type CompressedPart, decompress } from './decompress.ts';
import { makePayloadPolicy, type PayloadPolicy } from './payload-policy.ts';
import type { ReadAt } from './tsg.ts';

export type PayloadFile = { readonly name: string; readonly size: number; readonly isExecutable: boolean };

/**
 * Where the entries go; every call is synchronous and in stored order. What a sink throws ends the work and is thrown on as it is.
 * Nothing is proven before `readPayload` has returned: write into a fresh folder, and drop it when it throws.
 */
export type PayloadSink = {
  folder(name: string): void;
  file(file: PayloadFile): { write(bytes: Uint8Array): void; end(): void };
};

/** Keeps nothing: for those who only want to know whether a payload is good. */
export const noSink: PayloadSink = { folder: () => {}, file: () => ({ write: () => {}, end: () => {} }) };

/**
 * @param part      of the `.tsg`, from `splitTsg`
 * @param manifest  proven, or about to be signed; the caller has checked its sizes against the limits in force
 * @throws TsugiteError PKG_MALFORMED · PKG_PAYLOAD_MISMATCH, with `layer: 'payload'` and `kind`; whatever the sink throws
 */
export async function readPayload(readAt: ReadAt, part: CompressedPart, manifest: Manifest, sink: PayloadSink): Promise<void> {
  if (part.encoding !== manifest.payload.encoding) throw mismatch('encoding', manifest.payload.encoding, part.encoding);
  const unpacking = makeUnpacking(makePayloadPolicy(manifest), makeCanonicalDigest(), sink);
  let tarBytes = 0;
  await decompress(readAt, part, manifest.payload.tarBytes, (bytes) => {
    tarBytes += bytes.length;
    unpacking.write(bytes);
  });
  const canonical = unpacking.end();
  if (tarBytes !== canonical.tarBytes) throw malformed('not-canonical', { expected: canonical.tarBytes, found: tarBytes });
  if (tarBytes !== manifest.payload.tarBytes) throw mismatch('tar-bytes', manifest.payload.tarBytes, tarBytes);
  if (!canonical.digests.includes(manifest.payload.sha256)) throw mismatch('digest', manifest.payload.sha256, canonical.digests[0]);
}

/** Feeds the parser and its events to policy, digest and sink. An error inside a callback of the parser would kill the process: it is kept, and thrown from outside. */
function makeUnpacking(policy: PayloadPolicy, digest: CanonicalDigest, sink: PayloadSink) {
  let failure: { error: unknown } | undefined;
  let hasEnded = false;
  let openEntry: string | undefined;

  const guarded =
    <Args extends unknown[]>(job: (...args: Args) => void) =>
    (...args: Args): void => {
      if (failure !== undefined) return;
      try {
        job(...args);
      } catch (error) {
        failure = { error };
      }
    };
  const rethrow = () => {
    if (failure !== undefined) throw failure.error;
  };

  const onEntry = guarded((entry: ReadEntry) => {
    const { name, size, isExecutable } = begin(entry);
    const writer = isFolder({ name }) ? undefined : sink.file({ name, size, isExecutable });
    openEntry = name;
    entry.on(
      'data',
      guarded((bytes: Buffer) => {
        digest.content(bytes);
        writer?.write(bytes);
      }),
    );
    entry.on(
      'end',
      guarded(() => {
        openEntry = undefined;
        digest.padding(size);
        if (writer === undefined) sink.folder(name);
        else writer.end();
      }),
    );
  });

  function begin(entry: ReadEntry) {
    if (hasEnded) throw malformed('entry-after-end', {});
    const seen = { name: entry.path, type: entry.type, size: entry.size, mode: entry.mode ?? -1 };
    policy.admit(seen);
    const tarEntry = { name: seen.name, size: seen.size, isExecutable: seen.mode === 0o755 };
    digest.header(tarEntry);
    return tarEntry;
  }

  const parser = new Parser({ strict: true, brotli: false, zstd: false, maxMetaEntrySize: 1 });
  let start: Buffer | undefined = Buffer.alloc(0);
  parser.on('entry', (entry: ReadEntry) => {
    onEntry(entry);
    if (failure !== undefined) entry.resume(); // the parser waits for a reader otherwise
  });
  parser.on(
    'meta',
    guarded(() => refuse('extended-header')),
  );
  parser.on(
    'ignoredEntry',
    guarded((entry: ReadEntry) => refuse('entry-type', { found: entry.type, name: entry.path })),
  );
  parser.on(
    'error',
    guarded((cause: Error) => refuse('not-a-tar', { fault: cause.message })),
  );
  parser.on('eof', () => {
    hasEnded = true;
  });

  return {
    write(bytes: Buffer): void {
      let input = bytes;
      if (start !== undefined) {
        input = Buffer.concat([start, bytes]);
        start = input.length < blockBytes ? input : undefined;
        if (start !== undefined) return;
        refuseCompressedTar(input);
      }
      parser.write(input);
      rethrow();
    },
    end(): { tarBytes: number; digests: readonly string[] } {
      parser.end();
      rethrow();
      if (!hasEnded || openEntry !== undefined) throw malformed('truncated-tar', {});
      policy.finish();
      const digests = digest.end();
      return { tarBytes: digest.bytes(), digests };
    },
  };
}

/** The parser would unpack a gzipped tar inside the compressed stream, without our bounds. No good name begins with these bytes. */
function refuseCompressedTar(start: Buffer): void {
  if (start[0] === 0x1f && start[1] === 0x8b) throw malformed('compressed-twice', {});
}

function refuse(kind: string, detail: Record<string, unknown> = {}): never {
  throw malformed(kind, detail);
}

function malformed(kind: string, detail: Record<string, unknown>): TsugiteError {
  return new TsugiteError('PKG_MALFORMED', { layer: 'payload', kind, ...detail });
}

function mismatch(kind: string, expected: unknown, found: unknown): TsugiteError {
  return new TsugiteError('PKG_PAYLOAD_MISMATCH', { layer: 'payload', kind, expected, found });
}
