/** Which bytes of a release give its menu and its plan: how "ファイルサイズ" and "ソフトウェアのサイズなど" of the price sheet are read (DOMAIN §7). */

export type PackageSizes = {
  /** The `.tsg` file as it is stored: compressed, with its signed envelope. */
  readonly bytes: number;
  /** D-04: the unpacked bytes on the gateway, measured here and again by the agent. Memory is limited by the model's profile, not by a plan. */
  readonly installedBytes: number;
};

/**
 * D-03: what is stored on the delivery server. `allVariants`: every package of the current release, each once however many models share it (D-35);
 * taken literally, and it explains why the sheet's largest menu (25M) is larger than its largest plan (7.5M). `largestFile`: only the largest of them.
 * `allKeptReleases`: what is kept for a rollback too.
 */
const menuBases = {
  allVariants: (current, _earlier) => sum(current),
  largestFile: (current, _earlier) => Math.max(...current.map(({ bytes }) => bytes)),
  allKeptReleases: (current, earlier) => sum(current) + sum(earlier),
} satisfies Record<string, (current: readonly PackageSizes[], earlier: readonly PackageSizes[]) => number>;
export type MenuBasis = keyof typeof menuBases;
export const menuBasis: MenuBasis = 'allVariants';

/**
 * @param current  all packages of the release, at least one
 * @param earlier  those of the software's other releases
 */
export function chargedSizes(
  current: readonly PackageSizes[],
  earlier: readonly PackageSizes[] = [],
  basis: MenuBasis = menuBasis,
): { storedBytes: number; installedBytes: number } {
  // D-05: one plan a release, that of its largest variant: one price a software, whatever gateway a household has.
  return {
    storedBytes: menuBases[basis](current, earlier),
    installedBytes: Math.max(...current.map(({ installedBytes }) => installedBytes)),
  };
}

function sum(packages: readonly PackageSizes[]): number {
  return packages.reduce((total, { bytes }) => total + bytes, 0);
}
