/** Applications (サービス利用申し込み): a customer's way to a software, as its steps are said to us (DOMAIN §5.1). Steps 5 and 6 come from the order and the report. */
import { TsugiteError } from '../../protocol/errors.ts';
import type { ProviderId, RandomId, SoftwareId } from '../../protocol/fields.ts';
import type { Clock, Db, Random, Sql } from '../ports.ts';
import { type ApplicationEvent, type ApplicationState, applicationEvents, nextEvents, payees, stepNames } from '../rules/application.ts';
import { type Actor, verifyOwn } from './actor.ts';
import { appendAudit } from './audit.ts';
import { moveApplication } from './move-application.ts';
import { lockSoftware } from './offers.ts';
import { type Listed, type Page, pageOf, rowsFor } from './page.ts';
import { customerOf } from './place.ts';

export type SaidStep = {
  readonly event: Exclude<ApplicationEvent, 'deliveryRequested' | 'delivered'>;
  /** With `lineInUse` and `guideSent`, which make it known. */
  readonly customerId?: string | undefined;
  /** With `environmentPrepared`. */
  readonly preparedBy?: 'installer' | 'customer' | 'notNeeded' | undefined;
};
export type ApplicationRow = {
  readonly application: RandomId;
  readonly software: SoftwareId;
  readonly provider: ProviderId;
  readonly reference: string;
  readonly state: ApplicationState;
  readonly isCustomerKnown: boolean;
  readonly target: RandomId | null;
  readonly createdAt: Date;
};

export function makeApplications({ db, clock, random }: { db: Db; clock: Clock; random: Random }) {
  return {
    /** Step 1. The same number again is the same application. */
    open: (
      { software, reference }: { software: SoftwareId; reference: string },
      actor: Actor,
    ): Promise<{ application: RandomId; state: ApplicationState; isRepeat: boolean }> =>
      db.tx(async (sql) => {
        const nowMs = clock.nowMs();
        const { provider } = await lockSoftware(sql, software, actor);
        const [made] = await sql.query<{ id: RandomId }>(
          `INSERT INTO applications (id, software_id, provider_id, reference, state, created_at) VALUES ($1, $2, $3, $4, 'APPLIED', $5)
           ON CONFLICT (provider_id, software_id, reference) DO NOTHING RETURNING id`,
          [random.id(), software, provider, reference, new Date(nowMs)],
        );
        if (made === undefined) return { ...(await known(sql, provider, software, reference)), isRepeat: true };
        await sql.query(
          `INSERT INTO application_steps (application_id, event, to_state, at, by) VALUES ($1, 'serviceApplied', 'APPLIED', $2, $3)`,
          [made.id, new Date(nowMs), actor.name],
        );
        await appendAudit(sql, { actor, action: 'application.open', subject: made.id, detail: { software } }, nowMs);
        return { application: made.id, state: 'APPLIED', isRepeat: false };
      }),

    /** @throws TsugiteError NOT_FOUND · API_FORBIDDEN (not the caller's to say) · STEP_MISSING · CUSTOMER_UNKNOWN · INPUT_REFUSED */
    step: (
      application: RandomId,
      said: SaidStep,
      actor: Actor,
    ): Promise<{ application: RandomId; state: ApplicationState; isRepeat: boolean }> =>
      db.tx(async (sql) => {
        const nowMs = clock.nowMs();
        verifyOwn(actor, (await ownApplication(sql, application, actor)).provider);
        verifySaid(said, actor);
        const customer = said.customerId === undefined ? undefined : await customerOf(sql, said.customerId);
        const { event, preparedBy } = said;
        const moved = await moveApplication(sql, { application, event, atMs: nowMs, by: actor.name, customer, preparedBy });
        if (!moved.isRepeat)
          await appendAudit(sql, { actor, action: `application.${event}`, subject: application, detail: { state: moved.state } }, nowMs);
        return { application, ...moved };
      }),

    list: async (
      filter: { software?: SoftwareId | undefined; state?: ApplicationState | undefined },
      page: Page<RandomId>,
      actor: Actor,
    ): Promise<Listed<ApplicationRow>> => {
      const rows = await db.query<ApplicationRow>(
        `${applicationQuery} WHERE ($1::text IS NULL OR a.provider_id = $1) AND ($2::text IS NULL OR a.software_id = $2)
           AND ($3::text IS NULL OR a.state = $3)
           AND ($4::text IS NULL OR (a.created_at, a.id) > (SELECT created_at, id FROM applications WHERE id = $4))
         ORDER BY a.created_at, a.id LIMIT $5`,
        [actor.provider ?? null, filter.software ?? null, filter.state ?? null, page.after ?? null, rowsFor(page)],
      );
      return pageOf(rows, page, 'application');
    },

    show: async (application: RandomId, actor: Actor) => {
      const row = await ownApplication(db, application, actor);
      const steps = await db.query<{ event: string; to: ApplicationState; preparedBy: string | null; at: Date; by: string }>(
        `SELECT event, to_state AS "to", prepared_by AS "preparedBy", at, by FROM application_steps WHERE application_id = $1 ORDER BY id`,
        [application],
      );
      const next = nextEvents(row.state).map((event) => ({ event, ...stepNames[applicationEvents[event].step] }));
      return { ...row, steps, next, payees };
    },
  };
}

const applicationQuery = `SELECT a.id AS application, a.software_id AS software, a.provider_id AS provider, a.reference, a.state,
  a.customer IS NOT NULL AS "isCustomerKnown", a.target_id AS target, a.created_at AS "createdAt" FROM applications a`;

/** Another provider's application does not exist for a provider. */
async function ownApplication(sql: Sql, application: RandomId, actor: Actor): Promise<ApplicationRow> {
  const [row] = await sql.query<ApplicationRow>(`${applicationQuery} WHERE a.id = $1 AND ($2::text IS NULL OR a.provider_id = $2)`, [
    application,
    actor.provider ?? null,
  ]);
  if (row === undefined) throw new TsugiteError('NOT_FOUND', { what: 'application' });
  return row;
}

async function known(
  sql: Sql,
  provider: ProviderId,
  software: SoftwareId,
  reference: string,
): Promise<{ application: RandomId; state: ApplicationState }> {
  const [row] = await sql.query<{ application: RandomId; state: ApplicationState }>(
    'SELECT id AS application, state FROM applications WHERE provider_id = $1 AND software_id = $2 AND reference = $3',
    [provider, software, reference],
  );
  return row as { application: RandomId; state: ApplicationState };
}

function verifySaid({ event, customerId, preparedBy }: SaidStep, { role }: Actor): void {
  const by: readonly string[] = applicationEvents[event].by;
  if (!by.includes(role)) throw new TsugiteError('API_FORBIDDEN', { role });
  const faults = [];
  const makesKnown = event === 'lineInUse' || event === 'guideSent';
  if (makesKnown !== (customerId !== undefined)) faults.push({ field: 'customerId', fault: makesKnown ? 'needed' : `not with ${event}` });
  const isPreparation = event === 'environmentPrepared';
  if (isPreparation !== (preparedBy !== undefined))
    faults.push({ field: 'preparedBy', fault: isPreparation ? 'needed' : `not with ${event}` });
  if (faults.length > 0) throw new TsugiteError('INPUT_REFUSED', { faults });
}
