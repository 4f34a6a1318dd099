import type { GatewayId } from '../../protocol/fields.ts';
import type { GatewayLink } from '../ports/gateways.ts';
import type { Db } from '../ports.ts';

/** A gateway that was blocked while it is connected loses its connection; the next one is refused. */
export function makeCutOffBlocked({ db, link }: { db: Db; link: GatewayLink }): () => Promise<void> {
  return async () => {
    const rows = await db.query<{ id: GatewayId }>('SELECT id FROM gateways WHERE online AND blocked_at IS NOT NULL');
    for (const { id } of rows) link.cutOff(id);
  };
}
