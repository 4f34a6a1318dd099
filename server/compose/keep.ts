/** What is looked at before the server speaks: has the database gone back, and where does its audit log end. */
import { catalogue } from '../../protocol/errors.ts';
import { openAuditHeads } from '../adapters/audit-heads.ts';
import type { DataFolder } from '../adapters/data-folder.ts';
import { makeAuditKeeper } from '../flows/keep-audit-head.ts';
import { holdIfWentBack } from '../flows/publication-hold.ts';
import type { AuditHeads } from '../ports/keep.ts';
import type { Clock, Db, Log } from '../ports.ts';

export async function startKeeping(
  folder: DataFolder,
  parts: { db: Db; clock: Clock; log: Log },
): Promise<{ heads: AuditHeads; stop(): Promise<void> }> {
  const heads = openAuditHeads(folder.auditHeads);
  const held = await holdIfWentBack({ ...parts, heads });
  if (held !== undefined)
    parts.log.warn('publication.held', { ...held, number: catalogue.PUBLICATION_HELD.number, code: 'PUBLICATION_HELD' });
  // Only now: the new head would be in the place of the one that the database was held against.
  const keeper = makeAuditKeeper({ ...parts, heads });
  keeper.start();
  return { heads, stop: keeper.stop };
}
