/** `/status.json` of the local page: what any device in the home may read (DESIGN §6). */
import * as z from 'zod/mini';
import { count, gatewayId, line, modelName, softwareId, utcTime, version } from '../fields.ts';
import { limits } from '../limits.ts';
import { readMessage } from '../read.ts';

/** The 11 words of DOMAIN §10: 受付済 確認待ち 配信待ち インストール中 動作中 更新中 以前のバージョンで動作中 停止中 失敗（再試行します） 配信できません 廃止. */
export const softwareState = z.enum([
  'accepted',
  'on-hold',
  'waiting',
  'installing',
  'running',
  'updating',
  'running-previous',
  'stopped',
  'failed',
  'refused',
  'ended',
]);
export type SoftwareState = z.infer<typeof softwareState>;

export type Status = z.infer<typeof statusSchema>;
export const statusSchema = z.strictObject({
  v: z.literal(1),
  gateway: gatewayId,
  model: modelName,
  agent: version,
  at: utcTime,
  online: z.boolean(),
  month: z.strictObject({ usedBytes: count, ceilingBytes: count }),
  software: z
    .array(
      z.strictObject({
        software: softwareId,
        version,
        title: line(100),
        provider: line(200),
        state: softwareState,
        page: z.optional(line(300)),
        reason: z.optional(z.strictObject({ number: line(4), code: line(64), ja: line(600), en: line(600) })),
      }),
    )
    .check(z.maxLength(2 * limits.targetsPerNotice)),
});

/** @throws TsugiteError MESSAGE_MALFORMED · JSON_NOT_COMPACT · MESSAGE_TOO_LARGE */
export function parseStatus(bytes: Uint8Array): Status {
  return readMessage(bytes, { schema: statusSchema, capBytes: limits.statusBytes, what: 'status.json' });
}
