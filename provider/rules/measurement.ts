/** What a release would cost and where it would run: the sizes of DOMAIN §3, the models of DOMAIN §8.1, every number shown. */
import { describe, type ErrorCode, TsugiteError } from '../../protocol/errors.ts';
import { findModel, fitsModel, type GatewayProfile, gatewayModels, profileOf } from '../../protocol/gateway-models.ts';
import { mebibyteBytes, type Quote, quote } from '../../protocol/pricing.ts';
import type { Manifest } from '../../protocol/statements/manifest.ts';

export type MeasuredPackage = {
  readonly input: string;
  readonly manifest: Manifest;
  readonly storedBytes: number;
  /** Not signed yet: the envelope's size is a guess. */
  readonly isEstimate: boolean;
};

export type ModelVerdict =
  | { readonly model: string; readonly accepted: true; readonly input: string }
  | {
      readonly model: string;
      readonly accepted: false;
      readonly number: string;
      readonly code: ErrorCode;
      readonly ja: string;
      readonly en: string;
      readonly detail: Readonly<Record<string, unknown>>;
    };

export type Measurement = {
  readonly storedBytes: number;
  readonly installedBytes: number;
  readonly isEstimate: boolean;
  readonly targets: number;
  readonly quote: Quote;
  /** With M = 2²⁰, when that gives another class. */
  readonly otherReading: Quote | undefined;
  readonly models: readonly ModelVerdict[];
};

/**
 * The sum of the stored packages gives the menu, the largest installed one the plan.
 *
 * @throws TsugiteError SIZE_INVALID · SIZE_OVER_MENU · SIZE_OVER_PLAN · MODEL_UNKNOWN · INPUT_REFUSED
 */
export function measureRelease(packages: readonly MeasuredPackage[], targets: number): Measurement {
  const unknown = packages.flatMap(({ manifest }) => manifest.models.filter((model) => model !== '*' && findModel(model) === undefined));
  if (unknown.length > 0) throw new TsugiteError('MODEL_UNKNOWN', { models: [...new Set(unknown)] });
  const storedBytes = packages.reduce((sum, each) => sum + each.storedBytes, 0);
  const installedBytes = Math.max(...packages.map(({ manifest }) => manifest.payload.installedBytes));
  const question = { storedBytes, installedBytes, targets, work: 'new' } as const;
  const inForce = quote(question);
  return {
    storedBytes,
    installedBytes,
    isEstimate: packages.some(({ isEstimate }) => isEstimate),
    targets,
    quote: inForce,
    otherReading: inForce.flags.includes('SIZE_UNIT_GREY') ? quote(question, mebibyteBytes) : undefined,
    models: gatewayModels.map(({ model }) => verdictOf(packages, model)),
  };
}

/** The first package that the model takes; else why it refuses the one made for it. */
export function verdictOf(packages: readonly MeasuredPackage[], model: string): ModelVerdict {
  const refusals = packages.map((each) => ({ each, refusal: refusalOf(each.manifest, model) }));
  const taken = refusals.find(({ refusal }) => refusal === undefined);
  if (taken !== undefined) return { model, accepted: true, input: taken.each.input };
  const { code, detail } = refusals
    .map(({ refusal }) => refusal as Refusal)
    .sort((left, right) => right.closeness - left.closeness)[0] as Refusal;
  const { number, ja, en } = describe(code, detail);
  return { model, accepted: false, number, code, ja, en, detail };
}

type Refusal = { readonly closeness: number; readonly code: ErrorCode; readonly detail: Readonly<Record<string, unknown>> };

const resourceNames = {
  memoryBytes: { ja: 'メモリー（バイト）', en: 'memory (bytes)' },
  cpuPercent: { ja: 'CPU（%）', en: 'CPU (%)' },
  pids: { ja: 'プロセス数', en: 'processes' },
  dataBytes: { ja: 'データ領域（バイト）', en: 'data (bytes)' },
} as const;

function refusalOf(manifest: Manifest, model: string): Refusal | undefined {
  const profile = profileOf(model);
  if (profile === undefined) return { closeness: 0, code: 'ELIG_MODEL', detail: { model } };
  const isOffered = (manifest.models as readonly string[]).some((name) => name === '*' || name === model);
  if (!isOffered) return { closeness: 1, code: 'PKG_WRONG_MODEL', detail: { model, expected: manifest.models } };
  const fit = fitsModel(manifest.payload.installedBytes, model);
  if (fit.kind === 'too-large')
    return { closeness: 2, code: fit.code, detail: { limitName: fit.limitName, limit: fit.limit, actual: fit.actual } };
  return resourceRefusal(manifest, profile);
}

function resourceRefusal({ resources }: Manifest, profile: GatewayProfile): Refusal | undefined {
  for (const name of ['memoryBytes', 'cpuPercent', 'pids', 'dataBytes'] as const)
    if (resources[name] > profile[name])
      return {
        closeness: 3,
        code: 'RESOURCES_OVER_LIMIT',
        detail: { limitName: resourceNames[name], limit: profile[name], actual: resources[name] },
      };
  return undefined;
}
