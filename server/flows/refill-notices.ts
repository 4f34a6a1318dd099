import type { GatewayId } from '../../protocol/fields.ts';
import type { Db, Log } from '../ports.ts';
import { isPublicationHeld } from './publication-hold.ts';

const noticesPerPage = 500;

export type PublishRetained = (gateway: GatewayId, envelope: Uint8Array) => void;

/** Hands every gateway's newest notice to a broker that may have lost them. */
export async function refillNotices({ db, log }: { db: Db; log: Log }, publish: PublishRetained): Promise<void> {
  if (await isPublicationHeld(db)) return; // the notices of before the restore are not the newest that were said
  let count = 0;
  for (let after: GatewayId | undefined = '' as GatewayId; after !== undefined; ) {
    const page: { id: GatewayId }[] = await handOverPage(db, after, publish);
    count += page.length;
    after = page.at(-1)?.id;
  }
  log.info('notices.refilled', { count });
}

/** Shared row locks: no newer notice of these gateways can be handed over before these are. */
function handOverPage(db: Db, after: GatewayId, publish: PublishRetained): Promise<{ id: GatewayId }[]> {
  return db.tx(async (sql) => {
    const page = await sql.query<{ id: GatewayId; envelope: Buffer }>(
      `SELECT g.id, n.envelope FROM gateways g
       JOIN notices n ON n.gateway_id = g.id AND n.version = (SELECT max(version) FROM notices WHERE gateway_id = g.id)
       WHERE g.id > $1 ORDER BY g.id LIMIT $2 FOR SHARE OF g`,
      [after, noticesPerPage],
    );
    for (const { id, envelope } of page) publish(id, envelope);
    return page;
  });
}
