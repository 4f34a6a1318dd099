/** Targets as people look them up. A provider reads why one stands still only where its customer agreed to that (DOMAIN §12). */
import { TsugiteError } from '../../protocol/errors.ts';
import type { ProviderId, RandomId, SoftwareId } from '../../protocol/fields.ts';
import type { Clock, Db, Sql } from '../ports.ts';
import { scopesTowards } from '../rules/consent.ts';
import type { TargetState } from '../rules/targets.ts';
import type { Actor } from './actor.ts';
import { consentsOfMany } from './consents.ts';
import { type Listed, type Page, pageOf, rowsFor } from './page.ts';
import { hideCodes, maySeeReasons } from './reasons.ts';

export type TargetView = {
  readonly target: RandomId;
  readonly software: SoftwareId;
  readonly provider: ProviderId;
  readonly state: TargetState;
  readonly codes: readonly string[];
};
type Row = TargetView & { readonly customer: RandomId };

export function makeTargetQueries({ db, clock }: { db: Db; clock: Clock }) {
  /** What the caller may see of each. */
  const shownTo = async (
    actor: Actor,
    rows: readonly Row[],
  ): Promise<{ view: TargetView; hide: (codes: readonly string[]) => string[] }[]> => {
    const consents = actor.role === 'provider' ? await consentsOfMany(db, [...new Set(rows.map(({ customer }) => customer))]) : new Map();
    const nowMs = clock.nowMs();
    return rows.map(({ customer, ...row }) => {
      const hide = (codes: readonly string[]) =>
        maySeeReasons(actor, scopesTowards(consents.get(customer) ?? [], row, nowMs)) ? [...codes] : hideCodes(codes);
      return { view: { ...row, codes: hide(row.codes) }, hide };
    });
  };

  return {
    show: async (target: RandomId, actor: Actor): Promise<Record<string, unknown>> => {
      const rows = await db.query<Row>(`${targetQuery} WHERE t.id = $1 AND ($2::text IS NULL OR t.provider_id = $2)`, [
        target,
        providerOf(actor),
      ]);
      const [shown] = await shownTo(actor, rows);
      if (shown === undefined) throw new TsugiteError('NOT_FOUND', { what: 'target' });
      const events = (await eventsOf(db, target)).map((event) => ({ ...event, codes: shown.hide(event.codes) }));
      return { ...shown.view, events };
    },

    list: async (
      filter: { software?: SoftwareId | undefined; gateway?: string | undefined },
      actor: Actor,
      page: Page,
    ): Promise<Listed<TargetView>> => {
      const rows = await db.query<Row>(
        `${targetQuery} WHERE ($1::text IS NULL OR t.software_id = $1) AND ($2::text IS NULL OR g.id = $2) AND ($3::text IS NULL OR t.provider_id = $3)
           AND ($4::text IS NULL OR (t.requested_at, t.id) > (SELECT requested_at, id FROM targets WHERE id = $4))
         ORDER BY t.requested_at, t.id LIMIT $5`,
        [filter.software ?? null, filter.gateway ?? null, providerOf(actor), page.after ?? null, rowsFor(page)],
      );
      return pageOf(
        (await shownTo(actor, rows)).map(({ view }) => view),
        page,
        'target',
      );
    },
  };
}

const targetQuery = `SELECT t.id AS target, t.software_id AS software, t.provider_id AS provider, t.site_id AS site, g.id AS gateway, t.state,
  t.state_codes AS codes, r.version, s.customer, t.committed_version AS "committedVersion", t.plan, t.attempt, t.requested_at AS "requestedAt", t.ready_at AS "readyAt",
  t.entered_notice_at AS "enteredNoticeAt", t.deadline, t.entitled_until AS "entitledUntil", t.grace_until AS "graceUntil", t.ended_at AS "endedAt", t.removed_reason AS "removedReason",
  t.purged_at AS "purgedAt"
  FROM targets t JOIN sites s ON s.id = t.site_id LEFT JOIN releases r ON r.id = t.release_id LEFT JOIN gateways g ON g.site_id = t.site_id AND g.replaced_at IS NULL`;

/** Another provider's target does not exist for a provider. */
const providerOf = ({ role, provider }: Actor): string | null => (role === 'provider' ? (provider ?? 'nobody') : null);

const mostEvents = 500;

/** The newest ones, the oldest of them first. */
async function eventsOf(sql: Sql, target: RandomId): Promise<{ readonly codes: readonly string[] }[]> {
  const rows = await sql.query<{ codes: readonly string[] }>(
    `SELECT at, event, from_state AS "from", to_state AS "to", codes, by FROM target_events WHERE target_id = $1 ORDER BY id DESC LIMIT $2`,
    [target, mostEvents],
  );
  return rows.reverse();
}
