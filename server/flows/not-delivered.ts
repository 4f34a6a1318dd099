/** The daily list "not delivered": what was ordered and does not run, since when, and who has to act (DOMAIN §9.2, D-23). */
import type { ErrorDetail } from '../../protocol/errors.ts';
import type { ProviderId, RandomId, SoftwareId } from '../../protocol/fields.ts';
import { type PriceClass, planLimitBytes } from '../../protocol/pricing.ts';
import type { Clock, Db, Sql } from '../ports.ts';
import { type ConsentRecord, scopesTowards } from '../rules/consent.ts';
import type { EligibilityCatalogue } from '../rules/eligibility-catalogue.ts';
import { type Age, ageOf, type DeliveryFacts, findMissing, type Missing, withoutContract, withoutReview } from '../rules/not-delivered.ts';
import type { ReleaseState } from '../rules/release-states.ts';
import type { SoftwareState } from '../rules/software-states.ts';
import type { TargetState } from '../rules/targets.ts';
import type { Actor } from './actor.ts';
import { appendAudit } from './audit.ts';
import { consentsOf } from './consents.ts';
import { eligibilityOn } from './contract-facts.ts';
import { type Listed, type Page, pageOf } from './page.ts';

const rowsPerLook = 500;
/** What the conditions refused for good is told for as long: then somebody has read it. */
const rejectedDays = 30;
const dayMs = 86_400_000;

export type NotDelivered = {
  readonly target: RandomId;
  readonly software: SoftwareId;
  readonly provider: ProviderId;
  readonly site: RandomId;
  readonly gateway: string | null;
  readonly state: TargetState;
  readonly version: string | null;
  readonly running: string | null;
  readonly orderedAt: Date;
  /** Since when it stands as it stands. */
  readonly since: Date;
  readonly age: Age;
} & Missing;
export type NotDeliveredFilter = {
  readonly software?: SoftwareId | undefined;
  readonly provider?: ProviderId | undefined;
  readonly who?: Missing['who'] | undefined;
  readonly age?: Age | undefined;
};
type Count = { readonly targets: number; readonly ages: Readonly<Partial<Record<Age, number>>> };
export type NotDeliveredSum = {
  readonly at: Date;
  readonly targets: number;
  readonly byWho: Readonly<Record<string, Count>>;
  readonly byReason: Readonly<Record<string, Count>>;
};

export function makeNotDelivered({ db, clock, catalogue }: { db: Db; clock: Clock; catalogue: EligibilityCatalogue }) {
  /** Every one that is missing, oldest order first, a look at a time. */
  async function* missing(filter: NotDeliveredFilter, after: RandomId | undefined, actor: Actor): AsyncGenerator<NotDelivered> {
    const nowMs = clock.nowMs();
    for (let last = after; ; ) {
      const rows = await readRows(db, { ...filter, ...ownOnly(actor) }, last, nowMs);
      for (const row of rows) {
        const found = await judge(db, row, catalogue, actor, nowMs);
        if (found !== undefined && isWanted(found, filter)) yield found;
      }
      last = rows.at(-1)?.target;
      if (rows.length < rowsPerLook) return;
    }
  }

  return {
    /** By age: the oldest order first. */
    list: async (filter: NotDeliveredFilter, page: Page<RandomId>, actor: Actor): Promise<Listed<NotDelivered>> => {
      const found: NotDelivered[] = [];
      for await (const one of missing(filter, page.after, actor)) {
        found.push(one);
        if (found.length > page.limit) break;
      }
      const listed = pageOf(found, page, 'target');
      await auditLook(db, { filter, targets: listed.items.length }, actor, clock.nowMs());
      return listed;
    },

    sum: async (filter: NotDeliveredFilter, actor: Actor): Promise<NotDeliveredSum> => {
      const sum = { targets: 0, byWho: {} as Record<string, Counting>, byReason: {} as Record<string, Counting> };
      for await (const one of missing(filter, undefined, actor)) {
        sum.targets += 1;
        count(sum.byWho, one.who, one.age);
        count(sum.byReason, one.reason?.number ?? one.because, one.age);
      }
      return { at: new Date(clock.nowMs()), ...sum };
    },
  };
}

/** Reasons speak of contracts, if only by random ids: who looked stands in the audit (DOMAIN §12). */
async function auditLook(
  db: Db,
  { filter, targets }: { filter: NotDeliveredFilter; targets: number },
  actor: Actor,
  nowMs: number,
): Promise<void> {
  const entry = { actor, action: 'report.read', subject: 'not-delivered', detail: { ...filter, targets }, why: 'not delivered' };
  await db.tx((sql) => appendAudit(sql, entry, nowMs));
}

type Counting = { targets: number; ages: Partial<Record<Age, number>> };
function count(into: Record<string, Counting>, name: string, age: Age): void {
  into[name] ??= { targets: 0, ages: {} };
  into[name].targets += 1;
  into[name].ages[age] = (into[name].ages[age] ?? 0) + 1;
}

function isWanted({ who, age }: NotDelivered, filter: NotDeliveredFilter): boolean {
  return (filter.who === undefined || filter.who === who) && (filter.age === undefined || filter.age === age);
}

const ownOnly = ({ role, provider }: Actor) => (role === 'provider' ? { provider } : {});

type Row = {
  target: RandomId;
  software: SoftwareId;
  provider: ProviderId;
  site: RandomId;
  customer: RandomId;
  state: TargetState;
  codes: string[];
  detail: ErrorDetail | null;
  softwareState: SoftwareState;
  version: string | null;
  releaseState: ReleaseState | null;
  running: string | null;
  runningBytes: number | null;
  plan: PriceClass | null;
  unitBytes: number | null;
  deadline: Date | null;
  graceUntil: Date | null;
  orderedAt: Date;
  since: Date;
  gateway: string | null;
  isEnrolled: boolean;
  isBlocked: boolean;
  isOnline: boolean | null;
  lastSeen: Date | null;
};

