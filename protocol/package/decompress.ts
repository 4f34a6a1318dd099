/** The compressed stream of a payload: exactly one, whole, with nothing after it, and never more output than was announced. */
import { crc32, createBrotliDecompress, createInflateRaw } from 'node:zlib';
import { TsugiteError } from '../errors.ts';
import { gzipHeaderBytes, gzipTrailerBytes, verifyGzipTrailer } from './gzip-member.ts';
import type { Encoding, ReadAt } from './tsg.ts';

const inputChunkBytes = 128 * 1024;
const outputChunkBytes = 256 * 1024;

export type CompressedPart = { readonly offset: number; readonly length: number; readonly encoding: Encoding };

/**
 * Decompresses a part of a file, on zlib's own thread while `onBytes` works on what came out before.
 *
 * @param onBytes  called in order; what it throws ends the work and is thrown on
 * @throws TsugiteError PKG_MALFORMED `compressed-stream` · `truncated-stream` · `trailing-data` · `output-too-large` (a bomb is stopped early)
 */
export async function decompress(
  readAt: ReadAt,
  part: CompressedPart,
  maxOutputBytes: number,
  onBytes: (bytes: Buffer) => void,
): Promise<void> {
  const isGzip = part.encoding === 'gz';
  const headerBytes = isGzip ? gzipHeaderBytes(readAt(part.offset, Math.min(part.length, 4096))) : 0;
  const options = { chunkSize: outputChunkBytes };
  const stream = isGzip ? createInflateRaw(options) : createBrotliDecompress(options);
  let outputBytes = 0;
  let crc = 0;
  let at = part.offset + headerBytes;
  const end = part.offset + part.length;

  await new Promise<void>((resolve, reject) => {
    let isOver = false;
    const settle = (outcome: () => void) => {
      if (isOver) return;
      isOver = true;
      outcome();
      stream.destroy();
    };
    stream.on('error', (cause) => settle(() => reject(malformed('compressed-stream', {}, cause))));
    stream.on('end', () => settle(resolve));
    stream.on('data', (bytes: Buffer) => {
      if (isOver) return;
      outputBytes += bytes.length;
      if (outputBytes > maxOutputBytes) return settle(() => reject(malformed('output-too-large', { limit: maxOutputBytes })));
      if (isGzip) crc = crc32(bytes, crc);
      try {
        onBytes(bytes);
      } catch (error) {
        settle(() => reject(error));
      }
    });
    const feed = () => {
      if (isOver) return;
      if (at >= end) return void stream.end();
      try {
        const input = readAt(at, Math.min(inputChunkBytes, end - at));
        if (input.length === 0) return settle(() => reject(malformed('truncated-stream', {})));
        at += input.length;
        stream.write(input, feed);
      } catch (error) {
        settle(() => reject(error));
      }
    };
    feed();
  });

  const usedBytes = headerBytes + stream.bytesWritten + (isGzip ? gzipTrailerBytes : 0);
  if (usedBytes > part.length) throw malformed('truncated-stream', {});
  if (usedBytes < part.length) throw malformed('trailing-data', { expected: usedBytes, found: part.length });
  if (isGzip) verifyGzipTrailer(Buffer.from(readAt(end - gzipTrailerBytes, gzipTrailerBytes)), crc, outputBytes);
}

function malformed(kind: string, detail: Record<string, unknown>, cause?: unknown): TsugiteError {
  return new TsugiteError('PKG_MALFORMED', { layer: 'payload', kind, ...detail }, { cause });
}
