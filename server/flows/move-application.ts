/** The only writer of `applications.state`: by the table of rules/application.ts, with the step kept in `application_steps`. */
import { TsugiteError } from '../../protocol/errors.ts';
import type { RandomId, SoftwareId } from '../../protocol/fields.ts';
import type { Sql } from '../ports.ts';
import { type ApplicationEvent, type ApplicationState, decideStep, stepNames } from '../rules/application.ts';

export type ApplicationStep = {
  readonly application: RandomId;
  readonly event: ApplicationEvent;
  readonly atMs: number;
  readonly by: string;
  /** Whose application it is, once that is known. */
  readonly customer?: RandomId | undefined;
  readonly target?: RandomId | undefined;
  readonly preparedBy?: 'installer' | 'customer' | 'notNeeded' | undefined;
};
type Row = { state: ApplicationState; customer: RandomId | null };

/**
 * @returns whether anything changed: a step said twice is taken once
 * @throws TsugiteError NOT_FOUND · STEP_MISSING · CUSTOMER_UNKNOWN · CONFLICT (it is another customer's)
 */
export async function moveApplication(sql: Sql, step: ApplicationStep): Promise<{ state: ApplicationState; isRepeat: boolean }> {
  const [row] = await sql.query<Row>('SELECT state, customer FROM applications WHERE id = $1 FOR UPDATE', [step.application]);
  if (row === undefined) throw new TsugiteError('NOT_FOUND', { what: 'application' });
  if (step.customer !== undefined && row.customer !== null && step.customer !== row.customer)
    throw new TsugiteError('CONFLICT', { what: 'customer' });
  const customer = row.customer ?? step.customer ?? null;
  const decision = decideStep(row.state, step.event, customer !== null);
  switch (decision.kind) {
    case 'repeat':
      return { state: row.state, isRepeat: true };
    case 'refuse':
      throw decision.why === 'customer-unknown' ? new TsugiteError('CUSTOMER_UNKNOWN') : missingStep(decision);
    case 'step':
      await save(sql, step, row.state, decision.to, customer);
      return { state: decision.to, isRepeat: false };
  }
}

function missingStep({ step, missing }: { step: keyof typeof stepNames; missing: keyof typeof stepNames | undefined }): TsugiteError {
  if (missing === undefined) return new TsugiteError('STEP_MISSING', { kind: 'done', step: stepNames[step] });
  const who = missing >= 4 ? { kind: 'provider' } : {};
  return new TsugiteError('STEP_MISSING', { ...who, step: stepNames[step], missing: stepNames[missing] });
}

async function save(
  sql: Sql,
  { application, event, atMs, by, target, preparedBy }: ApplicationStep,
  from: ApplicationState,
  to: ApplicationState,
  customer: RandomId | null,
): Promise<void> {
  await sql.query('UPDATE applications SET state = $2, customer = $3, target_id = coalesce(target_id, $4) WHERE id = $1', [
    application,
    to,
    customer,
    target ?? null,
  ]);
  await sql.query(
    'INSERT INTO application_steps (application_id, event, from_state, to_state, prepared_by, at, by) VALUES ($1, $2, $3, $4, $5, $6, $7)',
    [application, event, from, to, preparedBy ?? null, new Date(atMs), by],
  );
}

/** What a target's own step means for the application that it came from (steps 6 and the end). */
export async function followTarget(
  sql: Sql,
  { target, event, atMs, by }: { target: RandomId; event: 'delivered' | 'closed'; atMs: number; by: string },
): Promise<void> {
  const [row] = await sql.query<{ id: RandomId; state: ApplicationState }>('SELECT id, state FROM applications WHERE target_id = $1', [
    target,
  ]);
  if (row === undefined || row.state === 'CLOSED' || (event === 'delivered' && row.state !== 'REQUESTED')) return;
  await moveApplication(sql, { application: row.id, event, atMs, by });
}

/** The application that an order belongs to when it names none: the newest open one of this customer for this software. */
export async function openApplicationOf(
  sql: Sql,
  { customer, software }: { customer: RandomId; software: SoftwareId },
): Promise<RandomId | undefined> {
  const [row] = await sql.query<{ id: RandomId }>(
    `SELECT id FROM applications WHERE customer = $1 AND software_id = $2 AND state NOT IN ('REQUESTED', 'ACTIVE', 'CLOSED')
     ORDER BY created_at DESC, id DESC LIMIT 1`,
    [customer, software],
  );
  return row?.id;
}
