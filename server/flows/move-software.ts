/** The only writer of `software.state`: by the table of rules/software-states.ts, with the step kept in `software_events`. */
import { TsugiteError } from '../../protocol/errors.ts';
import type { SoftwareId } from '../../protocol/fields.ts';
import type { Sql } from '../ports.ts';
import { endedSoftware, nextSoftwareState, type SoftwareEvent, type SoftwareState } from '../rules/software-states.ts';

export type SoftwareStep = {
  readonly software: SoftwareId;
  readonly event: SoftwareEvent;
  readonly atMs: number;
  /** Token label or `system`. */
  readonly by: string;
  readonly reason?: string | undefined;
};

/**
 * The base fee begins with `registered` (D-09) and ends with the software (D-10).
 *
 * @returns the new state
 * @throws TsugiteError NOT_FOUND · STATE_FORBIDS
 */
export async function moveSoftware(sql: Sql, { software, event, atMs, by, reason }: SoftwareStep): Promise<SoftwareState> {
  const [row] = await sql.query<{ state: SoftwareState }>('SELECT state FROM software WHERE id = $1 FOR UPDATE', [software]);
  if (row === undefined) throw new TsugiteError('NOT_FOUND', { what: `software ${software}` });
  const next = nextSoftwareState(row.state, event);
  if (next === undefined) throw new TsugiteError('STATE_FORBIDS', { state: row.state, action: event });
  const at = new Date(atMs);
  await sql.query(
    `UPDATE software SET state = $2, state_reason = $3,
       registered_at = CASE WHEN $4 THEN coalesce(registered_at, $6) ELSE registered_at END,
       cancelled_at = CASE WHEN $5 THEN coalesce(cancelled_at, $6::timestamptz) END
     WHERE id = $1`,
    [software, next, reason ?? null, event === 'registered', endedSoftware.includes(next), at],
  );
  await sql.query(
    'INSERT INTO software_events (software_id, at, event, from_state, to_state, by, reason) VALUES ($1, $2, $3, $4, $5, $6, $7)',
    [software, at, event, row.state, next, by, reason ?? null],
  );
  return next;
}
