/**
 * The outer layer of a package (DESIGN §5): an uncompressed tar of exactly two entries, `manifest.dsse.json` and `payload.tar.br` (or `.gz`).
 * Names, sizes, types, checksums, padding and the end are exact; owner, mode and time of the two entries mean nothing and may be anything,
 * so that any ustar writer can make one.
 */
import { TsugiteError } from '../errors.ts';
import { limits } from '../limits.ts';
import { blockBytes, paddingBytes, tarHeader, withChecksum } from './canonical-tar.ts';

/** Reads at a place of the file, like pread(2): at most `length` bytes, fewer only at the end. */
export type ReadAt = (offset: number, length: number) => Uint8Array;

export type Encoding = 'br' | 'gz';

export type PackageLayout = {
  readonly envelope: { readonly offset: number; readonly length: number };
  readonly payload: { readonly offset: number; readonly length: number; readonly encoding: Encoding };
};

const envelopeName = 'manifest.dsse.json';
const payloadNames: Readonly<Record<string, Encoding>> = { 'payload.tar.br': 'br', 'payload.tar.gz': 'gz' };

/**
 * Finds the two parts of a `.tsg` without reading the payload.
 *
 * @param storedBytes  length of the whole file; the stored-size limit is the caller's to check, before or after
 * @throws TsugiteError PKG_TRUNCATED · PKG_UNSIGNED · PKG_MALFORMED (with `layer: 'outer'` and `kind`)
 */
export function splitTsg(readAt: ReadAt, storedBytes: number): PackageLayout {
  const envelope = entryAt(readAt, 0, storedBytes);
  if (envelope.name === 'manifest.json')
    throw new TsugiteError('PKG_UNSIGNED', { layer: 'outer', expected: envelopeName, found: envelope.name });
  if (envelope.name !== envelopeName) throw malformed('first-entry', { expected: envelopeName, found: envelope.name });
  if (envelope.length > limits.envelopeBytes)
    throw malformed('envelope-too-large', { limit: limits.envelopeBytes, actual: envelope.length });
  const payload = entryAt(readAt, envelope.next, storedBytes);
  const encoding = Object.hasOwn(payloadNames, payload.name) ? payloadNames[payload.name] : undefined;
  if (encoding === undefined) throw malformed('second-entry', { expected: Object.keys(payloadNames).join(' | '), found: payload.name });
  if (payload.length === 0) throw malformed('payload-empty', {});

  const expectedBytes = payload.next + 2 * blockBytes;
  if (storedBytes < expectedBytes) throw truncated(expectedBytes, storedBytes);
  if (!isZero(readAt(payload.next, 2 * blockBytes))) throw malformed('more-than-two-entries', { at: payload.next });
  if (storedBytes > expectedBytes) throw malformed('trailing-data', { expected: expectedBytes, found: storedBytes });
  return {
    envelope: { offset: envelope.offset, length: envelope.length },
    payload: { offset: payload.offset, length: payload.length, encoding },
  };
}

/** The envelope's bytes, at most `limits.envelopeBytes` by `splitTsg`. */
export function readEnvelopeBytes(readAt: ReadAt, { envelope }: PackageLayout): Uint8Array {
  return readAt(envelope.offset, envelope.length);
}

/** Builds a `.tsg`: the same parts give the same bytes. */
export function buildTsg(envelope: Uint8Array, payload: Uint8Array, encoding: Encoding): Buffer {
  const part = (name: string, bytes: Uint8Array) => [
    tarHeader({ name, size: bytes.length, isExecutable: false }),
    bytes,
    Buffer.alloc(paddingBytes(bytes.length)),
  ];
  return Buffer.concat([...part(envelopeName, envelope), ...part(`payload.tar.${encoding}`, payload), Buffer.alloc(2 * blockBytes)]);
}

/** What `buildTsg` gives for parts of these lengths. */
export function storedBytesOf(envelopeBytes: number, payloadBytes: number): number {
  const blocks = [envelopeBytes, payloadBytes].map((bytes) => blockBytes + bytes + paddingBytes(bytes));
  return blocks.reduce((sum, bytes) => sum + bytes, 2 * blockBytes);
}

type OuterEntry = { name: string; offset: number; length: number; next: number };

function entryAt(readAt: ReadAt, at: number, storedBytes: number): OuterEntry {
  const header = Buffer.from(readAt(at, blockBytes));
  if (header.length < blockBytes) throw truncated(at + blockBytes, storedBytes);
  if (isZero(header)) throw malformed('entry-missing', { at });
  if (!hasGoodChecksum(header)) throw malformed('checksum', { at });
  // `ustar`, NUL, `00` by POSIX; GNU tar writes `ustar`, two spaces, NUL for plain entries.
  if (!['ustar\x0000', 'ustar  \0'].includes(header.toString('latin1', 257, 265))) throw malformed('not-ustar', { at });
  if (header[156] !== 0x30) throw malformed('entry-type', { at, found: String.fromCharCode(header[156] ?? 0) });
  if (header[157] !== 0 || header[345] !== 0) throw malformed('name-fields', { at });
  const length = sizeField(header, at);
  const offset = at + blockBytes;
  const next = offset + length + paddingBytes(length);
  if (!isZero(readAt(offset + length, paddingBytes(length)))) throw malformed('padding', { at });
  return { name: textField(header, 0, 100), offset, length, next };
}

/** Six octal digits, ended by NUL and space as POSIX has it, or the other way round as some writers do. */
function hasGoodChecksum(header: Buffer): boolean {
  const digits = withChecksum(Buffer.from(header)).subarray(148, 154);
  return digits.equals(header.subarray(148, 154)) && ['\0 ', ' \0'].includes(header.toString('latin1', 154, 156));
}

function sizeField(header: Buffer, at: number): number {
  const text = header.toString('latin1', 124, 136);
  if (!/^[0-7]{11}[\0 ]$/.test(text)) throw malformed('size-field', { at });
  return Number.parseInt(text, 8);
}

/** Text up to the first NUL, and nothing but NUL after it: a second name cannot hide there. */
function textField(header: Buffer, from: number, to: number): string {
  const field = header.subarray(from, to);
  const end = field.indexOf(0);
  if (end >= 0 && !isZero(field.subarray(end))) throw malformed('name-fields', { at: from });
  return (end < 0 ? field : field.subarray(0, end)).toString('latin1');
}

function isZero(bytes: Uint8Array): boolean {
  return bytes.every((byte) => byte === 0);
}

/** @param expected  the least that the headers read so far promise */
function truncated(expected: number, found: number): TsugiteError {
  return new TsugiteError('PKG_TRUNCATED', { layer: 'outer', kind: 'truncated', expected, found });
}

function malformed(kind: string, detail: Record<string, unknown>): TsugiteError {
  return new TsugiteError('PKG_MALFORMED', { layer: 'outer', kind, ...detail });
}