/** Whatever may be missing: the rule looks closer. */
function readRows(
  sql: Sql,
  { software, provider }: { software?: SoftwareId | undefined; provider?: ProviderId | undefined },
  after: RandomId | undefined,
  nowMs: number,
): Promise<Row[]> {
  return sql.query<Row>(
    `SELECT t.id AS target, t.software_id AS software, t.provider_id AS provider, t.site_id AS site, s.customer, t.state, t.state_codes AS codes,
       e.detail, w.state AS "softwareState", r.version, r.state AS "releaseState", t.committed_version AS running, t.plan, r.unit_bytes AS "unitBytes",
       (SELECT max(p.installed_bytes) FROM releases c JOIN packages p ON p.release_id = c.id
        WHERE t.grace_until IS NOT NULL AND c.software_id = t.software_id AND c.version = t.committed_version) AS "runningBytes",
       t.deadline, t.grace_until AS "graceUntil", t.requested_at AS "orderedAt", coalesce(e.at, t.requested_at) AS since,
       g.id AS gateway, g.blocked_at IS NOT NULL AS "isBlocked", g.online AS "isOnline", g.last_seen_at AS "lastSeen",
       EXISTS (SELECT 1 FROM gateway_certificates c WHERE c.gateway_id = g.id AND c.first_used_at IS NOT NULL) AS "isEnrolled"
     FROM targets t JOIN sites s ON s.id = t.site_id JOIN software w ON w.id = t.software_id LEFT JOIN releases r ON r.id = t.release_id
       LEFT JOIN gateways g ON g.site_id = t.site_id AND g.replaced_at IS NULL
       LEFT JOIN LATERAL (SELECT at, detail FROM target_events WHERE target_id = t.id AND from_state IS DISTINCT FROM to_state
                          ORDER BY id DESC LIMIT 1) e ON true
     WHERE ($1::text IS NULL OR t.software_id = $1) AND ($2::text IS NULL OR t.provider_id = $2)
       AND (t.ended_at IS NULL OR (t.state = 'REJECTED' AND t.ended_at > $3))
       AND (t.state <> 'ACTIVE' OR t.committed_version IS DISTINCT FROM r.version OR t.grace_until IS NOT NULL OR NOT coalesce(g.online, false))
       AND ($4::text IS NULL OR (t.requested_at, t.id) > (SELECT requested_at, id FROM targets WHERE id = $4))
     ORDER BY t.requested_at, t.id LIMIT $5`,
    [software ?? null, provider ?? null, new Date(nowMs - rejectedDays * dayMs), after ?? null, rowsPerLook],
  );
}

async function judge(sql: Sql, row: Row, catalogue: EligibilityCatalogue, actor: Actor, nowMs: number): Promise<NotDelivered | undefined> {
  const missing = findMissing(factsOf(row, await detailOf(sql, row, catalogue, nowMs)), nowMs);
  if (missing === undefined) return undefined;
  const { target, software, provider, site, gateway, state, version, running, orderedAt, since } = row;
  const shown = await visibleTo(sql, missing, row, actor, nowMs);
  return {
    target,
    software,
    provider,
    site,
    gateway,
    state,
    version,
    running,
    orderedAt,
    since,
    age: ageOf(since.getTime(), nowMs),
    ...shown,
  };
}

/** What a contract code says of today's contract; what a deployment ended with stands in its event. */
async function detailOf(
  sql: Sql,
  { site, codes, detail, state }: Row,
  catalogue: EligibilityCatalogue,
  nowMs: number,
): Promise<ErrorDetail> {
  if (state === 'FAILED' || state === 'ROLLED_BACK' || codes.length === 0) return detail ?? {};
  const { fired } = await eligibilityOn(sql, site, catalogue, nowMs);
  return fired.find(({ code }) => code === codes[0])?.detail ?? detail ?? {};
}

async function visibleTo(sql: Sql, missing: Missing, { customer, provider, software }: Row, actor: Actor, nowMs: number): Promise<Missing> {
  // A technician's page is read over a household's shoulder: no word of a review.
  if (actor.role !== 'operator' && actor.role !== 'provider') return withoutReview(missing);
  if (actor.role !== 'provider' || missing.because !== 'contract') return missing;
  const records: readonly ConsentRecord[] = await consentsOf(sql, customer);
  return scopesTowards(records, { provider, software }, nowMs).has('reasonsToProvider') ? missing : withoutContract(missing);
}

function factsOf(row: Row, detail: ErrorDetail): DeliveryFacts {
  const limit = row.plan === null || row.unitBytes === null ? undefined : planLimitBytes(row.plan, row.unitBytes);
  return {
    state: row.state,
    codes: row.codes,
    detail,
    software: row.softwareState,
    wanted: row.version === null || row.releaseState === null ? undefined : { version: row.version, state: row.releaseState },
    committedVersion: row.running ?? undefined,
    deadlineMs: row.deadline?.getTime(),
    graceUntilMs: row.graceUntil?.getTime(),
    planOver: limit === undefined || row.runningBytes === null ? undefined : { limit, actual: row.runningBytes },
    gateway:
      row.gateway === null
        ? undefined
        : {
            gateway: row.gateway,
            isEnrolled: row.isEnrolled,
            isBlocked: row.isBlocked,
            isOnline: row.isOnline === true,
            lastSeenMs: row.lastSeen?.getTime(),
          },
  };
}
