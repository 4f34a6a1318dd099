import type { GatewayId } from '../../protocol/fields.ts';
import type { GatewayLink } from '../ports/gateways.ts';
import type { Db } from '../ports.ts';

/**
 * A gateway that was blocked while it is connected loses its connection; the next one is refused. It counts as offline at once: its last will may
 * never come, and through an outside broker it would not be asked twice.
 */
export function makeCutOffBlocked({ db, link }: { db: Db; link: GatewayLink }): () => Promise<void> {
  return async () => {
    const rows = await db.query<{ id: GatewayId }>(
      'UPDATE gateways SET online = false WHERE online AND blocked_at IS NOT NULL RETURNING id',
    );
    for (const { id } of rows) link.cutOff(id);
  };
}
