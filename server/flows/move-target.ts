/** The only writer of `targets.state`: by the table of rules/targets.ts, with the step kept in `target_events`. */
import type { RandomId } from '../../protocol/fields.ts';
import type { Sql } from '../ports.ts';
import { japanDay } from '../rules/japan-day.ts';
import { endedStates, nextState, type TargetEvent, type TargetState } from '../rules/targets.ts';
import { countedEnd } from './closed-until.ts';
import { followTarget } from './move-application.ts';
import { markNoticeDue } from './notice-due.ts';

export type TargetStep = {
  readonly target: RandomId;
  readonly event: TargetEvent;
  readonly atMs: number;
  /** Token label, gateway id or `rule`: never an お客さまID. */
  readonly by: string;
  readonly codes?: readonly string[];
  readonly detail?: Readonly<Record<string, unknown>>;
  /** With `end`. */
  readonly removedReason?: 'cancelled' | 'prohibited' | 'withdrawn' | 'household' | 'replaced';
  /** With an end: the day in Japan on which the contract ended, where that is not the day of `atMs` (D-31). Charges end with it. */
  readonly endedOn?: string | undefined;
};

/** @returns the new state, or undefined when the event changes nothing (a report that came late or twice) */
export async function moveTarget(sql: Sql, step: TargetStep): Promise<TargetState | undefined> {
  const [row] = await sql.query<{ state: TargetState; site_id: RandomId }>('SELECT state, site_id FROM targets WHERE id = $1 FOR UPDATE', [
    step.target,
  ]);
  const next = row && nextState(row.state, step.event);
  if (row === undefined || next === undefined) return undefined;
  const at = new Date(step.atMs);
  const isEnd = endedStates.includes(next);
  await sql.query(
    `UPDATE targets SET state = $2, state_codes = $3,
       ready_at = CASE WHEN $4 THEN coalesce(ready_at, $6) ELSE ready_at END,
       ended_at = CASE WHEN $5 THEN $6::timestamptz END,
       ended_on = $8::date,
       removed_reason = coalesce($7, removed_reason)
     WHERE id = $1`,
    [
      step.target,
      next,
      step.codes ?? [],
      step.event === 'clear',
      isEnd,
      at,
      step.removedReason ?? null,
      isEnd ? await countedEnd(sql, step.endedOn ?? japanDay(step.atMs), step.atMs) : null,
    ],
  );
  await sql.query(
    'INSERT INTO target_events (target_id, at, event, from_state, to_state, codes, by, detail) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)',
    [step.target, at, step.event, row.state, next, step.codes ?? [], step.by, step.detail ?? {}],
  );
  const follows = endedStates.includes(next) ? 'closed' : step.event === 'committed' ? 'delivered' : undefined;
  if (follows !== undefined) await followTarget(sql, { target: step.target, event: follows, atMs: step.atMs, by: step.by });
  if (next !== row.state || step.event === 'wanted' || step.event === 'redeliver')
    await markNoticeDue(sql, { sites: [row.site_id] }, step.atMs);
  return next;
}
