import type * as z from 'zod/mini';
import { type ErrorCode, TsugiteError } from './errors.ts';
import { parseCompactJson } from './json.ts';

export type MessageKind<Schema> = {
  schema: Schema;
  capBytes: number;
  /** What the sender meant this to be; named in the error. */
  what: string;
  code?: ErrorCode;
  /** For a message that carries an envelope as one of its values. */
  stringCapBytes?: number;
};

/**
 * The one way from bytes to a typed statement or message: compact JSON within its cap, then the strict schema.
 *
 * @throws TsugiteError `code` with the faulty fields · JSON_NOT_COMPACT · MESSAGE_TOO_LARGE
 */
export function readMessage<Schema extends z.ZodMiniType>(
  bytes: Uint8Array,
  { schema, capBytes, what, code = 'MESSAGE_MALFORMED', stringCapBytes }: MessageKind<Schema>,
): z.infer<Schema> {
  const parsed = schema.safeParse(parseCompactJson(bytes, capBytes, stringCapBytes));
  if (parsed.success) return parsed.data;
  throw new TsugiteError(code, {
    what,
    faults: parsed.error.issues.slice(0, 20).map((issue) => ({ field: issue.path.join('.'), fault: issue.message })),
  });
}
