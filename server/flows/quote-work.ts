/** A quote before anything is uploaded or registered: from sizes that the provider measured itself (`tsugite measure`). */
import { TsugiteError } from '../../protocol/errors.ts';
import type { ProviderId, SoftwareId } from '../../protocol/fields.ts';
import type { PriceTable, WorkKind } from '../../protocol/price-tables.ts';
import { priceTableOf } from '../../protocol/price-tables.ts';
import { baseFeeYen, type PriceClass, targetFeeYen } from '../../protocol/pricing.ts';
import type { Clock, Db } from '../ports.ts';
import { chargedSizes } from '../rules/charged-sizes.ts';
import { japanMonth } from '../rules/japan-month.ts';
import { type MonthlyFees, type QuoteItem, quoteWork, type WorkQuote } from '../rules/quote.ts';
import { type SoftwareState, verifyTakesReleases } from '../rules/software-states.ts';
import type { Actor } from './actor.ts';

export type QuoteWish = {
  readonly software: SoftwareId;
  /** Left out: 新設 for a software that is not registered yet, 変更 for one that is. */
  readonly work?: WorkKind | undefined;
  /** Every package of the release: stored bytes add up to the menu (D-03), the largest installed bytes make the plan (D-05). */
  readonly packages?: readonly { readonly storedBytes: number; readonly installedBytes: number }[] | undefined;
  /** Left out: those that it has now. */
  readonly targets?: number | undefined;
};
/** What the registered software of the order cost a month now. */
export type Quoted = WorkQuote & { readonly now: MonthlyFees };

type Known = {
  software: SoftwareId;
  provider: ProviderId;
  state: SoftwareState;
  isRegistered: boolean;
  menu: PriceClass | null;
  plans: (PriceClass | null)[];
};

/**
 * @returns one work order with all items in it: `oneOff` in `workMonth`, `monthly` from `firstChargedMonth` on, and what is paid `now`
 * @throws TsugiteError SOFTWARE_ID_TAKEN · SOFTWARE_PROHIBITED · STATE_FORBIDS · INPUT_REFUSED (a work that the software cannot have, no package for
 *   one that needs it) · SIZE_INVALID · SIZE_OVER_MENU · SIZE_OVER_PLAN · PRICE_TABLE_MISSING
 */
export function makeQuoteWork({
  db,
  clock,
  unitBytes,
  tables,
}: {
  db: Db;
  clock: Clock;
  unitBytes: number;
  tables: readonly PriceTable[];
}) {
  return async (wishes: readonly QuoteWish[], actor: Actor): Promise<Quoted> => {
    const atMs = clock.nowMs();
    const known = await db.query<Known>(
      `SELECT s.id AS software, s.provider_id AS provider, s.state, s.registered_at IS NOT NULL AS "isRegistered",
         (SELECT menu FROM software_classes WHERE software_id = s.id ORDER BY id DESC LIMIT 1) AS menu,
         ARRAY(SELECT plan FROM targets t WHERE t.software_id = s.id AND t.ended_at IS NULL ORDER BY id) AS plans
       FROM software s WHERE s.id = ANY($1)`,
      [wishes.map(({ software }) => software)],
    );
    const items = wishes.map((wish, index) =>
      itemOf(
        wish,
        known.find(({ software }) => software === wish.software),
        index,
        actor,
      ),
    );
    const prices = priceTableOf(japanMonth(atMs), tables);
    const registered = known.filter(({ isRegistered }) => isRegistered);
    const baseYen = registered.reduce((sum, { menu }) => sum + (menu === null ? 0 : baseFeeYen(menu, prices)), 0);
    const targetsYen = registered
      .flatMap(({ plans }) => plans)
      .reduce<number>((sum, plan) => sum + (plan === null ? 0 : targetFeeYen(plan, prices)), 0);
    return { ...quoteWork(items, { atMs, unitBytes, tables }), now: { baseYen, targetsYen, totalYen: baseYen + targetsYen } };
  };
}

function itemOf({ software, work: asked, packages, targets }: QuoteWish, known: Known | undefined, index: number, actor: Actor): QuoteItem {
  const refuse = (field: string, fault: string) =>
    new TsugiteError('INPUT_REFUSED', { faults: [{ field: `items.${index}.${field}`, fault }] });
  if (known !== undefined && actor.role === 'provider' && actor.provider !== known.provider)
    throw new TsugiteError('SOFTWARE_ID_TAKEN', { name: software });
  if (known !== undefined) verifyTakesReleases(known.state, software);
  const isRegistered = known?.isRegistered === true;
  const work = asked ?? (isRegistered ? 'change' : 'new');
  if ((work === 'new') === isRegistered) throw refuse('work', isRegistered ? 'it is registered already' : 'it is not registered yet');
  if (work !== 'other' && packages === undefined) throw refuse('packages', 'needed for this work');
  return {
    software,
    work,
    sizes: packages && chargedSizes(packages.map((one) => ({ bytes: one.storedBytes, installedBytes: one.installedBytes }))),
    targets: targets ?? known?.plans.length ?? 0,
  };
}
