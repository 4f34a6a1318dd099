/** Notice (配信通知): the whole desired state of one gateway, signed by an online notice key that root names (DESIGN §4). */
import * as z from 'zod/mini';
import {
  between,
  clockTime,
  count,
  digest,
  ext,
  gatewayId,
  lanPermission,
  line,
  positive,
  providerId,
  randomId,
  softwareId,
  utcTime,
  version,
  wanPermission,
} from '../fields.ts';
import { limits } from '../limits.ts';
import { readMessage } from '../read.ts';

export const noticeType = 'application/vnd.tsugite.notice+json';

/** Upper bounds of one software at run time. `installedBytes` is exclusive (未満), the others inclusive. `cpuPercent` is of one core, `files` are open descriptors. */
export type RunLimits = z.infer<typeof runLimits>;
export const runLimits = z.strictObject({
  installedBytes: positive,
  dataBytes: count,
  memoryBytes: positive,
  cpuPercent: between(1, 100),
  pids: between(1, 256),
  files: positive,
});

export type Grants = z.infer<typeof grants>;
export const grants = z.strictObject({
  lan: z.array(lanPermission).check(z.maxLength(16)),
  wan: z.array(wanPermission).check(z.maxLength(32)),
  telemetry: z.boolean(),
});

export type Target = z.infer<typeof target>;
export const target = z.strictObject({
  target: randomId,
  software: softwareId,
  version,
  provider: providerId,
  attempt: positive,
  package: z.strictObject({ sha256: digest, bytes: positive }),
  manifestSha256: digest,
  installedBytes: positive,
  plan: between(1, 5),
  entitledUntil: utcTime,
  deadline: utcTime,
  limits: runLimits,
  grants,
  graceUntil: z.optional(utcTime),
  window: z.optional(z.strictObject({ from: clockTime, to: clockTime })),
  rollback: z.optional(z.strictObject({ from: version, order: randomId, reason: line(200) })),
});

export type Removal = z.infer<typeof removal>;
export const removal = z.strictObject({
  target: randomId,
  software: softwareId,
  provider: providerId,
  reason: z.enum(['cancelled', 'prohibited', 'withdrawn', 'household', 'replaced']),
});

export type Policy = z.infer<typeof policy>;
export const policy = z.strictObject({
  keepaliveS: between(60, 1800),
  jitterS: between(0, 86_400),
  probationS: between(1, 86_400),
  budget: z.strictObject({ targetBytes: count, alarmBytes: count, ceilingBytes: count }),
  telemetryBytesPerMonth: count,
  dataGraceDays: between(0, 365),
});

export type Notice = z.infer<typeof noticeSchema>;
export const noticeSchema = z
  .strictObject({
    v: z.literal(1),
    gateway: gatewayId,
    version: positive,
    issuedAt: utcTime,
    expires: utcTime,
    rootVersion: positive,
    policy,
    targets: z.array(target).check(z.maxLength(limits.targetsPerNotice)),
    removed: z.array(removal).check(z.maxLength(limits.removedPerNotice)),
    requests: z
      .array(z.strictObject({ id: randomId, kind: z.enum(['bundle', 'resync']), expires: utcTime, maxBytes: count }))
      .check(z.maxLength(limits.requestsPerNotice)),
    ext: z.optional(ext),
  })
  .check(z.refine(namesEachTargetOnce, 'one target or software named twice'));

/** Two wishes for one software could not both be met, and which one wins would be the reader's choice. */
function namesEachTargetOnce(notice: { targets: Target[]; removed: Removal[] }): boolean {
  const ids = [...notice.targets, ...notice.removed].map((entry) => entry.target);
  const software = notice.targets.map((entry) => `${entry.provider}/${entry.software}`);
  return new Set(ids).size === ids.length && new Set(software).size === software.length;
}

/** @throws TsugiteError STATEMENT_MALFORMED · JSON_NOT_COMPACT · MESSAGE_TOO_LARGE */
export function parseNotice(payload: Uint8Array): Notice {
  return readMessage(payload, { schema: noticeSchema, capBytes: limits.payloadBytes, what: 'notice', code: 'STATEMENT_MALFORMED' });
}
