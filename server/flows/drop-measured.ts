/** What was uploaded and never registered goes again, file and all; and so does every file that no row knows (a kill between file and row). */
import { TsugiteError } from '../../protocol/errors.ts';
import type { Digest, RandomId, SoftwareId } from '../../protocol/fields.ts';
import type { Clock, Db, Log, PackageFiles, Sql } from '../ports.ts';
import { noticeLifeMs } from '../rules/notice-schedule.ts';
import { type Actor, systemActor } from './actor.ts';
import { appendAudit } from './audit.ts';
import { isPublicationHeld } from './publication-hold.ts';
import { loadMeasured, lockAdoptions, lockSoftwareIds } from './stored-releases.ts';

const dayMs = 86_400_000;
const rowsAtATime = 100;

export type DropMeasured = ReturnType<typeof makeDropMeasured>;

export function makeDropMeasured({
  db,
  clock,
  log,
  packages,
  keepDays,
}: {
  db: Db;
  clock: Clock;
  log: Log;
  packages: PackageFiles;
  /** Days for which an upload waits to be registered. */
  keepDays: number;
}) {
  /** Under the lock that an upload of the same bytes takes before it adopts them: it finds the file, or brings its own. */
  const removeFiles = (software: SoftwareId, candidates: readonly Digest[]): Promise<void> =>
    db.tx(async (sql) => {
      await lockSoftwareIds(sql, [software]);
      for (const sha256 of await unknownFiles(sql, candidates)) await packages.remove(sha256);
    });

  const drop = async (release: RandomId, actor: Actor, isStillDue: (uploadedAt: Date) => boolean): Promise<boolean> => {
    const dropped = await db.tx(async (sql) => {
      const [seen] = await loadMeasured(sql, [release]);
      if (seen === undefined) return undefined;
      await lockSoftwareIds(sql, [seen.software]);
      const [measured] = await loadMeasured(sql, [release]); // as it is under the lock
      if (measured === undefined || !isStillDue(measured.uploadedAt)) return undefined;
      if (measured.order !== null) throw new TsugiteError('STATE_FORBIDS', { state: 'OPEN', action: 'discard', order: measured.order });
      await sql.query('DELETE FROM measured_releases WHERE id = $1', [release]);
      const detail = { release, version: measured.version, provider: measured.provider };
      await appendAudit(sql, { actor, action: 'release.drop', subject: measured.software, detail }, clock.nowMs());
      return measured;
    });
    if (dropped === undefined) return false;
    await removeFiles(
      dropped.software,
      dropped.packages.map(({ sha256 }) => sha256),
    );
    return true;
  };

  return {
    removeFiles,

    /** @throws TsugiteError NOT_FOUND (also another's) · STATE_FORBIDS (an open order names it) */
    discard: async (release: RandomId, actor: Actor): Promise<{ release: RandomId; discarded: true }> => {
      const [measured] = await loadMeasured(db, [release]);
      const isAnothers = actor.role === 'provider' && measured?.provider !== actor.provider;
      if (measured === undefined || isAnothers || !(await drop(release, actor, () => true)))
        throw new TsugiteError('NOT_FOUND', { what: `release ${release}` });
      return { release, discarded: true };
    },

    /** What waited too long, and what was replaced long ago. @returns how many releases */
    dropExpired: async (): Promise<number> => {
      const nowMs = clock.nowMs();
      const isDue = (uploadedAt: Date) => uploadedAt.getTime() <= nowMs - keepDays * dayMs;
      const due = await db.query<{ id: RandomId }>(
        'SELECT id FROM measured_releases WHERE work_order_id IS NULL AND uploaded_at <= $1 ORDER BY uploaded_at LIMIT $2',
        [new Date(nowMs - keepDays * dayMs), rowsAtATime],
      );
      let count = 0;
      for (const { id } of due) if (await drop(id, systemActor, isDue)) count += 1;
      await dropReplaced(nowMs);
      if (count > 0) log.info('release.measured_dropped', { count });
      return count;
    },

    /** At the start: files that no row names. @returns how many */
    sweep: async (): Promise<number> => {
      if (await isPublicationHeld(db)) return 0; // after a restore the newer files may still be wanted: somebody has to look first
      const count = await db.tx(async (sql) => {
        await lockAdoptions(sql);
        const unknown = await unknownFiles(sql, await packages.list());
        for (const sha256 of unknown) await packages.remove(sha256);
        return unknown.length;
      });
      if (count > 0) log.info('packages.swept', { count });
      return count;
    },
  };

  async function dropReplaced(nowMs: number): Promise<void> {
    const rows = await db.query<{ sha256: Digest; software: SoftwareId }>(
      `DELETE FROM replaced_packages WHERE sha256 IN (SELECT sha256 FROM replaced_packages WHERE replaced_at <= $1 ORDER BY replaced_at LIMIT $2)
       RETURNING sha256, software_id AS software`,
      [new Date(nowMs - noticeLifeMs), rowsAtATime],
    );
    for (const { sha256, software } of rows) await removeFiles(software, [sha256]);
  }
}

async function unknownFiles(sql: Sql, candidates: readonly Digest[]): Promise<Digest[]> {
  const rows = await sql.query<{ sha256: Digest }>(
    `SELECT c.sha256 FROM unnest($1::text[]) AS c (sha256)
     WHERE NOT EXISTS (SELECT 1 FROM packages p WHERE p.sha256 = c.sha256)
       AND NOT EXISTS (SELECT 1 FROM measured_packages p WHERE p.sha256 = c.sha256)
       AND NOT EXISTS (SELECT 1 FROM replaced_packages p WHERE p.sha256 = c.sha256)`,
    [candidates],
  );
  return rows.map(({ sha256 }) => sha256);
}
