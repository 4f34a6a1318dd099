/**
 * The one spelling of a payload tar (DESIGN §5; POSIX.1-2017 pax, "ustar Interchange Format"). It holds nothing but names, contents and one
 * executable bit, so the same tar can be made again from an installed tree and compared with the signed digest.
 */
import { createHash, type Hash } from 'node:crypto';
import { TsugiteError } from '../errors.ts';
import { foldersAbove, type SplitRule, splitName } from './names.ts';

export const blockBytes = 512;
const endBlocks = Buffer.alloc(2 * blockBytes);
const zeroBlock = Buffer.alloc(blockBytes);

/** `name` as stored: a folder's ends in `/`. */
export type TarEntry = { readonly name: string; readonly size: number; readonly isExecutable: boolean };

export function isFolder(entry: { readonly name: string }): boolean {
  return entry.name.endsWith('/');
}

/** @throws TsugiteError PKG_MALFORMED `not-ustar` when the name does not fit (see `faultOfName`) */
export function tarHeader(entry: TarEntry, rule: SplitRule = 'longest-prefix'): Buffer {
  const split = splitName(entry.name, rule);
  if (split === undefined) throw new TsugiteError('PKG_MALFORMED', { kind: 'not-ustar', found: entry.name });
  const header = Buffer.alloc(blockBytes);
  header.write(split.name, 0);
  header.write(isFolder(entry) || entry.isExecutable ? '0000755' : '0000644', 100);
  header.write('0000000', 108); // uid
  header.write('0000000', 116); // gid
  header.write(entry.size.toString(8).padStart(11, '0'), 124);
  header.write('00000000000', 136); // mtime
  header.write(isFolder(entry) ? '5' : '0', 156);
  header.write('ustar\0' + '00', 257);
  header.write('0000000', 329); // device major, minor
  header.write('0000000', 337);
  header.write(split.prefix, 345);
  return withChecksum(header);
}

/** The checksum counts its own field as eight spaces; it is written as six digits, NUL, space. */
export function withChecksum(header: Buffer): Buffer {
  header.fill(' ', 148, 156);
  let sum = 0;
  for (let at = 0; at < header.length; at += 1) sum += header[at] as number; // four times as fast as reduce(), and asked for each file
  header.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148);
  return header;
}

export function paddingBytes(size: number): number {
  return (blockBytes - (size % blockBytes)) % blockBytes;
}

export function compareStoredNames(left: string, right: string): number {
  return Buffer.compare(Buffer.from(left), Buffer.from(right));
}

/** Adds the folders above the files, and puts all in the stored order. */
export function inStoredOrder<File extends TarEntry>(files: readonly File[]): (File | TarEntry)[] {
  const folders = new Set(files.flatMap((file) => foldersAbove(file.name)));
  const entries = [...files, ...[...folders].map((name) => ({ name, size: 0, isExecutable: true }))];
  return entries.sort((left, right) => compareStoredNames(left.name, right.name));
}

/** Yields the tar piece by piece. `contentOf` is asked once for each regular file, in stored order, and gives exactly `size` bytes. */
export function* canonicalTar<File extends TarEntry>(files: readonly File[], contentOf: (file: File) => Uint8Array): Generator<Uint8Array> {
  for (const entry of inStoredOrder(files)) {
    yield tarHeader(entry);
    if (isFolder(entry)) continue;
    const content = contentOf(entry as File);
    if (content.length !== entry.size) throw new TsugiteError('PKG_MALFORMED', { kind: 'size-changed', found: entry.name });
    yield content;
    yield zeroBlock.subarray(0, paddingBytes(entry.size));
  }
  yield endBlocks;
}

export type CanonicalDigest = {
  header(entry: TarEntry): void;
  content(bytes: Uint8Array): void;
  padding(size: number): void;
  /** Bytes of the tar so far. */
  bytes(): number;
  /** Ends the tar. Two digests only when a name above 100 bytes can be divided in two ways (`SplitRule`); each is a canonical spelling. */
  end(): readonly string[];
};

/** Hashes the canonical tar of entries and contents as they pass, without keeping them. */
export function makeCanonicalDigest(): CanonicalDigest {
  let bytes = 0;
  const longest = createHash('sha256');
  let shortest: Hash | undefined; // only from the first name on that divides differently
  const update = (piece: Uint8Array) => {
    bytes += piece.length;
    longest.update(piece);
    shortest?.update(piece);
  };
  return {
    header(entry) {
      const header = tarHeader(entry);
      const other = header[345] === 0 ? header : tarHeader(entry, 'shortest-prefix');
      if (shortest === undefined && !other.equals(header)) shortest = longest.copy();
      bytes += header.length;
      longest.update(header);
      shortest?.update(other);
    },
    content: update,
    padding: (size) => update(zeroBlock.subarray(0, paddingBytes(size))),
    bytes: () => bytes,
    end() {
      update(endBlocks);
      return [longest, ...(shortest ? [shortest] : [])].map((hash) => hash.digest('hex'));
    },
  };
}
