/** Answers for any gateway, site or customer and any software: the ladder of rules/explain.ts from what the database knows now. */
import { TsugiteError } from '../../protocol/errors.ts';
import type { RandomId, SoftwareId } from '../../protocol/fields.ts';
import type { Clock, Db, Sql } from '../ports.ts';
import type { EligibilityCatalogue } from '../rules/eligibility-catalogue.ts';
import { type Explanation, explainDelivery, hideContract } from '../rules/explain.ts';
import type { Actor } from './actor.ts';
import { appendAudit } from './audit.ts';
import { type KnownSoftware, loadSnapshot } from './load-snapshot.ts';
import { type Place, placeOf } from './place.ts';
import { maySeeReasons } from './reasons.ts';

export type Question = Place & {
  readonly software: SoftwareId;
  /** Left out: to explain is the purpose. */
  readonly why?: string | undefined;
};
export type Answer = Explanation & {
  readonly software: SoftwareId;
  readonly site: RandomId;
  readonly target: string | null;
  readonly at: Date;
};

export function makeExplainDelivery({ db, clock, catalogue }: { db: Db; clock: Clock; catalogue: EligibilityCatalogue }) {
  return (question: Question, actor: Actor): Promise<Answer> =>
    db.tx(async (sql) => {
      const nowMs = clock.nowMs();
      const found = await placeOf(sql, question);
      const software = await softwareOf(sql, question.software);
      if (actor.role === 'provider' && software?.provider !== actor.provider)
        throw new TsugiteError('NOT_FOUND', { what: `software ${question.software}` });
      const mayKnowReview = actor.role === 'operator' || actor.role === 'provider';
      const snapshot = await loadSnapshot(sql, { ...found, software }, { catalogue, mayKnowReview, nowMs });
      const detail = { what: 'explain', site: found.site, software: question.software };
      const { why = 'explain' } = question;
      await appendAudit(sql, { actor, action: 'customer.read', subject: found.customer, detail, why }, nowMs);
      const explanation = explainDelivery(snapshot);
      const visible = maySeeReasons(actor, new Set(snapshot.consent.scopes)) ? explanation : hideContract(explanation);
      return { software: question.software, site: found.site, target: snapshot.target?.target ?? null, at: new Date(nowMs), ...visible };
    });
}

async function softwareOf(sql: Sql, id: SoftwareId): Promise<KnownSoftware | undefined> {
  const [row] = await sql.query<KnownSoftware>(
    `SELECT s.id, s.provider_id AS provider, p.consent = 'required' AS "isConsentRequired" FROM software s JOIN providers p ON p.id = s.provider_id
     WHERE s.id = $1`,
    [id],
  );
  return row;
}
