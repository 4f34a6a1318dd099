/** What registering measured releases takes: the work (DOMAIN D-21, D-33), the sizes, the yen, and whether a person accepted just that. */
import { TsugiteError } from '../../protocol/errors.ts';
import type { WorkKind } from '../../protocol/price-tables.ts';
import type { Manifest } from '../../protocol/statements/manifest.ts';
import { type Admission, type AdmissionCase, decideAdmission, type StoredPackage } from './admission.ts';

export type MeasuredPackage = StoredPackage & { readonly manifest: Manifest };
export type RegistrationCase = Omit<AdmissionCase, 'manifest' | 'package' | 'waiting'> & { readonly packages: readonly MeasuredPackage[] };
export type Registration = Omit<Extract<Admission, { kind: 'admit' }>, 'kind' | 'work'> & {
  readonly work: WorkKind;
  /** True: packages for further models of a release that is there (対応機種の追加). */
  readonly isAddition: boolean;
};

/**
 * Every package is decided as if it came now, each beside those before it: what was true at the upload may not be any more.
 *
 * @param it.packages  of one version, at least one
 * @throws TsugiteError those of `decideAdmission` · CONFLICT (the version was registered meanwhile in another way)
 */
export function decideRegistration({ packages, ...it }: RegistrationCase): Registration {
  let decided: Registration | undefined;
  packages.forEach((one, index) => {
    const admission = decideAdmission({ ...it, manifest: one.manifest, package: one, waiting: packages.slice(0, index) });
    if (admission.kind !== 'admit')
      throw new TsugiteError('CONFLICT', { what: `release ${one.manifest.software} ${one.manifest.version}` });
    const { kind: _, work, ...sizes } = admission;
    const refusedModels = [...(decided?.refusedModels ?? []), ...sizes.refusedModels];
    decided = { ...sizes, refusedModels, work: work ?? 'other', isAddition: work === undefined };
  });
  if (decided === undefined) throw new TsugiteError('INPUT_REFUSED', { faults: [{ field: 'releases', fault: 'no package' }] });
  return decided;
}

/** The two sums of a quote (rules/quote.ts) that a person accepts. */
export type WorkPrice = {
  /** Once, in the month in which the work is completed (D-22). */
  readonly oneOffYen: number;
  /** Every month from the next on: base fees, and the add-on fees of targets that the work charges anew. */
  readonly monthlyYen: number;
};

/** @throws TsugiteError PRICE_NOT_ACCEPTED when a person accepted other sums than these */
export function verifyAccepted(accepted: WorkPrice, price: WorkPrice): void {
  if (accepted.oneOffYen === price.oneOffYen && accepted.monthlyYen === price.monthlyYen) return;
  throw new TsugiteError('PRICE_NOT_ACCEPTED', {
    acceptedOneOff: accepted.oneOffYen,
    acceptedMonthly: accepted.monthlyYen,
    oneOff: price.oneOffYen,
    monthly: price.monthlyYen,
    expected: { oneOffYen: price.oneOffYen, monthlyYen: price.monthlyYen },
    found: { oneOffYen: accepted.oneOffYen, monthlyYen: accepted.monthlyYen },
  });
}
