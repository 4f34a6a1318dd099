/** What a work order would do and cost now: its releases proven anew, decided as if they came now, and priced. Nothing is written. */
import { TsugiteError } from '../../protocol/errors.ts';
import type { RandomId, SoftwareId, Version } from '../../protocol/fields.ts';
import type { PriceTable, WorkKind } from '../../protocol/price-tables.ts';
import type { Clock, Db, PackageFiles, Sql } from '../ports.ts';
import type { ModelRefusal, SizeClasses } from '../rules/admission.ts';
import { japanDay } from '../rules/japan-day.ts';
import { type QuotedItem, quoteWork } from '../rules/quote.ts';
import { decideRegistration, type Registration, type WorkPrice } from '../rules/registration.ts';
import type { Actor } from './actor.ts';
import { provePackage } from './receive-package.ts';
import { loadKnownSoftware, loadMeasured, lockSoftwareIds, type MeasuredRelease } from './stored-releases.ts';
import { trustInForce } from './trust-in-force.ts';

export type PlannedRelease = SizeClasses & {
  readonly release: RandomId;
  readonly software: SoftwareId;
  readonly version: Version;
  readonly work: WorkKind;
  readonly baseYen: number;
  /** 配信対象ごと加算料 of one target. */
  readonly targetYen: number;
  /** Targets that are charged by this release from then on: those of a release that gets a further package. */
  readonly targets: number;
  readonly refusedModels: readonly ModelRefusal[];
};
export type WorkPlan = WorkPrice & { readonly firstChargedMonth: string; readonly releases: readonly PlannedRelease[] };
/** What stands in an order without a release. */
export type OtherWork = { readonly software: SoftwareId; readonly work: WorkKind };

export type PlannerDoors = {
  readonly db: Db;
  readonly clock: Clock;
  readonly packages: PackageFiles;
  readonly unitBytes: number;
  readonly tables: readonly PriceTable[];
};

export function makeWorkPlanner({ db, clock, packages, unitBytes, tables }: PlannerDoors) {
  return {
    /**
     * Outside any transaction, because it reads whole files: what is registered is proven at that moment, not only when it was uploaded.
     *
     * @throws TsugiteError of `verifyPackage` (a signer revoked or expired since, a provider CA taken back)
     */
    prove: async (releases: readonly MeasuredRelease[], actor: Actor): Promise<void> => {
      const trust = await trustInForce(db, clock.nowMs());
      for (const { packages: ones } of releases)
        for (const { sha256 } of ones) await packages.inspectKept(sha256, (file) => provePackage(file, trust, unitBytes, actor));
    },

    /**
     * Locks the software ids, reads the releases again and decides.
     *
     * @param others  items of the order that bring no release (その他変更)
     * @throws TsugiteError those of `decideRegistration` · INPUT_REFUSED (two releases of one software)
     */
    plan: async (
      sql: Sql,
      ids: readonly RandomId[],
      others: readonly OtherWork[] = [],
    ): Promise<WorkPlan & { measured: readonly MeasuredRelease[] }> => {
      const seen = await loadMeasured(sql, ids);
      verifyOneEach(seen);
      await lockSoftwareIds(
        sql,
        seen.map(({ software }) => software),
      );
      const measured = await loadMeasured(sql, ids);
      const atMs = clock.nowMs();
      const { revokedSigners } = await trustInForce(sql, atMs);
      const day = japanDay(atMs);
      const releases: Sized[] = [];
      for (const one of measured) {
        const known = await loadKnownSoftware(sql, one.software);
        const decided = decideRegistration({ ...known, packages: one.packages, unitBytes, day, revokedSigners });
        releases.push(await sized(sql, one, decided));
      }
      const items = [
        ...releases.map((one) => ({ ...one, sizes: one })),
        ...others.map((one) => ({ ...one, sizes: undefined, targets: 0 })),
      ];
      const quoted = quoteWork(items, { atMs, unitBytes, tables });
      return {
        oneOffYen: quoted.oneOff.totalYen,
        monthlyYen: quoted.monthly.totalYen,
        firstChargedMonth: quoted.firstChargedMonth,
        releases: releases.map((one, index) => ({ ...one, ...feesOf(quoted.items[index]) })),
        measured,
      };
    },
  };
}

/** 交換機等工事費 is due once a software in the order (B-7). */
function verifyOneEach(releases: readonly MeasuredRelease[]): void {
  const twice = releases.find(({ software }, index) => releases.some((other, at) => at < index && other.software === software));
  if (twice !== undefined)
    throw new TsugiteError('INPUT_REFUSED', {
      faults: [{ field: 'releases', fault: `two releases of ${twice.software} in one work order` }],
    });
}

type Sized = Omit<PlannedRelease, 'baseYen' | 'targetYen'>;

async function sized(sql: Sql, { id, software, version }: MeasuredRelease, { isAddition, ...decided }: Registration): Promise<Sized> {
  return { ...decided, release: id, software, version, targets: isAddition ? await openTargetsOf(sql, software, version) : 0 };
}

function feesOf(item: QuotedItem | undefined): Pick<PlannedRelease, 'baseYen' | 'targetYen'> {
  return { baseYen: item?.sizes?.monthly.baseYen ?? 0, targetYen: item?.sizes?.targetYen ?? 0 };
}

async function openTargetsOf(sql: Sql, software: SoftwareId, version: Version): Promise<number> {
  const [row] = await sql.query<{ count: number }>(
    `SELECT count(*) AS count FROM targets t JOIN releases r ON r.id = t.release_id
     WHERE r.software_id = $1 AND r.version = $2 AND t.ended_at IS NULL`,
    [software, version],
  );
  return row?.count ?? 0;
}
