/** Reads from the database all that `explain` looks at. */
import { parseEnvelope, payloadOf } from '../../protocol/dsse.ts';
import { type ErrorDetail, TsugiteError } from '../../protocol/errors.ts';
import type { ProviderId, RandomId, SoftwareId } from '../../protocol/fields.ts';
import { profileOf } from '../../protocol/gateway-models.ts';
import { type PriceClass, planLimitBytes } from '../../protocol/pricing.ts';
import { parseNotice } from '../../protocol/statements/notice.ts';
import type { Sql } from '../ports.ts';
import { type ConsentRecord, isAbout, scopesTowards } from '../rules/consent.ts';
import { decideEligibility } from '../rules/eligibility.ts';
import { type EligibilityCatalogue, linesOn, seriesOn } from '../rules/eligibility-catalogue.ts';
import type { Snapshot } from '../rules/explain-snapshot.ts';
import { japanDay } from '../rules/japan-day.ts';
import { chooseOffer, type ReleaseOffer, verifyFit } from '../rules/order.ts';
import { endedStates } from '../rules/targets.ts';
import { consentsOf } from './consents.ts';
import { statementOn } from './contract-facts.ts';
import { loadOffers } from './offers.ts';
import type { Found } from './place.ts';
import { isPublicationHeld } from './publication-hold.ts';

export type KnownSoftware = { readonly id: SoftwareId; readonly provider: ProviderId; readonly isConsentRequired: boolean };

export async function loadSnapshot(
  sql: Sql,
  { site, customer, software }: Found & { readonly software: KnownSoftware | undefined },
  { catalogue, mayKnowReview, nowMs }: { catalogue: EligibilityCatalogue; mayKnowReview: boolean; nowMs: number },
): Promise<Snapshot> {
  const target = software && (await targetOf(sql, site, software.id));
  const isOpen = target !== undefined && !endedStates.includes(target.state);
  const contract = await contractOf(sql, site, catalogue, isOpen, nowMs);
  const { hgwModel } = contract.facts;
  const gateway = await gatewayOf(sql, site);
  const chosen = software && (await releaseOf(sql, software.id, hgwModel, isOpen ? target.version : null));
  return {
    nowMs,
    isHeld: await isPublicationHeld(sql),
    contract,
    application: software && (await applicationOf(sql, customer, software.id, target?.target)),
    consent: await consentOf(sql, customer, software, nowMs),
    software: software && { ...(await softwareOf(sql, software.id)), mayKnowReview },
    release: chosen?.release,
    misfit: chosen?.misfit,
    model: { model: hgwModel, limit: profileOf(hgwModel ?? '')?.installedBytes ?? null },
    target,
    gateway,
    notice: gateway && (await noticeOf(sql, gateway.gateway, target?.target)),
    report: target && (await reportOf(sql, target.target)),
  };
}

/** What was ordered is judged as what goes on; what was not, as a new order. */
async function contractOf(
  sql: Sql,
  site: RandomId,
  catalogue: EligibilityCatalogue,
  isOrdered: boolean,
  nowMs: number,
): Promise<Snapshot['contract']> {
  const day = japanDay(nowMs);
  const asked = isOrdered ? 'service' : 'new-order';
  const statement = await statementOn(sql, site, day);
  return {
    ...statement,
    profile: catalogue.profile,
    lines: [...linesOn(catalogue, day, asked)],
    series: seriesOn(catalogue, day, asked),
    eligibility: decideEligibility(statement.facts, catalogue, day, asked),
  };
}

async function applicationOf(
  sql: Sql,
  customer: RandomId,
  software: SoftwareId,
  target: string | undefined,
): Promise<Snapshot['application']> {
  const [row] = await sql.query<NonNullable<Snapshot['application']>>(
    `SELECT a.id AS application, a.state, (SELECT max(at) FROM application_steps WHERE application_id = a.id) AS since FROM applications a
     WHERE a.software_id = $2 AND (a.target_id = $3 OR a.customer = $1 AND a.target_id IS NULL AND a.state <> 'CLOSED')
     ORDER BY a.target_id = $3 DESC NULLS LAST, a.created_at DESC LIMIT 1`,
    [customer, software, target ?? null],
  );
  return row;
}

async function consentOf(sql: Sql, customer: RandomId, software: KnownSoftware | undefined, nowMs: number): Promise<Snapshot['consent']> {
  if (software === undefined) return { isRequired: true, scopes: [], givenAt: null, withdrawnAt: null };
  const of = { provider: software.provider, software: software.id };
  const records = (await consentsOf(sql, customer)).filter((record) => isAbout(record, of));
  const delivery = records.filter(({ scopes }) => scopes.includes('delivery'));
  const given = delivery.find(({ withdrawn }) => !withdrawn.some(({ scope }) => scope === 'delivery')) ?? delivery[0];
  return {
    isRequired: software.isConsentRequired,
    scopes: [...scopesTowards(records, of, nowMs)],
    givenAt: given === undefined ? null : new Date(given.givenAtMs),
    withdrawnAt: withdrawnAt(given),
  };
}

function withdrawnAt(record: ConsentRecord | undefined): Date | null {
  const at = record?.withdrawn.find(({ scope }) => scope === 'delivery')?.atMs;
  return at === undefined ? null : new Date(at);
}

async function softwareOf(sql: Sql, software: SoftwareId): Promise<Omit<NonNullable<Snapshot['software']>, 'mayKnowReview'>> {
  const [row] = await sql.query<{
    state: NonNullable<Snapshot['software']>['state'];
    since: Date | null;
    review: { case: string; openedAt: string } | null;
  }>(
    `SELECT s.state, coalesce((SELECT max(at) FROM software_events WHERE software_id = s.id), s.registered_at) AS since,
       (SELECT json_build_object('case', c.id, 'openedAt', c.opened_at) FROM ethics_cases c WHERE c.software_id = s.id AND c.decision IS NULL) AS review
     FROM software s WHERE s.id = $1`,
    [software],
  );
  const { state, since, review } = row as NonNullable<typeof row>;
  return { state, since, review: review === null ? undefined : { case: review.case, openedAt: new Date(review.openedAt) } };
}

