import type { ProviderId, SoftwareId, Version } from '../../protocol/fields.ts';
import type { Target } from '../../protocol/statements/notice.ts';
import type { RevokedSigner } from '../../protocol/statements/root.ts';
import { compareVersions } from '../../protocol/version-order.ts';
import type { Fault, Installed } from './agent-state.ts';

/**
 * How far back a software may go, kept with the signer that said so: when a key turns out to be stolen, what it claimed is dropped with it, and
 * an honest 1.2.27 may follow the thief's 99.0.0.
 */
export type VersionFloor = {
  software: SoftwareId;
  provider: ProviderId;
  signer: { issuer: string; serial: string };
  /** Highest version committed here under this signer; null after a removal or a rollback order went below it. */
  highest: Version | null;
  /** Highest `minVersion` that a committed manifest of this signer has stated. */
  minVersion: Version | null;
};

export function dropRevoked(floors: readonly VersionFloor[], revoked: readonly RevokedSigner[]): VersionFloor[] {
  return floors.filter(({ signer }) => !revoked.some((entry) => entry.issuer === signer.issuer && entry.serial === signer.serial));
}

/**
 * Refuses a version that is older than what was committed, unless the operator orders exactly this way back; `minVersion` yields to no order.
 *
 * @param floors     without those of revoked signers
 * @param committed  the version that this gateway has now
 */
export function findDowngrade(wish: Target, floors: readonly VersionFloor[], committed: Version | null): Fault | undefined {
  const own = floors.filter((floor) => floor.software === wish.software && floor.provider === wish.provider);
  const minVersion = highestOf(own.map((floor) => floor.minVersion));
  if (minVersion !== null && compareVersions(wish.version, minVersion) < 0)
    return { code: 'PKG_DOWNGRADE', detail: { reason: 'min-version', expected: minVersion, found: wish.version } };
  const highest = highestOf(own.map((floor) => floor.highest));
  const isOrdered = wish.rollback !== undefined && wish.rollback.from === committed;
  if (highest !== null && compareVersions(wish.version, highest) < 0 && !isOrdered)
    return { code: 'PKG_DOWNGRADE', detail: { reason: 'older-than-committed', expected: highest, found: wish.version } };
  return undefined;
}

/** What a commit teaches. After a rollback order the version it led to is the highest, whoever had signed higher ones. */
export function learnCommit(floors: readonly VersionFloor[], installed: Installed, isRollback: boolean): VersionFloor[] {
  const { manifest, signer } = installed;
  const isSameSoftware = (floor: VersionFloor) => floor.software === manifest.software && floor.provider === manifest.provider;
  const isSameSigner = (floor: VersionFloor) => floor.signer.issuer === signer.issuer && floor.signer.serial === signer.serial;
  const before = isRollback ? floors.map((floor) => (isSameSoftware(floor) ? { ...floor, highest: null } : floor)) : floors;
  const known = before.find((floor) => isSameSoftware(floor) && isSameSigner(floor));
  const learnt: VersionFloor = {
    software: manifest.software,
    provider: manifest.provider,
    signer: { issuer: signer.issuer, serial: signer.serial },
    highest: highestOf([known?.highest ?? null, installed.version]),
    minVersion: highestOf([known?.minVersion ?? null, manifest.minVersion ?? null]),
  };
  return [...before.filter((floor) => floor !== known), learnt];
}

/** After a removal the software may come back in any version that its provider's `minVersion` allows. */
export function forgetCommitted(floors: readonly VersionFloor[], software: SoftwareId, provider: ProviderId): VersionFloor[] {
  return floors
    .map((floor) => (floor.software === software && floor.provider === provider ? { ...floor, highest: null } : floor))
    .filter((floor) => floor.highest !== null || floor.minVersion !== null);
}

function highestOf(versions: readonly (Version | null)[]): Version | null {
  return versions.reduce((best, next) => (next !== null && (best === null || compareVersions(next, best) > 0) ? next : best), null);
}
