/** Reads from the database all that a gateway's notice depends on. */
import { digest, type GatewayId, type ProviderId, type RandomId, type SoftwareId, version } from '../../protocol/fields.ts';
import type { PriceClass } from '../../protocol/pricing.ts';
import { manifestSchema } from '../../protocol/statements/manifest.ts';
import { type Policy, type Removal, target as targetSchema } from '../../protocol/statements/notice.ts';
import type { Sql } from '../ports.ts';
import type { NoticeFacts, Offer, TargetFacts } from '../rules/notice-content.ts';
import type { TargetState } from '../rules/targets.ts';

export type GatewayRow = {
  readonly id: GatewayId;
  readonly site_id: RandomId | null;
  readonly model: string;
  readonly replaced_at: Date | null;
};

type TargetRow = {
  id: RandomId;
  software_id: SoftwareId;
  provider_id: ProviderId;
  state: TargetState;
  attempt: number;
  plan: PriceClass | null;
  rollback: unknown;
  deadline: Date | null;
  grace_until: Date | null;
  entitled_until: Date | null;
  committed_version: string | null;
  removed_reason: Removal['reason'] | null;
  purged_at: Date | null;
  software_state: string;
  wanted_version: string | null;
};
type OfferRow = {
  software_id: string;
  version: string;
  state: string;
  unit_bytes: number;
  sha256: string;
  bytes: number;
  manifest_sha256: string;
  installed_bytes: number;
  manifest: unknown;
};

export async function loadNoticeFacts(sql: Sql, gateway: GatewayRow, policy: Policy, nowMs: number): Promise<NoticeFacts> {
  const rows = gateway.site_id === null ? [] : await targetsOfSite(sql, gateway.site_id);
  const isInPlace = gateway.replaced_at === null;
  const open = isInPlace ? rows.filter((row) => row.state !== 'TERMINATED' && row.state !== 'REJECTED') : [];
  const offers = await offersFor(sql, open, gateway.model);
  return {
    gateway: gateway.id,
    model: gateway.model,
    rootVersion: await newestRootVersion(sql),
    policy,
    targets: open.map((row) => factsOf(row, offers)),
    removed: rows.flatMap((row) => removalOf(row, isInPlace)),
    requests: await openRequests(sql, gateway.id, nowMs),
  };
}

function targetsOfSite(sql: Sql, site: RandomId): Promise<TargetRow[]> {
  return sql.query<TargetRow>(
    `SELECT t.id, t.software_id, t.provider_id, t.state, t.attempt, t.plan, t.rollback, t.deadline, t.grace_until, t.entitled_until,
            t.committed_version, t.removed_reason, t.purged_at, s.state AS software_state, r.version AS wanted_version
     FROM targets t JOIN software s ON s.id = t.software_id LEFT JOIN releases r ON r.id = t.release_id
     WHERE t.site_id = $1 AND t.purged_at IS NULL ORDER BY t.requested_at, t.id`,
    [site],
  );
}

/** A package made for this very model goes before one for all models. */
async function offersFor(sql: Sql, targets: readonly TargetRow[], model: string): Promise<ReadonlyMap<string, Offer>> {
  const wanted = targets.flatMap((row) =>
    [row.wanted_version, row.committed_version].flatMap((text) => (text === null ? [] : [[row.software_id, text] as const])),
  );
  const rows = await sql.query<OfferRow>(
    `SELECT r.software_id, r.version, r.state, r.unit_bytes, p.sha256, p.bytes, p.manifest_sha256, p.installed_bytes, p.manifest
     FROM unnest($1::text[], $2::text[]) AS w (software_id, version)
     JOIN releases r ON r.software_id = w.software_id AND r.version = w.version JOIN packages p ON p.release_id = r.id
     WHERE p.models && ARRAY[$3::text, '*'] ORDER BY p.models @> ARRAY['*'] DESC, p.admitted_at`,
    [wanted.map(([software]) => software), wanted.map(([, text]) => text), model],
  );
  return new Map(rows.map((row) => [`${row.software_id} ${row.version}`, offerOf(row)]));
}

function offerOf(row: OfferRow): Offer {
  const { resources, permissions } = manifestSchema.parse(row.manifest);
  return {
    version: version.parse(row.version),
    isOffered: row.state === 'ADMITTED',
    unitBytes: row.unit_bytes,
    package: { sha256: digest.parse(row.sha256), bytes: row.bytes },
    manifestSha256: digest.parse(row.manifest_sha256),
    installedBytes: row.installed_bytes,
    resources,
    permissions,
  };
}

function factsOf(row: TargetRow, offers: ReadonlyMap<string, Offer>): TargetFacts {
  return {
    target: row.id,
    software: row.software_id,
    provider: row.provider_id,
    state: row.state,
    isSoftwareOpen: row.software_state === 'PUBLISHED' || row.software_state === 'REGISTERED',
    wanted: offers.get(`${row.software_id} ${row.wanted_version}`),
    committed: offers.get(`${row.software_id} ${row.committed_version}`),
    attempt: row.attempt,
    plan: row.plan ?? undefined,
    deadlineMs: row.deadline?.getTime(),
    graceUntilMs: row.grace_until?.getTime(),
    rollback: row.rollback === null ? undefined : targetSchema.shape.rollback.parse(row.rollback),
  };
}

/** What was never leased never reached a gateway and has to be removed from none; a gateway that was swapped out loses everything. */
function removalOf(row: TargetRow, isInPlace: boolean): Removal[] {
  if (row.entitled_until === null) return [];
  const named = { target: row.id, software: row.software_id, provider: row.provider_id };
  if (!isInPlace) return [{ ...named, reason: 'replaced' }];
  return row.state === 'TERMINATED' && row.removed_reason !== null ? [{ ...named, reason: row.removed_reason }] : [];
}

async function openRequests(sql: Sql, gateway: GatewayId, nowMs: number): Promise<NoticeFacts['requests']> {
  const rows = await sql.query<{ id: RandomId; kind: 'bundle' | 'resync'; expires_at: Date; max_bytes: number }>(
    'SELECT id, kind, expires_at, max_bytes FROM gateway_requests WHERE gateway_id = $1 AND done_at IS NULL AND expires_at > $2 ORDER BY created_at',
    [gateway, new Date(nowMs)],
  );
  return rows.map((row) => ({ id: row.id, kind: row.kind, expiresMs: row.expires_at.getTime(), maxBytes: row.max_bytes }));
}

async function newestRootVersion(sql: Sql): Promise<number> {
  const [row] = await sql.query<{ version: number }>('SELECT version FROM roots ORDER BY version DESC LIMIT 1');
  if (row === undefined) throw new Error('there is no root in the database: tsugite-server init makes the first one');
  return row.version;
}