/** The release that the target wants; without one, what an order would get now. */
async function releaseOf(
  sql: Sql,
  software: SoftwareId,
  model: string | null,
  wanted: string | null,
): Promise<{ release: Snapshot['release']; misfit: Snapshot['misfit'] }> {
  const offers = await loadOffers(sql, software);
  const own = offers.find(({ version }) => version === wanted);
  let offer: ReleaseOffer | undefined = own;
  let misfit: Snapshot['misfit'];
  try {
    if (own === undefined) offer = chooseOffer(offers, model ?? '');
    else verifyFit(own, model ?? '');
  } catch (error) {
    if (!(error instanceof TsugiteError)) throw error;
    misfit = { code: error.code, detail: error.detail };
  }
  return { release: offer && (await releaseRow(sql, offer.release)), misfit };
}

async function releaseRow(sql: Sql, release: RandomId): Promise<Snapshot['release']> {
  const [row] = await sql.query<Omit<NonNullable<Snapshot['release']>, 'planLimit'> & { plan: PriceClass; unitBytes: number }>(
    `SELECT version, state, admitted_at AS "admittedAt", halted_at AS "haltedAt", halt_reason AS "haltReason", installed_bytes AS "installedBytes",
       plan, unit_bytes AS "unitBytes" FROM releases WHERE id = $1`,
    [release],
  );
  if (row === undefined) return undefined;
  const { unitBytes, ...told } = row;
  return { ...told, planLimit: planLimitBytes(told.plan, unitBytes) };
}

/** The open target, or the one that ended last. */
async function targetOf(
  sql: Sql,
  site: RandomId,
  software: SoftwareId,
): Promise<(NonNullable<Snapshot['target']> & { version: string | null }) | undefined> {
  const [row] = await sql.query<NonNullable<Snapshot['target']> & { version: string | null }>(
    `SELECT t.id AS target, t.state, t.plan, t.attempt, r.version, t.committed_version AS "committedVersion", t.requested_at AS "requestedAt",
       t.ready_at AS "readyAt", t.entered_notice_at AS "enteredNoticeAt", t.deadline, t.entitled_until AS "entitledUntil",
       t.grace_until AS "graceUntil", t.ended_at AS "endedAt", t.removed_reason AS "removedReason", t.purged_at AS "purgedAt",
       coalesce((SELECT max(at) FROM target_events WHERE target_id = t.id AND from_state IS DISTINCT FROM to_state), t.requested_at) AS since,
       (SELECT found_at FROM silent_deployments d WHERE d.target_id = t.id AND d.deadline = t.deadline) AS "silentSince",
       (SELECT max(p.installed_bytes) FROM releases c JOIN packages p ON p.release_id = c.id
        WHERE t.grace_until IS NOT NULL AND c.software_id = t.software_id AND c.version = t.committed_version) AS "runningBytes"
     FROM targets t LEFT JOIN releases r ON r.id = t.release_id
     WHERE t.site_id = $1 AND t.software_id = $2 ORDER BY t.ended_at IS NULL DESC, t.requested_at DESC LIMIT 1`,
    [site, software],
  );
  return row;
}

async function gatewayOf(sql: Sql, site: RandomId): Promise<Snapshot['gateway']> {
  const [row] = await sql.query<NonNullable<Snapshot['gateway']>>(
    `SELECT id AS gateway, model, blocked_at IS NOT NULL AS "isBlocked", online, last_seen_at AS "lastSeenAt", agent_version AS agent,
       applied_version AS "appliedVersion",
       EXISTS (SELECT 1 FROM gateway_certificates c WHERE c.gateway_id = gateways.id AND c.first_used_at IS NOT NULL) AS "isEnrolled"
     FROM gateways WHERE site_id = $1 AND replaced_at IS NULL`,
    [site],
  );
  return row;
}

async function noticeOf(sql: Sql, gateway: string, target: string | undefined): Promise<Snapshot['notice']> {
  const [row] = await sql.query<{ version: number; issuedAt: Date; expiresAt: Date; envelope: Buffer }>(
    `SELECT version, issued_at AS "issuedAt", expires_at AS "expiresAt", envelope FROM notices WHERE gateway_id = $1 ORDER BY version DESC LIMIT 1`,
    [gateway],
  );
  if (row === undefined) return undefined;
  const { envelope, ...told } = row;
  const { targets, removed } = parseNotice(payloadOf(parseEnvelope(envelope)));
  const [noticed] = await sql.query<{ version: number | null }>(
    `SELECT (detail->>'notice')::bigint AS version FROM target_events WHERE target_id = $1 AND event = 'noticed' ORDER BY id DESC LIMIT 1`,
    [target ?? null],
  );
  return {
    ...told,
    listed: targets.find((one) => one.target === target),
    removed: removed.find((one) => one.target === target),
    noticedVersion: noticed?.version ?? null,
  };
}

async function reportOf(sql: Sql, target: string): Promise<Snapshot['report']> {
  const [row] = await sql.query<NonNullable<Snapshot['report']> & { detail: ErrorDetail }>(
    `SELECT kind, state, version, code, detail, at AS "saidAt", received_at AS "receivedAt" FROM reports
     WHERE target_id = $1 AND kind IN ('start', 'end', 'failure') ORDER BY id DESC LIMIT 1`,
    [target],
  );
  return row;
}
