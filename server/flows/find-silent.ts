/** Deployments of which nobody has heard by their deadline: written down once, so that they are seen, counted and told apart from a slow one. */
import type { RandomId } from '../../protocol/fields.ts';
import type { Clock, Db, Log } from '../ports.ts';

const rowsAtOnce = 1_000;
/** What a gateway said right before its deadline may still be on its way. */
const patienceMs = 3_600_000;

export type Silent = { readonly target: RandomId; readonly software: string; readonly gateway: string | null; readonly deadline: Date };

/**
 * The deadline is in the notice, and an agent that hears it ends its deployment by then with a report. So silence means that the gateway is away, or
 * that its agent is not well. Nothing moves the target: whatever the gateway says later still counts. A new wish has another deadline.
 */
export function makeFindSilent({ db, clock, log }: { db: Db; clock: Clock; log: Log }) {
  return async (): Promise<number> => {
    let found = 0;
    for (;;) {
      const silent = await db.query<Silent>(
        `WITH silent AS (
           INSERT INTO silent_deployments (target_id, deadline, version, found_at)
             SELECT t.id, t.deadline, r.version, $1 FROM targets t JOIN releases r ON r.id = t.release_id
             WHERE t.ended_at IS NULL AND t.state IN ('READY', 'DELIVERING', 'UPDATING') AND t.deadline < $2
               AND t.committed_version IS DISTINCT FROM r.version
               AND NOT EXISTS (SELECT 1 FROM silent_deployments d WHERE d.target_id = t.id AND d.deadline = t.deadline)
             ORDER BY t.deadline LIMIT $3
           ON CONFLICT DO NOTHING RETURNING target_id, deadline)
         SELECT s.target_id AS target, t.software_id AS software, g.id AS gateway, s.deadline FROM silent s JOIN targets t ON t.id = s.target_id
           LEFT JOIN gateways g ON g.site_id = t.site_id AND g.replaced_at IS NULL ORDER BY s.deadline`,
        [new Date(clock.nowMs()), new Date(clock.nowMs() - patienceMs), rowsAtOnce],
      );
      for (const { target, software, gateway, deadline } of silent) log.warn('delivery.silent', { target, software, gateway, deadline });
      found += silent.length;
      if (silent.length < rowsAtOnce) return found;
    }
  };
}
