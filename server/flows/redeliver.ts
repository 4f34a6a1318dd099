import type { RandomId } from '../../protocol/fields.ts';
import type { Sql } from '../ports.ts';
import { openTargetsOf } from './contract-facts.ts';
import { moveTarget } from './move-target.ts';

/** Nothing of a site's software is on its gateway any more (exchanged, or reset): what it had is wanted anew, with a new deadline. */
export async function redeliver(
  sql: Sql,
  site: RandomId,
  { why, by, atMs }: { why: 'device-swapped' | 'factory-reset'; by: string; atMs: number },
): Promise<RandomId[]> {
  const moved: RandomId[] = [];
  for (const { target } of await openTargetsOf(sql, site)) {
    if ((await moveTarget(sql, { target, event: 'redeliver', atMs, by, detail: { why } })) === undefined) continue;
    // A way back from a version that is not there leads nowhere.
    await sql.query('UPDATE targets SET committed_version = NULL, grace_until = NULL, rollback = NULL, deadline = NULL WHERE id = $1', [
      target,
    ]);
    moved.push(target);
  }
  return moved;
}
