/** Birth and last will of a gateway: what it says about itself is kept, and a birth is answered when its notice is not our newest (DESIGN §6). */
import type { GatewayId, RandomId } from '../../protocol/fields.ts';
import { type Birth, parsePresence } from '../../protocol/messages/presence.ts';
import type { GatewayLink } from '../ports/gateways.ts';
import type { Clock, Db, Sql } from '../ports.ts';
import { decideOnBirth, decideReplay, type LastBirth, type Newest, type ReplayDecision } from '../rules/birth.ts';
import { announceNotice, type PublishNotice } from './publish-notice.ts';
import { redeliver } from './redeliver.ts';

export type TakePresence = (gateway: GatewayId, payload: Buffer) => Promise<void>;

/** @throws TsugiteError MESSAGE_MALFORMED · JSON_NOT_COMPACT · MESSAGE_TOO_LARGE */
export function makeTakePresence({
  db,
  clock,
  link,
  publishNotice,
}: {
  db: Db;
  clock: Clock;
  link: GatewayLink;
  publishNotice: PublishNotice;
}): TakePresence {
  return async (gateway, payload) => {
    const presence = parsePresence(payload);
    const nowMs = clock.nowMs();
    if (!presence.online) return markOffline(db, gateway, nowMs);
    await db.tx(async (sql) => {
      if (await isReset(sql, gateway, presence)) await redeliverTo(sql, gateway, nowMs);
      await recordBirth(sql, gateway, presence, nowMs);
    });
    const decision = decideOnBirth(presence.appliedNotice, await newestOf(db, gateway), nowMs);
    if (decision.kind === 'send-again') await announceNotice({ db, link }, gateway);
    if (decision.kind === 'publish-new') await publishNotice(gateway, { aheadVersion: decision.aheadVersion, isForced: true });
  };
}

export async function markOffline(db: Db, gateway: GatewayId, nowMs: number): Promise<void> {
  await db.query('UPDATE gateways SET online = false, last_seen_at = $2 WHERE id = $1 AND online', [gateway, new Date(nowMs)]);
}

/** At the start of the broker nobody is connected, whatever the rows of an earlier run say. */
export async function markAllOffline(db: Db): Promise<void> {
  await db.query('UPDATE gateways SET online = false WHERE online');
}

/** Through an outside broker, once it has shown every presence that it retains. */
export async function markOthersOffline(db: Db, online: readonly GatewayId[]): Promise<void> {
  await db.query('UPDATE gateways SET online = false WHERE online AND NOT id = ANY($1)', [online]);
}

/** What a birth says that an outside broker had retained. One that we have heard before says that its gateway is connected, and no more. */
export async function recogniseBirth(db: Db, gateway: GatewayId, birth: Birth): Promise<ReplayDecision> {
  const [last] = await db.query<LastBirth>(
    `SELECT epoch, boot_id AS "bootId", applied_version AS "appliedVersion", applied_sha256 AS "appliedSha256" FROM gateways WHERE id = $1`,
    [gateway],
  );
  const decision = decideReplay(last, birth);
  if (decision === 'known') await db.query('UPDATE gateways SET online = true WHERE id = $1 AND NOT online', [gateway]);
  return decision;
}

/**
 * Another epoch and no notice applied: the data folder was made anew (E901). A new epoch alone may be a lost outbox, with the software still there.
 * Locked as a report locks it, gateway before targets.
 */
async function isReset(sql: Sql, gateway: GatewayId, { epoch, appliedNotice }: Birth): Promise<boolean> {
  const [row] = await sql.query<{ epoch: string | null }>('SELECT epoch FROM gateways WHERE id = $1 FOR UPDATE', [gateway]);
  return row != null && row.epoch !== null && row.epoch !== epoch && appliedNotice === null;
}

async function redeliverTo(sql: Sql, gateway: GatewayId, nowMs: number): Promise<void> {
  const [row] = await sql.query<{ site: RandomId | null }>('SELECT site_id AS site FROM gateways WHERE id = $1 AND replaced_at IS NULL', [
    gateway,
  ]);
  if (row?.site != null) await redeliver(sql, row.site, { why: 'factory-reset', by: gateway, atMs: nowMs });
}

async function recordBirth(sql: Sql, gateway: GatewayId, birth: Birth, nowMs: number): Promise<void> {
  await sql.query(
    `UPDATE gateways SET online = true, last_seen_at = $2, epoch = $3, boot_id = $4, agent_version = $5, said_model = $6, firmware = $7,
       node_version = $8, arch = $9, root_version = $10, applied_version = $11, applied_sha256 = $12 WHERE id = $1`,
    [
      gateway,
      new Date(nowMs),
      birth.epoch,
      birth.bootId,
      birth.agent,
      birth.model,
      birth.firmware,
      birth.node,
      birth.arch,
      birth.rootVersion,
      birth.appliedNotice?.version ?? null,
      birth.appliedNotice?.sha256 ?? null,
    ],
  );
}

async function newestOf(db: Db, gateway: GatewayId): Promise<Newest> {
  const [row] = await db.query<{ version: number; sha256: string; expires_at: Date }>(
    'SELECT version, sha256, expires_at FROM notices WHERE gateway_id = $1 ORDER BY version DESC LIMIT 1',
    [gateway],
  );
  return row && { version: row.version, sha256: row.sha256, expiresMs: row.expires_at.getTime() };
}
