/** May this package become (part of) a release, and in which price classes (DOMAIN §3, §5.3; D-03, D-04, D-05, D-21)? */
import { TsugiteError } from '../../protocol/errors.ts';
import type { Digest, ProviderId, Version } from '../../protocol/fields.ts';
import { findModel, gatewayModels, profileOf } from '../../protocol/gateway-models.ts';
import { isMenuGrey, isPlanGrey, menuOf, type PriceClass, planOf, type WorkKind } from '../../protocol/pricing.ts';
import type { Manifest } from '../../protocol/statements/manifest.ts';
import { compareVersions } from '../../protocol/version-order.ts';
import { chargedSizes } from './charged-sizes.ts';
import { findSameContent, type Signature, verifyRenewal } from './resign.ts';
import { type SoftwareState, verifyTakesReleases } from './software-states.ts';

export type StoredPackage = {
  readonly sha256: Digest;
  readonly bytes: number;
  readonly installedBytes: number;
  readonly models: readonly string[];
  readonly manifest: unknown;
  readonly signer: Signature;
};

export type AdmissionCase = {
  readonly manifest: Manifest;
  readonly package: { readonly sha256: Digest; readonly bytes: number; readonly signer: Signature };
  /** Who this software id belongs to; undefined: nobody yet. */
  readonly software: { readonly provider: ProviderId; readonly state: SoftwareState } | undefined;
  /** Registered ones. */
  readonly releases: readonly { readonly version: Version; readonly packages: readonly StoredPackage[] }[];
  /** Packages of the same version that are measured and wait to be registered with this one. */
  readonly waiting?: readonly StoredPackage[];
  readonly unitBytes: number;
  readonly day: string;
  readonly revokedSigners: readonly { readonly issuer: string; readonly serial: string }[];
};

export type ModelRefusal = {
  readonly model: string;
  readonly code: 'SIZE_OVER_LIMIT' | 'RESOURCES_OVER_LIMIT';
  readonly limitName: string;
  readonly limit: number;
  readonly actual: number;
};

export type SizeClasses = {
  readonly storedBytes: number;
  readonly installedBytes: number;
  readonly menu: PriceClass;
  readonly plan: PriceClass;
  readonly flags: readonly 'SIZE_UNIT_GREY'[];
};

export type Admission =
  | { readonly kind: 'repeat'; readonly version: Version }
  /** The same content under another signature: takes the place of a package that is there. No work. */
  | ({ readonly kind: 'resign'; readonly replaces: Digest } & SizeClasses)
  | ({
      readonly kind: 'admit';
      /** undefined: a further package of a release that is there. */
      readonly work: WorkKind | undefined;
      /** Models that the package names but that cannot take it. */
      readonly refusedModels: readonly ModelRefusal[];
    } & SizeClasses);

/**
 * @throws TsugiteError SOFTWARE_ID_TAKEN · SOFTWARE_PROHIBITED · STATE_FORBIDS · MODEL_UNKNOWN · CUSTOMER_INFO_MISSING · VERSION_NOT_HIGHER · CONFLICT
 *   · SIZE_OVER_MENU · SIZE_OVER_PLAN · SIZE_OVER_LIMIT · RESOURCES_OVER_LIMIT · SIGNATURE_ENDS_SOONER
 */
export function decideAdmission(it: AdmissionCase): Admission {
  const { manifest } = it;
  verifyOwner(it);
  const same = it.releases.find(({ version }) => version === manifest.version);
  const packages = [...(same?.packages ?? []), ...(it.waiting ?? [])];
  if (packages.some(({ sha256 }) => sha256 === it.package.sha256)) return { kind: 'repeat', version: manifest.version };

  // Before the rules for what is new: the catalogue of models may have changed since, and a higher version may be there.
  const renewed = findSameContent(manifest, packages);
  if (renewed !== undefined) {
    verifyRenewal(renewed.signer, it.package.signer, it.revokedSigners);
    return { kind: 'resign', replaces: renewed.sha256, ...classesOf(it, without(packages, renewed)) };
  }

  verifyModels(manifest, it.day);
  verifyCustomerInformation(manifest);
  verifyVersion(it);
  verifyVariant(manifest, packages);
  return {
    kind: 'admit',
    work: workOf(it),
    ...classesOf(it, packages),
    refusedModels: refusalsOf(manifest),
  };
}

/**
 * D-21: a new body of the software is 変更工事 (the first one 新設工事); without a body, and for a further model of a release that is there, it is
 * その他変更工事 or none. More targets are no work.
 */
