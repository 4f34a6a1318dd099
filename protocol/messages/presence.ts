/** Presence, retained: the birth message of a connected gateway, or the last will that the broker publishes for a lost one (DESIGN §6). */
import * as z from 'zod/mini';
import { digest, firmware, line, modelName, positive, version } from '../fields.ts';
import { limits } from '../limits.ts';
import { readMessage } from '../read.ts';
import { epoch } from './report.ts';

export type Birth = z.infer<typeof birthSchema>;
export const birthSchema = z.strictObject({
  v: z.literal(1),
  online: z.literal(true),
  epoch,
  bootId: z.string().check(z.regex(/^[0-9a-f]{32}$/)),
  agent: version,
  model: modelName,
  firmware,
  node: line(32),
  arch: z.enum(['x64', 'arm64']),
  /** Protocol versions this agent understands. */
  speaks: z.array(positive).check(z.minLength(1), z.maxLength(8)),
  appliedNotice: z.nullable(z.strictObject({ version: positive, sha256: digest })),
  rootVersion: positive,
});

export type Presence = z.infer<typeof presenceSchema>;
export const presenceSchema = z.discriminatedUnion('online', [birthSchema, z.strictObject({ v: z.literal(1), online: z.literal(false) })]);

export const lastWill: Presence = { v: 1, online: false };

/** @throws TsugiteError MESSAGE_MALFORMED · JSON_NOT_COMPACT · MESSAGE_TOO_LARGE */
export function parsePresence(bytes: Uint8Array): Presence {
  return readMessage(bytes, { schema: presenceSchema, capBytes: limits.presenceBytes, what: 'presence' });
}
