/** The life of a release: from the upload to its end, and who may stop and start it. */

/**
 * MEASURED: uploaded by its provider, proven and measured; costs nothing, reaches nobody, and is dropped when it is not registered in time. Such
 * releases stand in tables of their own (`measured_releases`): a software id that nobody pays for belongs to nobody.
 */
export type ReleaseState = keyof typeof releaseMachine;
export type ReleaseEvent =
  | 'registered' // its work order is completed
  | 'halted' // no new installs; running copies stay
  | 'resumed'
  | 'withdrawn'; // with its software

/** A row says what may happen in a state and where it leads; what a row leaves out changes nothing there. */
export const releaseMachine = {
  MEASURED: { registered: 'ADMITTED' },
  ADMITTED: { halted: 'HALTED', withdrawn: 'WITHDRAWN' },
  HALTED: { halted: 'HALTED', resumed: 'ADMITTED', withdrawn: 'WITHDRAWN' },
  WITHDRAWN: {},
} as const satisfies Record<string, Partial<Record<ReleaseEvent, string>>>;

/** @returns undefined when the event changes nothing in this state */
export function nextReleaseState(state: ReleaseState, event: ReleaseEvent): ReleaseState | undefined {
  const row: Partial<Record<ReleaseEvent, ReleaseState>> = releaseMachine[state];
  return row[event];
}

/** Whose word stopped it. The operator's holds against a provider; a provider's against nobody but itself. */
export type Halter = 'operator' | 'provider';

export type HaltDecision =
  | { readonly kind: 'halt' }
  | { readonly kind: 'resume' }
  | { readonly kind: 'unchanged' }
  /** The operator stopped it: a provider cannot start it again. */
  | { readonly kind: 'refuse'; readonly why: 'halted-by-operator' }
  | { readonly kind: 'refuse'; readonly why: 'state' };

/** A halt of the operator takes the place of a provider's, so that the provider cannot undo it. */
export function decideHalt(state: ReleaseState, haltedBy: Halter | null, wish: 'halt' | 'resume', by: Halter): HaltDecision {
  if (nextReleaseState(state, wish === 'halt' ? 'halted' : 'resumed') === undefined)
    return wish === 'resume' && state === 'ADMITTED' ? { kind: 'unchanged' } : { kind: 'refuse', why: 'state' };
  if (wish === 'resume')
    return haltedBy === 'operator' && by === 'provider' ? { kind: 'refuse', why: 'halted-by-operator' } : { kind: 'resume' };
  return state === 'HALTED' && (haltedBy === 'operator' || by === 'provider') ? { kind: 'unchanged' } : { kind: 'halt' };
}