function workOf({ manifest, releases }: AdmissionCase): 'new' | 'change' | undefined {
  if (releases.some(({ version }) => version === manifest.version)) return undefined;
  return releases.length === 0 ? 'new' : 'change';
}

function classesOf({ manifest, package: { bytes }, unitBytes, releases }: AdmissionCase, others: readonly StoredPackage[]): SizeClasses {
  const packages = [...others, { bytes, installedBytes: manifest.payload.installedBytes }];
  const earlier = releases.filter(({ version }) => version !== manifest.version).flatMap((release) => release.packages);
  const { storedBytes, installedBytes } = chargedSizes(packages, earlier);
  return {
    storedBytes,
    installedBytes,
    menu: menuOf(storedBytes, unitBytes),
    plan: planOf(installedBytes, unitBytes),
    flags: isMenuGrey(storedBytes) || isPlanGrey(installedBytes) ? ['SIZE_UNIT_GREY'] : [],
  };
}

function without(packages: readonly StoredPackage[], { sha256 }: StoredPackage): readonly StoredPackage[] {
  return packages.filter((one) => one.sha256 !== sha256);
}

/** True when a package is meant for this model. */
export function isForModel(models: readonly string[], model: string): boolean {
  return models.includes('*') || models.includes(model);
}

/** What a model cannot take of a package: its size (未満), or the resources that it asks for. */
export function refusalOf(model: string, manifest: Pick<Manifest, 'payload' | 'resources'>): ModelRefusal | undefined {
  const profile = profileOf(model);
  if (profile === undefined) return undefined;
  const { installedBytes } = manifest.payload;
  if (installedBytes >= profile.installedBytes)
    return { model, code: 'SIZE_OVER_LIMIT', limitName: model, limit: profile.installedBytes, actual: installedBytes };
  for (const name of ['memoryBytes', 'dataBytes', 'cpuPercent', 'pids'] as const)
    if (manifest.resources[name] > profile[name])
      return { model, code: 'RESOURCES_OVER_LIMIT', limitName: name, limit: profile[name], actual: manifest.resources[name] };
  return undefined;
}

function verifyOwner({ manifest, software }: AdmissionCase): void {
  if (software === undefined) return;
  if (software.provider !== manifest.provider) throw new TsugiteError('SOFTWARE_ID_TAKEN', { name: manifest.software });
  verifyTakesReleases(software.state, manifest.software);
}

function verifyModels({ models }: Manifest, date: string): void {
  const unknown = models.filter((model) => model !== '*' && findModel(model) === undefined);
  if (unknown.length > 0) throw new TsugiteError('MODEL_UNKNOWN', { models: unknown, date });
}

/** D-34: shown to the household in Japanese. The schema has seen that the fields are there; blank ones tell nothing. */
function verifyCustomerInformation({ customer }: Manifest): void {
  const fields = (['description', 'price', 'contact'] as const).filter((name) => customer[name].trim() === '');
  const isJapanese = /[\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Han}]/u.test(customer.description);
  if (fields.length > 0 || !isJapanese)
    throw new TsugiteError('CUSTOMER_INFO_MISSING', { fields: fields.length > 0 ? fields : ['description'] });
}

function verifyVersion({ manifest, releases }: AdmissionCase): void {
  const highest = releases
    .map(({ version }) => version)
    .sort(compareVersions)
    .at(-1);
  if (highest !== undefined && compareVersions(manifest.version, highest) < 0)
    throw new TsugiteError('VERSION_NOT_HIGHER', { expected: highest, found: manifest.version });
}

/** A release may hold one package a model: the gateway has to know which one is meant. */
function verifyVariant({ models, version }: Manifest, others: readonly StoredPackage[]): void {
  const isTaken = others.some(
    (other) => other.models.includes('*') || models[0] === '*' || other.models.some((model) => isForModel(models, model)),
  );
  if (isTaken) throw new TsugiteError('VERSION_NOT_HIGHER', { kind: 'other-content', expected: version, found: version });
}

function refusalsOf(manifest: Manifest): readonly ModelRefusal[] {
  const named = manifest.models[0] === '*' ? gatewayModels.map(({ model }) => model) : manifest.models;
  const refusals = named.flatMap((model) => refusalOf(model, manifest) ?? []);
  const [first] = refusals;
  if (first !== undefined && refusals.length === named.length) throw new TsugiteError(first.code, first);
  return refusals;
}
