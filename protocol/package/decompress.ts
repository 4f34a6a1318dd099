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

  // zlib starts on the next piece only when 'data' has been handled: handled later, the two threads work at the same time. At most two
  // pieces wait, because a finished one is heard of only between the works on others.
  const waiting: Buffer[] = [];
  const workOff = () => {
    for (let bytes = waiting.shift(); bytes !== undefined; bytes = waiting.shift()) {
      outputBytes += bytes.length;
      if (outputBytes > maxOutputBytes) throw malformed('output-too-large', { limit: maxOutputBytes });
      if (isGzip) crc = crc32(bytes, crc);
      onBytes(bytes);
    }
  };

  await new Promise<void>((resolve, reject) => {
    let isOver = false;
    const settle = (outcome: () => void) => {
      if (isOver) return;
      isOver = true;
      outcome();
      stream.destroy();
    };
    const attempt = (job: () => void) => {
      if (isOver) return;
      try {
        job();
      } catch (error) {
        settle(() => reject(error));
      }
    };
    /** What came out before the end or the fault is judged first, as a reader of the whole would. */
    const endWith = (outcome: () => void) => {
      attempt(workOff);
      settle(outcome);
    };
    stream.on('error', (cause) => endWith(() => reject(malformed('compressed-stream', {}, cause))));
    stream.on('end', () => endWith(resolve));
    stream.on('data', (bytes: Buffer) => {
      waiting.push(bytes);
      if (waiting.length === 1) setImmediate(attempt, workOff);
    });
    const feed = () =>
      attempt(() => {
        if (at >= end) return void stream.end();
        const input = readAt(at, Math.min(inputChunkBytes, end - at));
        if (input.length === 0) throw malformed('truncated-stream', {});
        at += input.length;
        stream.write(input, feed);
      });
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
