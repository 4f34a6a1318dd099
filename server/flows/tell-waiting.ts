import type { RandomId, SoftwareId } from '../../protocol/fields.ts';
import type { Sql } from '../ports.ts';
import { markNoticeDue } from './notice-due.ts';

/**
 * Something was stopped or started for whoever still waits for it: a release (halt), or a whole software (review). Gateways that want it and have not
 * said that they run it are told. A stop takes it out of their notices; after a start it is wanted in a time of its own, since the first deadline may
 * be long past, and in an attempt of its own where the stop broke off an installation that had begun. Gateways before targets, the order in which
 * publishing locks them.
 */
export async function tellWaiting(sql: Sql, of: { release: RandomId } | { software: SoftwareId }, atMs: number): Promise<void> {
  const column = 'release' in of ? 't.release_id' : 't.software_id';
  const waiting = await sql.query<{ target: RandomId; site: RandomId }>(
    `SELECT t.id AS target, t.site_id AS site FROM targets t JOIN releases r ON r.id = t.release_id
     WHERE ${column} = $1 AND t.ended_at IS NULL AND t.committed_version IS DISTINCT FROM r.version ORDER BY t.id`,
    ['release' in of ? of.release : of.software],
  );
  await markNoticeDue(sql, { sites: [...new Set(waiting.map(({ site }) => site))] }, atMs);
  await sql.query(
    `UPDATE targets SET deadline = NULL,
       attempt = attempt + CASE WHEN state IN ('FAILED', 'ROLLED_BACK') AND 'SOFTWARE_ORPHANED' = ANY(state_codes) THEN 1 ELSE 0 END
     WHERE id = ANY($1)`,
    [waiting.map(({ target }) => target)],
  );
}
