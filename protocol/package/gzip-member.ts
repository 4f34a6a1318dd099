/**
 * One gzip member, RFC 1952 §2.3. zlib's own gunzip silently reads on into a second member and skips zeros after the last, so the frame is
 * read here and only the deflate stream inside is given to zlib.
 */
import { TsugiteError } from '../errors.ts';

export const gzipTrailerBytes = 8;
const maxHeaderBytes = 4096;
const flag = { headerCrc: 2, extra: 4, name: 8, comment: 16, reserved: 0xe0 } as const;

/** Length of the member's header; `start` holds the first bytes of the file, `maxHeaderBytes` or all there are. */
export function gzipHeaderBytes(start: Uint8Array): number {
  if (start[0] !== 0x1f || start[1] !== 0x8b || start[2] !== 8) throw malformed('not-gzip');
  const flags = start[3] ?? 0;
  if ((flags & flag.reserved) !== 0) throw malformed('gzip-flags');
  let at = 10;
  if ((flags & flag.extra) !== 0) at += 2 + (start[at] ?? 0) + (start[at + 1] ?? 0) * 256;
  if ((flags & flag.name) !== 0) at = afterNul(start, at);
  if ((flags & flag.comment) !== 0) at = afterNul(start, at);
  if ((flags & flag.headerCrc) !== 0) at += 2;
  if (at > Math.min(start.length, maxHeaderBytes)) throw malformed('gzip-header');
  return at;
}

/** @throws TsugiteError PKG_MALFORMED when CRC-32 or length of the member are not those of the bytes that came out */
export function verifyGzipTrailer(trailer: Uint8Array, crc: number, bytes: number): void {
  const view = new DataView(trailer.buffer, trailer.byteOffset, trailer.byteLength);
  if (view.getUint32(0, true) !== crc || view.getUint32(4, true) !== bytes % 2 ** 32) throw malformed('gzip-trailer');
}

function afterNul(bytes: Uint8Array, from: number): number {
  const end = bytes.indexOf(0, from);
  if (end < 0) throw malformed('gzip-header');
  return end + 1;
}

function malformed(kind: string): TsugiteError {
  return new TsugiteError('PKG_MALFORMED', { layer: 'payload', kind });
}
