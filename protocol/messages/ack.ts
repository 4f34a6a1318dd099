/** Acknowledgement of reports: everything of this epoch up to and including `upTo` stands in the server's database. */
import * as z from 'zod/mini';
import { count } from '../fields.ts';
import { limits } from '../limits.ts';
import { readMessage } from '../read.ts';
import { epoch } from './report.ts';

export type Ack = z.infer<typeof ackSchema>;
export const ackSchema = z.strictObject({ v: z.literal(1), epoch, upTo: count });

/** @throws TsugiteError MESSAGE_MALFORMED · JSON_NOT_COMPACT · MESSAGE_TOO_LARGE */
export function parseAck(bytes: Uint8Array): Ack {
  return readMessage(bytes, { schema: ackSchema, capBytes: limits.ackBytes, what: 'ack' });
}
