import type { Digest } from '../../protocol/fields.ts';
import type { DownloadFolder } from '../ports/disk.ts';
import type { EventLog, PackageStore } from '../ports.ts';
import { decideRemovals } from '../rules/keep-packages.ts';
import type { StateKeeper } from './keep-state.ts';

type Needs = { state: StateKeeper; store: PackageStore; downloads: DownloadFolder; inUse: () => readonly Digest[]; log: EventLog };

/** Removes packages and downloads that nothing needs; with `keepPrevious: false` also the versions to which only comfort would go back. */
export function makeSweepStore({ state, store, downloads, inUse, log }: Needs) {
  return async ({ keepPrevious }: { keepPrevious: boolean }): Promise<void> => {
    const removals = decideRemovals(store.list(), state.now(), { inUse: inUse(), keepPrevious });
    for (const sha256 of removals) await store.remove(sha256);
    if (removals.length > 0) log.write({ event: 'store.swept', detail: { packages: removals.length } });
    const wanted = new Set<Digest>(state.now().deployments.map(({ wish }) => wish.package.sha256));
    for (const sha256 of downloads.list()) if (!wanted.has(sha256)) downloads.remove(sha256);
  };
}
