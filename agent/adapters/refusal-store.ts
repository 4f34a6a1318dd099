import { join } from 'node:path';
import * as z from 'zod/mini';
import type { TsugiteError } from '../../protocol/errors.ts';
import { type ErrorCode, isErrorCode } from '../../protocol/errors.ts';
import { digest, positive, utcTime } from '../../protocol/fields.ts';
import type { RefusalMemory, RefusalStore } from '../ports/disk.ts';
import { makeJsonDocument } from './json-document.ts';

const memory = z.strictObject({
  v: z.literal(1),
  refused: z.nullable(
    z.strictObject({
      code: z.pipe(
        z.string().check(z.refine(isErrorCode, 'unknown error code')),
        z.transform((code) => code as ErrorCode),
      ),
      detail: z.record(z.string(), z.unknown()),
      sha256: digest,
      at: utcTime,
      since: utcTime,
      times: positive,
    }),
  ),
});

/** `<data>/refused-notice.json` */
export function makeRefusalStore(dataDir: string, onDamage: (error: TsugiteError) => void = () => {}): RefusalStore {
  return makeJsonDocument<RefusalMemory>(join(dataDir, 'refused-notice.json'), (value) => memory.parse(value), { onDamage });
}
