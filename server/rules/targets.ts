/** The life of a delivery target (DOMAIN §5.2): which event leads where, and what contract facts do to it (D-15). */
import type { Eligibility, EligibilityCode } from './eligibility.ts';

export type TargetState = keyof typeof targetMachine;
export type TargetEvent =
  | 'hold' // an eligibility HOLD stands in the way
  | 'clear' // nothing stands in the way: registered for the add-on fee (D-09)
  | 'noticed' // its package stands in a published notice
  | 'committed' // the gateway reports that it runs (D-18)
  | 'wanted' // another release is wanted
  | 'rolledBack' // an update ended with the earlier version running
  | 'failed' // a deployment ended without the software running
  | 'redeliver' // its gateway was exchanged or reset: nothing of it is there any more
  | 'reject' // refused for ever; a new request is needed
  | 'suspend' // no new delivery or update, the running copy stays
  | 'resume'
  | 'end'; // 廃止

/** A row says what may happen in a state and where it leads; what a row leaves out changes nothing there. */
export const targetMachine = {
  REQUESTED: { hold: 'HOLD', clear: 'READY', reject: 'REJECTED', end: 'TERMINATED' },
  HOLD: { hold: 'HOLD', clear: 'READY', reject: 'REJECTED', end: 'TERMINATED' },
  READY: {
    noticed: 'DELIVERING',
    committed: 'ACTIVE',
    failed: 'FAILED',
    wanted: 'READY',
    redeliver: 'READY',
    suspend: 'SUSPENDED',
    end: 'TERMINATED',
  },
  DELIVERING: {
    committed: 'ACTIVE',
    failed: 'FAILED',
    rolledBack: 'FAILED',
    wanted: 'READY',
    redeliver: 'READY',
    suspend: 'SUSPENDED',
    end: 'TERMINATED',
  },
  ACTIVE: {
    committed: 'ACTIVE',
    wanted: 'UPDATING',
    failed: 'FAILED',
    rolledBack: 'ROLLED_BACK',
    redeliver: 'READY',
    suspend: 'SUSPENDED',
    end: 'TERMINATED',
  },
  UPDATING: {
    committed: 'ACTIVE',
    rolledBack: 'ROLLED_BACK',
    failed: 'ROLLED_BACK',
    wanted: 'UPDATING',
    redeliver: 'READY',
    suspend: 'SUSPENDED',
    end: 'TERMINATED',
  },
  ROLLED_BACK: { committed: 'ACTIVE', wanted: 'UPDATING', failed: 'FAILED', redeliver: 'READY', suspend: 'SUSPENDED', end: 'TERMINATED' },
  SUSPENDED: { resume: 'ACTIVE', clear: 'READY', redeliver: 'SUSPENDED', end: 'TERMINATED' },
  FAILED: { noticed: 'DELIVERING', committed: 'ACTIVE', wanted: 'READY', redeliver: 'READY', suspend: 'SUSPENDED', end: 'TERMINATED' },
  REJECTED: {},
  TERMINATED: {},
} as const satisfies Record<string, Partial<Record<TargetEvent, string>>>;

/** States whose target stands in its gateway's notice. */
export const deliverableStates: readonly TargetState[] = [
  'READY',
  'DELIVERING',
  'ACTIVE',
  'UPDATING',
  'ROLLED_BACK',
  'SUSPENDED',
  'FAILED',
];
export const endedStates: readonly TargetState[] = ['REJECTED', 'TERMINATED'];

/** @returns the next state, or undefined when the event changes nothing in this one (a late or repeated report) */
export function nextState(state: TargetState, event: TargetEvent): TargetState | undefined {
  const row: Partial<Record<TargetEvent, TargetState>> = targetMachine[state];
  return row[event];
}

/** D-18: a delivery is done when the gateway says that it runs, not when bytes were sent. How a gateway's report about a deployment reads here; `hasEarlier`: another version was committed before. */
export function eventOfReport(state: string | undefined, hasEarlier: boolean): TargetEvent | undefined {
  switch (state) {
    case 'committed':
      return 'committed';
    case 'rolled-back':
      return hasEarlier ? 'rolledBack' : 'failed';
    case 'rejected':
    case 'failed':
      return hasEarlier ? 'rolledBack' : 'failed'; // nothing changed on the gateway: the earlier version still runs
    case 'stuck':
      return 'failed';
    default:
      return undefined;
  }
}

/** D-15: losing the line, the gateway or the right to it ends the service; every other obstacle only stops new deliveries. */
const endingCodes: ReadonlySet<EligibilityCode> = new Set(['ELIG_CONTRACT_ENDED', 'ELIG_NO_PHONE_OR_RENTAL']);

export type ContractDecision =
  | { readonly kind: 'keep' }
  | { readonly kind: 'move'; readonly event: TargetEvent; readonly to: TargetState; readonly codes: readonly EligibilityCode[] };

/** What new contract facts do to a target that is not ended. */
export function decideByContract(state: TargetState, hasRunningCopy: boolean, { result, fired }: Eligibility): ContractDecision {
  const codes = fired.map(({ code }) => code);
  const event = eventOfContract(state, hasRunningCopy, result, codes);
  const to = event && nextState(state, event);
  return event === undefined || to === undefined ? { kind: 'keep' } : { kind: 'move', event, to, codes };
}

function eventOfContract(
  state: TargetState,
  hasRunningCopy: boolean,
  result: Eligibility['result'],
  codes: readonly EligibilityCode[],
): TargetEvent | undefined {
  const isWaiting = state === 'REQUESTED' || state === 'HOLD';
  switch (result) {
    case 'ELIGIBLE':
      if (isWaiting) return 'clear';
      return state === 'SUSPENDED' ? (hasRunningCopy ? 'resume' : 'clear') : undefined;
    case 'TERMINATED':
      return 'end';
    case 'HOLD':
      return isWaiting ? 'hold' : 'suspend';
    case 'INELIGIBLE':
      if (isWaiting) return 'reject';
      return codes.some((code) => endingCodes.has(code)) ? 'end' : 'suspend';
  }
}
