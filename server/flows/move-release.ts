/** The only writer of `releases.state` after a release's registration: by the table of rules/release-states.ts. Gateways that wait for it are told. */
import type { RandomId } from '../../protocol/fields.ts';
import type { Sql } from '../ports.ts';
import { type Halter, nextReleaseState, type ReleaseEvent, type ReleaseState } from '../rules/release-states.ts';
import type { Actor } from './actor.ts';
import { tellWaiting } from './tell-waiting.ts';

export type Halt = {
  readonly by: Halter;
  readonly reason: string;
  /** The change that a second person has to decide about first. */
  readonly change?: RandomId;
};

/** A provider halts as itself, everybody else as the operator. */
export const haltedBy = ({ role }: Actor): Halter => (role === 'provider' ? 'provider' : 'operator');

type ReleaseStep = { readonly release: RandomId; readonly atMs: number } & (
  | { readonly event: 'halted'; readonly halt: Halt }
  | { readonly event: Exclude<ReleaseEvent, 'halted' | 'registered'> }
);

/** The release's software is locked by the caller. @returns undefined when the event changes nothing in its state */
export async function moveRelease(sql: Sql, step: ReleaseStep): Promise<ReleaseState | undefined> {
  const [row] = await sql.query<{ state: ReleaseState }>('SELECT state FROM releases WHERE id = $1 FOR UPDATE', [step.release]);
  const next = row && nextReleaseState(row.state, step.event);
  if (row === undefined || next === undefined) return undefined;
  const halt = step.event === 'halted' ? step.halt : undefined;
  await sql.query('UPDATE releases SET state = $2, halted_at = $3, halted_by = $4, halt_reason = $5, halted_for = $6 WHERE id = $1', [
    step.release,
    next,
    halt === undefined ? null : new Date(step.atMs),
    halt?.by ?? null,
    halt?.reason ?? null,
    halt?.change ?? null,
  ]);
  if (next !== row.state) await tellWaiting(sql, { release: step.release }, step.atMs);
  return next;
}
