import { brotliCompressSync, constants } from 'node:zlib';

/** One shot with fixed settings (DESIGN §5), so that the same tar gives the same bytes on every machine and every Node. */
export function compressPayload(tar: Uint8Array): Buffer {
  return brotliCompressSync(tar, {
    params: {
      [constants.BROTLI_PARAM_QUALITY]: 9,
      [constants.BROTLI_PARAM_LGWIN]: 22,
    },
  });
}
