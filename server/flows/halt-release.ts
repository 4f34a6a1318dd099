/** Halt and resume of a release: no new installs from now on, running copies stay as they are. Rolling back is a command of its own (deploy). */
import { assertNever } from '../../protocol/assert-never.ts';
import { TsugiteError } from '../../protocol/errors.ts';
import type { RandomId, SoftwareId, Version } from '../../protocol/fields.ts';
import type { Clock, Db, Sql } from '../ports.ts';
import { decideHalt, type Halter, type ReleaseState } from '../rules/release-states.ts';
import type { Actor } from './actor.ts';
import { appendAudit } from './audit.ts';
import { haltedBy, moveRelease } from './move-release.ts';
import { lockSoftware } from './offers.ts';

export type HaltWish = {
  readonly wish: 'halt' | 'resume';
  readonly software: SoftwareId;
  readonly version: Version;
  readonly reason: string;
};
export type HaltedRelease = {
  readonly release: RandomId;
  readonly software: SoftwareId;
  readonly version: Version;
  readonly state: ReleaseState;
  readonly haltedBy: Halter | null;
  /** Deliveries of this release that are ordered and were not reported as running yet: a halt stops these, and no other. */
  readonly waiting: number;
  readonly running: number;
};

type Row = { readonly release: RandomId; readonly state: ReleaseState; readonly haltedBy: Halter | null };

export function makeHaltRelease({ db, clock }: { db: Db; clock: Clock }) {
  /** @throws TsugiteError NOT_FOUND (another's too) · HALTED_BY_OPERATOR · STATE_FORBIDS (withdrawn) */
  return (it: HaltWish, actor: Actor): Promise<HaltedRelease> =>
    db.tx(async (sql) => {
      const { wish, software, version, reason } = it;
      const nowMs = clock.nowMs();
      await lockSoftware(sql, software, actor);
      const row = await lockRelease(sql, it);
      const by = haltedBy(actor);
      const decision = decideHalt(row.state, row.haltedBy, wish, by);
      switch (decision.kind) {
        case 'refuse':
          if (decision.why === 'halted-by-operator') throw new TsugiteError('HALTED_BY_OPERATOR', { version });
          throw new TsugiteError('STATE_FORBIDS', { state: row.state, action: wish });
        case 'unchanged':
          return shown(sql, it);
        case 'halt':
          await moveRelease(sql, { release: row.release, event: 'halted', halt: { by, reason }, atMs: nowMs });
          break;
        case 'resume':
          await moveRelease(sql, { release: row.release, event: 'resumed', atMs: nowMs });
          break;
        default:
          return assertNever(decision);
      }
      await appendAudit(sql, { actor, action: `release.${wish}`, subject: software, detail: { version, reason } }, nowMs);
      return shown(sql, it);
    });
}

async function lockRelease(sql: Sql, { software, version }: HaltWish): Promise<Row> {
  const [row] = await sql.query<Row>(
    'SELECT id AS release, state, halted_by AS "haltedBy" FROM releases WHERE software_id = $1 AND version = $2 FOR UPDATE',
    [software, version],
  );
  if (row === undefined) throw new TsugiteError('NOT_FOUND', { what: `release ${software} ${version}` });
  return row;
}

async function shown(sql: Sql, { software, version }: HaltWish): Promise<HaltedRelease> {
  const [row] = await sql.query<HaltedRelease>(
    `SELECT r.id AS release, r.software_id AS software, r.version, r.state, r.halted_by AS "haltedBy",
       (SELECT count(*) FROM targets t WHERE t.release_id = r.id AND t.ended_at IS NULL AND t.committed_version IS DISTINCT FROM r.version) AS waiting,
       (SELECT count(*) FROM targets t WHERE t.software_id = r.software_id AND t.ended_at IS NULL AND t.committed_version = r.version) AS running
     FROM releases r WHERE r.software_id = $1 AND r.version = $2`,
    [software, version],
  );
  return row as HaltedRelease;
}
