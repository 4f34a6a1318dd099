/** Answers for any gateway, site or customer and any software: the ladder of rules/explain.ts from what the database knows now. */
import { type ErrorDetail, TsugiteError } from '../../protocol/errors.ts';
import type { ProviderId, RandomId, SoftwareId } from '../../protocol/fields.ts';
import type { Clock, Db, Sql } from '../ports.ts';
import type { ConsentScope } from '../rules/consent.ts';
import type { EligibilityCatalogue } from '../rules/eligibility-catalogue.ts';
import { type Explanation, explainDelivery, hideContract, type Snapshot } from '../rules/explain.ts';
import { japanDay } from '../rules/japan-day.ts';
import { chooseOffer } from '../rules/order.ts';
import type { Actor } from './actor.ts';
import { appendAudit } from './audit.ts';
import { scopesOf } from './consents.ts';
import { eligibilityOn, factsOn } from './contract-facts.ts';
import { loadOffers } from './offers.ts';
import { customerOf } from './place.ts';
import { maySeeReasons } from './reasons.ts';

export type Question = {
  readonly software: SoftwareId;
  /** One of the three. */
  readonly gateway?: string | undefined;
  readonly site?: RandomId | undefined;
  readonly customerId?: string | undefined;
};
export type Answer = Explanation & { readonly software: SoftwareId; readonly site: RandomId; readonly target: RandomId | null };

export function makeExplainDelivery({ db, clock, catalogue }: { db: Db; clock: Clock; catalogue: EligibilityCatalogue }) {
  return (question: Question, actor: Actor): Promise<Answer> =>
    db.tx(async (sql) => {
      const nowMs = clock.nowMs();
      const { site, customer } = await placeOf(sql, question);
      const software = await softwareOf(sql, question.software);
      if (actor.role === 'provider' && software?.provider !== actor.provider)
        throw new TsugiteError('NOT_FOUND', { what: `software ${question.software}` });
      await appendAudit(
        sql,
        { actor, action: 'customer.read', subject: customer, detail: { site, software: question.software, why: 'explain' } },
        nowMs,
      );
      const scopes =
        software === undefined
          ? new Set<ConsentScope>()
          : await scopesOf(sql, { customer, provider: software.provider, software: question.software }, nowMs);
      const target = await targetOf(sql, site, question.software);
      const { hgwModel } = await factsOn(sql, site, japanDay(nowMs));
      const explanation = explainDelivery({
        eligibility: await eligibilityOn(sql, site, catalogue, nowMs),
        software,
        hasConsent: software?.consent === 'notRequired' || scopes.has('delivery'),
        misfit: software?.hasRelease ? await misfitOf(sql, question.software, hgwModel) : undefined,
        target,
        gateway: await gatewayOf(sql, site),
        report: target && (await reportOf(sql, target.id)),
      });
      const visible = maySeeReasons(actor, scopes) ? explanation : hideContract(explanation);
      return { software: question.software, site, target: target?.id ?? null, ...visible };
    });
}

async function placeOf(sql: Sql, { gateway, site, customerId }: Question): Promise<{ site: RandomId; customer: RandomId }> {
  if (customerId !== undefined) {
    const customer = await customerOf(sql, customerId);
    const [row] = await sql.query<{ site: RandomId }>('SELECT id AS site FROM sites WHERE customer = $1 ORDER BY created_at, id LIMIT 1', [
      customer,
    ]);
    if (row !== undefined) return { ...row, customer };
  }
  const [row] = await sql.query<{ site: RandomId; customer: RandomId }>(
    'SELECT s.id AS site, s.customer FROM sites s LEFT JOIN gateways g ON g.site_id = s.id AND g.replaced_at IS NULL WHERE s.id = $1 OR g.id = $2 LIMIT 1',
    [site ?? '', gateway ?? ''],
  );
  if (row === undefined) throw new TsugiteError('NOT_FOUND', { what: gateway === undefined ? 'site' : `site of gateway ${gateway}` });
  return row;
}

async function softwareOf(sql: Sql, id: SoftwareId) {
  const [row] = await sql.query<{ provider: ProviderId; consent: string } & NonNullable<Snapshot['software']>>(
    `SELECT s.provider_id AS provider, p.consent, s.state, EXISTS (SELECT 1 FROM releases r WHERE r.software_id = s.id) AS "hasRelease"
     FROM software s JOIN providers p ON p.id = s.provider_id WHERE s.id = $1`,
    [id],
  );
  return row;
}

async function misfitOf(sql: Sql, software: SoftwareId, model: string | null): Promise<Snapshot['misfit']> {
  try {
    chooseOffer(await loadOffers(sql, software), model ?? '');
    return undefined;
  } catch (error) {
    if (error instanceof TsugiteError) return { code: error.code, detail: error.detail };
    throw error;
  }
}

/** The open target, or the one that ended last. */
async function targetOf(sql: Sql, site: RandomId, software: SoftwareId) {
  const [row] = await sql.query<NonNullable<Snapshot['target']> & { id: RandomId }>(
    `SELECT t.id, t.state, r.version, t.committed_version AS "committedVersion", t.requested_at AS "requestedAt",
       t.entered_notice_at AS "enteredNoticeAt", t.deadline FROM targets t LEFT JOIN releases r ON r.id = t.release_id
     WHERE t.site_id = $1 AND t.software_id = $2 ORDER BY t.ended_at IS NULL DESC, t.requested_at DESC LIMIT 1`,
    [site, software],
  );
  return row;
}

async function gatewayOf(sql: Sql, site: RandomId): Promise<Snapshot['gateway']> {
  const [row] = await sql.query<NonNullable<Snapshot['gateway']>>(
    `SELECT id AS gateway, blocked_at IS NOT NULL AS "isBlocked", online, last_seen_at AS "lastSeenAt", notice_version AS "noticeVersion",
       applied_version AS "appliedVersion",
       EXISTS (SELECT 1 FROM gateway_certificates c WHERE c.gateway_id = gateways.id AND c.first_used_at IS NOT NULL) AS "isEnrolled"
     FROM gateways WHERE site_id = $1 AND replaced_at IS NULL`,
    [site],
  );
  return row;
}

async function reportOf(sql: Sql, target: RandomId): Promise<Snapshot['report']> {
  const [row] = await sql.query<{ state: string | null; code: string | null; detail: ErrorDetail; at: Date }>(
    `SELECT state, code, detail, received_at AS at FROM reports WHERE target_id = $1 AND kind IN ('end', 'failure') ORDER BY id DESC LIMIT 1`,
    [target],
  );
  return row;
}
