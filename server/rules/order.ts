/** Step 5, ソフトウェアの配信申し込み: may this order become a target, and with which release (DOMAIN §5.1, §4, D-17)? */
import { TsugiteError } from '../../protocol/errors.ts';
import type { RandomId, Version } from '../../protocol/fields.ts';
import { profileOf } from '../../protocol/gateway-models.ts';
import type { Manifest } from '../../protocol/statements/manifest.ts';
import { compareVersions } from '../../protocol/version-order.ts';
import { isForModel, refusalOf } from './admission.ts';
import type { Eligibility, Fired } from './eligibility.ts';
import type { ReleaseState } from './release-states.ts';
import { type SoftwareState, verifyDeliverable } from './software-states.ts';

export type ReleaseOffer = {
  readonly release: RandomId;
  readonly version: Version;
  readonly plan: number;
  readonly state: ReleaseState;
  readonly packages: readonly { readonly models: readonly string[]; readonly manifest: Pick<Manifest, 'payload' | 'resources' | 'web'> }[];
};

export type OrderCase = {
  readonly software: { readonly id: string; readonly state: SoftwareState };
  readonly offers: readonly ReleaseOffer[];
  readonly eligibility: Eligibility;
  readonly hgwModel: string | null;
  readonly hasConsent: boolean;
  /** What the site has already, ended targets left out. */
  readonly open: readonly { readonly target: RandomId; readonly software: string; readonly webPrefix: string | null }[];
};

export type OrderDecision =
  | { readonly kind: 'repeat'; readonly target: RandomId }
  | { readonly kind: 'create'; readonly offer: ReleaseOffer; readonly event: 'clear' | 'hold'; readonly fired: readonly Fired[] };

/**
 * @throws TsugiteError the first code of the eligibility that refuses (with `reasons`: all of them) · CONSENT_MISSING · ETHICS_REVIEW ·
 *   SOFTWARE_PROHIBITED · STATE_FORBIDS · DELIVERY_HALTED · PKG_WRONG_MODEL · SIZE_OVER_LIMIT · RESOURCES_OVER_LIMIT · SOFTWARE_COUNT_REACHED · SOFTWARE_ID_TAKEN
 */
export function decideOrder(it: OrderCase): OrderDecision {
  const existing = it.open.find((one) => isSameTarget(one, it));
  if (existing !== undefined) return { kind: 'repeat', target: existing.target };

  verifyDeliverable(it.software.state);
  const { result, fired } = it.eligibility;
  const [first] = fired.filter((one) => one.result !== 'HOLD');
  if (first !== undefined)
    throw new TsugiteError(first.code, { ...first.detail, reasons: fired.map(({ code, detail }) => ({ code, detail })) });
  if (!it.hasConsent) throw new TsugiteError('CONSENT_MISSING');
  const offer = chooseOffer(it.offers, it.hgwModel ?? '');
  verifyRoom(it, offer);
  return { kind: 'create', offer, event: result === 'HOLD' ? 'hold' : 'clear', fired };
}

/**
 * The newest release that is meant for the model, and that the model can take.
 *
 * @throws TsugiteError STATE_FORBIDS (no release yet) · PKG_WRONG_MODEL · DELIVERY_HALTED · SIZE_OVER_LIMIT · RESOURCES_OVER_LIMIT
 */
export function chooseOffer(offers: readonly ReleaseOffer[], model: string): ReleaseOffer {
  if (offers.length === 0) throw new TsugiteError('STATE_FORBIDS', { state: 'DRAFT', action: 'order' });
  const forModel = offers
    .filter(({ packages }) => packages.some(({ models }) => isForModel(models, model)))
    .sort((left, right) => compareVersions(right.version, left.version));
  if (forModel.length === 0) throw new TsugiteError('PKG_WRONG_MODEL', { model });
  const [newest] = forModel.filter(({ state }) => state === 'ADMITTED');
  if (newest === undefined) throw new TsugiteError('DELIVERY_HALTED', { version: forModel[0]?.version });
  verifyFit(newest, model);
  return newest;
}

/** @throws TsugiteError PKG_WRONG_MODEL · SIZE_OVER_LIMIT · RESOURCES_OVER_LIMIT */
export function verifyFit({ packages }: ReleaseOffer, model: string): void {
  const variant = packages.find(({ models }) => isForModel(models, model));
  if (variant === undefined) throw new TsugiteError('PKG_WRONG_MODEL', { model });
  const refusal = refusalOf(model, variant.manifest);
  if (refusal !== undefined) throw new TsugiteError(refusal.code, refusal);
}

/** D-06: 配信先, 配信対象 and 拠点 are one word: one software for one gateway at one site. `open` are those of the site. */
function isSameTarget(one: OrderCase['open'][number], { software }: OrderCase): boolean {
  return one.software === software.id;
}

/** How many software a gateway may have, and one first part of the page's path for each (DESIGN §5). */
function verifyRoom({ open, hgwModel }: OrderCase, { packages }: ReleaseOffer): void {
  const limit = profileOf(hgwModel ?? '')?.software;
  if (limit !== undefined && open.length >= limit) throw new TsugiteError('SOFTWARE_COUNT_REACHED', { limit });
  const prefixes = packages.flatMap(({ manifest }) => manifest.web?.prefix ?? []);
  const taken = open.find(({ webPrefix }) => webPrefix !== null && prefixes.includes(webPrefix as (typeof prefixes)[number]));
  if (taken !== undefined) throw new TsugiteError('SOFTWARE_ID_TAKEN', { name: taken.webPrefix });
}
