/** Contract events as they are entered (DOMAIN D-31): rows that are only added. They act at the end of their day (evaluate-days.ts). */
import { TsugiteError } from '../../protocol/errors.ts';
import type { GatewayId, RandomId } from '../../protocol/fields.ts';
import type { Clock, Db } from '../ports.ts';
import { type EventDetails, type EventKind, eventKinds } from '../rules/contract-events.ts';
import type { EligibilityCatalogue } from '../rules/eligibility-catalogue.ts';
import { daysBetween, japanDay } from '../rules/japan-day.ts';
import type { Actor } from './actor.ts';
import { appendAudit } from './audit.ts';
import { verifyMayEndOn } from './closed-until.ts';
import { lockSite } from './contract-facts.ts';
import { type Page, pageOf, rowsFor } from './page.ts';
import { type Place, placeOf } from './place.ts';
import { insertEvent } from './save-contract-event.ts';
import { swapDevice } from './swap-device.ts';

/** How far from today an event may take effect: further away it is a typing mistake. */
const daysAway = 366;

export type NewEvent = {
  readonly [Kind in Exclude<EventKind, 'swap-device' | 'change-facts'>]: { readonly kind: Kind; readonly detail: EventDetails[Kind] };
}[Exclude<EventKind, 'swap-device' | 'change-facts'>];
export type NewSwap = {
  readonly kind: 'swap-device';
  readonly detail: { readonly gateway: GatewayId; readonly model?: string | undefined };
};
export type Entered = {
  readonly event: number;
  readonly kind: EventKind;
  readonly site: RandomId;
  readonly effectiveOn: string;
  readonly ja: string;
};

export function makeContractEvents({ db, clock, catalogue }: { db: Db; clock: Clock; catalogue: EligibilityCatalogue }) {
  return {
    /** @param effectiveOn  day in Japan; left out: today @throws TsugiteError BILLING_MONTH_CLOSED: it would end what was charged for since */
    enter: (place: Place, wanted: NewEvent | NewSwap, effectiveOn: string | undefined, actor: Actor): Promise<Entered> =>
      db.tx(async (sql) => {
        const nowMs = clock.nowMs();
        const day = verifyNear(effectiveOn ?? japanDay(nowMs), nowMs);
        if (eventKinds[wanted.kind].phase === 'loss') await verifyMayEndOn(sql, day, nowMs);
        const { site } = await placeOf(sql, place);
        await lockSite(sql, site);
        const event =
          wanted.kind === 'swap-device'
            ? await swapDevice(sql, { site, day, ...wanted.detail }, { actor, nowMs, catalogue })
            : await insertEvent(sql, { site, ...wanted, effectiveOn: day }, actor, nowMs);
        await appendAudit(
          sql,
          { actor, action: `contract.${wanted.kind}`, subject: site, detail: { event, effectiveOn: day, ...wanted.detail } },
          nowMs,
        );
        return { event, kind: wanted.kind, site, effectiveOn: day, ja: eventKinds[wanted.kind].ja };
      }),

    /** Takes back an event that has not acted yet: the row stays, and says so. @throws TsugiteError NOT_FOUND · STATE_FORBIDS (it has acted) */
    voidEvent: (event: number, reason: string, actor: Actor): Promise<{ event: number; outcome: 'void' }> =>
      db.tx(async (sql) => {
        const nowMs = clock.nowMs();
        const [row] = await sql.query<{ site: RandomId }>('SELECT site_id AS site FROM contract_events WHERE id = $1', [event]);
        if (row === undefined) throw new TsugiteError('NOT_FOUND', { what: `event ${event}` });
        await lockSite(sql, row.site);
        const settled = await sql.query(
          `INSERT INTO contract_events_settled (event_id, outcome, settled_at, settled_by) VALUES ($1, 'void', $2, $3)
           ON CONFLICT DO NOTHING RETURNING event_id`,
          [event, new Date(nowMs), actor.name],
        );
        if (settled.length === 0) throw new TsugiteError('STATE_FORBIDS', { state: 'settled', action: 'void' });
        await appendAudit(sql, { actor, action: 'contract.void', subject: row.site, detail: { event, reason } }, nowMs);
        return { event, outcome: 'void' };
      }),

    list: (place: Place, why: string, actor: Actor, page: Page<number>) =>
      db.tx(async (sql) => {
        const { site, customer } = await placeOf(sql, place);
        const rows = await sql.query<{ event: number }>(
          `SELECT e.id AS event, e.kind, e.effective_on AS "effectiveOn", e.detail, e.entered_at AS "enteredAt", e.entered_by AS "enteredBy",
             coalesce(d.outcome, 'waiting') AS outcome, d.settled_at AS "settledAt"
           FROM contract_events e LEFT JOIN contract_events_settled d ON d.event_id = e.id WHERE e.site_id = $1
             AND ($2::bigint IS NULL OR (e.effective_on, e.id) > (SELECT effective_on, id FROM contract_events WHERE id = $2))
           ORDER BY e.effective_on, e.id LIMIT $3`,
          [site, page.after ?? null, rowsFor(page)],
        );
        await appendAudit(
          sql,
          { actor, action: 'customer.read', subject: customer, detail: { what: 'contract events', site }, why },
          clock.nowMs(),
        );
        return pageOf(rows, page, 'event');
      }),
  };
}

function verifyNear(day: string, nowMs: number): string {
  if (Math.abs(daysBetween(japanDay(nowMs), day)) <= daysAway) return day;
  throw new TsugiteError('INPUT_REFUSED', { faults: [{ field: 'effectiveOn', fault: `more than ${daysAway} days away` }] });
}
