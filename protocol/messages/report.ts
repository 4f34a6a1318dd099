/** Report: what happened on a gateway, kept in its outbox until the server has committed it (DESIGN §6). Deduplicated by (gateway, epoch, seq). */
import * as z from 'zod/mini';
import { line, positive, randomId, softwareId, utcTime, version } from '../fields.ts';
import { limits } from '../limits.ts';
import { readMessage } from '../read.ts';

/** Names one life of an outbox: 128 random bits, made with its folder. After a factory reset the count starts anew under a new name. */
export const epoch = z.string().check(z.regex(/^[0-9a-f]{32}$/));

export const deploymentState = z.enum([
  'accepted',
  'downloading',
  'verifying',
  'unpacking',
  'activating',
  'probation',
  'rolling-back',
  'committed',
  'rejected',
  'failed',
  'superseded',
  'rolled-back',
  'stuck',
]);
export type DeploymentState = z.infer<typeof deploymentState>;

export type Report = z.infer<typeof reportSchema>;
export const reportSchema = z.strictObject({
  v: z.literal(1),
  epoch,
  seq: positive,
  at: utcTime,
  kind: z.enum(['start', 'end', 'failure', 'purge', 'resync', 'supervisor', 'orphan', 'answer']),
  target: z.optional(randomId),
  deployment: z.optional(randomId),
  software: z.optional(softwareId),
  version: z.optional(version),
  state: z.optional(deploymentState),
  number: z.optional(z.string().check(z.regex(/^E\d{3}$/))),
  code: z.optional(z.string().check(z.regex(/^[A-Z][A-Z0-9_]{2,63}$/))),
  /** Numbers and short words only: never an address, a host name or a customer id (DOMAIN §12). */
  detail: z.optional(z.record(line(40), z.union([line(300), z.number(), z.boolean(), z.array(line(100)).check(z.maxLength(20))]))),
});

/** @throws TsugiteError MESSAGE_MALFORMED · JSON_NOT_COMPACT · MESSAGE_TOO_LARGE */
export function parseReport(bytes: Uint8Array): Report {
  return readMessage(bytes, { schema: reportSchema, capBytes: limits.reportBytes, what: 'report' });
}
