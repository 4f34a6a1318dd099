/** Who is charged an add-on fee without having the software, and why not (D-23). Such targets are charged all the same; somebody has to act. */
import { catalogue, type ErrorCode, isErrorCode, TsugiteError, type Who } from '../../protocol/errors.ts';
import type { ProviderId, RandomId, SoftwareId } from '../../protocol/fields.ts';
import { priceTableOf } from '../../protocol/price-tables.ts';
import type { Clock, Db, Sql } from '../ports.ts';
import { chargesOfSite } from '../rules/billing-targets.ts';
import { japanTime } from '../rules/japan-day.ts';
import type { Pricing } from '../rules/month-account.ts';
import type { TargetState } from '../rules/targets.ts';
import type { Actor } from './actor.ts';
import { mayBeCharged, type TargetRow, targetBounds, targetColumns, targetsWithPlans, toTarget } from './billing-facts.ts';
import { scopesOf } from './consents.ts';
import { type Listed, type Page, pageOf, rowsFor } from './page.ts';
import { hideReasons } from './reasons.ts';

export type BilledNotInstalled = {
  readonly target: RandomId;
  readonly software: SoftwareId;
  readonly state: TargetState;
  /** Since when it stands there. */
  readonly since: Date;
  /** From when on it is charged, Japan time. */
  readonly registeredAt: string;
  readonly yen: number;
  /** The last reason that the contract or the gateway gave; null: none yet, so the gateway has not answered. */
  readonly code: ErrorCode | null;
  readonly number: string | null;
  /** Who has to act. */
  readonly who: Who;
};

type Row = TargetRow & {
  readonly state: TargetState;
  readonly since: Date;
  readonly codes: string[];
  readonly provider: ProviderId;
  readonly customer: RandomId;
};

/**
 * Targets that are charged in a month, be it closed, running or to come, and that run nothing now; among those that have ended, the ones that never
 * ran. Of the customer's contract a provider learns no more than the customer agreed to (E100).
 */
export function makeBilledNotInstalled({ db, clock, billing }: { db: Db; clock: Clock; billing: Pricing }) {
  return async (
    month: string,
    filter: { readonly software?: SoftwareId | undefined; readonly provider?: ProviderId | undefined },
    actor: Actor,
    page: Page,
  ): Promise<Listed<BilledNotInstalled>> => {
    const prices = priceTableOf(month, billing.tables);
    const rows = await db.query<Row>(
      `SELECT ${targetColumns}, t.state, (SELECT max(at) FROM target_events WHERE target_id = t.id) AS since,
         CASE WHEN cardinality(t.state_codes) > 0 THEN t.state_codes ELSE coalesce(
           (SELECT codes FROM target_events WHERE target_id = t.id AND cardinality(codes) > 0 ORDER BY id DESC LIMIT 1), '{}') END AS codes,
         t.provider_id AS provider, (SELECT customer FROM sites WHERE id = t.site_id) AS customer
       FROM ${targetsWithPlans} WHERE ${mayBeCharged} AND t.committed_version IS NULL
         AND (t.ended_at IS NULL OR NOT EXISTS (SELECT 1 FROM target_events e WHERE e.target_id = t.id AND e.event = 'committed'))
         AND ($3::text IS NULL OR t.provider_id = $3) AND ($4::text IS NULL OR t.software_id = $4) AND ($5::text IS NULL OR t.id > $5)
         AND ($7::text IS NULL OR t.provider_id = $7)
       ORDER BY t.id LIMIT $6`,
      [
        ...targetBounds(month),
        actor.role === 'provider' ? actor.provider : null,
        filter.software ?? null,
        page.after ?? null,
        rowsFor(page),
        filter.provider ?? null,
      ],
    );
    const { items, next } = pageOf(rows, page, 'target');
    const charged: BilledNotInstalled[] = [];
    for (const row of items) {
      const [charge] = chargesOfSite(month, [toTarget(row)], prices, billing.readings);
      if (charge === undefined) continue; // in the reading `ready`: still on HOLD, or refused there
      const { target, software, state, since } = row;
      const reason = await reasonOf(db, row, actor, clock.nowMs());
      charged.push({ target, software, state, since, registeredAt: japanTime(charge.registeredAtMs), yen: charge.yen, ...reason });
    }
    return { items: charged, next };
  };
}

async function reasonOf(sql: Sql, row: Row, actor: Actor, nowMs: number): Promise<Pick<BilledNotInstalled, 'code' | 'number' | 'who'>> {
  const known = row.codes.find(isErrorCode);
  if (known === undefined) return { code: null, number: null, who: 'operator' };
  const scopes = actor.role === 'provider' ? await scopesOf(sql, row, nowMs) : new Set<never>();
  const { code } = hideReasons(new TsugiteError(known), actor, scopes) as TsugiteError;
  return { code, number: catalogue[code].number, who: catalogue[code].who };
}
