/** The life of a software (DOMAIN §5.3): which event leads where, and what a state lets happen. */
import { TsugiteError } from '../../protocol/errors.ts';

export type SoftwareState = keyof typeof softwareMachine;
export type SoftwareEvent =
  | 'measured' // its first release is proven, measured and named in a work order: the id is its provider's while that is open
  | 'registered' // the work (新設) is completed: the base fee's registration (D-09)
  | 'published' // customers may have it
  | 'complained' // 苦情など申告 about its content: an ethics case opens (D-12)
  | 'cleared' // the third party's review was passed
  | 'prohibited' // the review was failed, or the operator's emergency stop (配信禁止)
  | 'withdrawn'; // its provider ends it (提供の終了)

/** A row says what may happen in a state and where it leads; what a row leaves out is refused there. */
export const softwareMachine = {
  DRAFT: { measured: 'MEASURED' },
  MEASURED: { measured: 'MEASURED', registered: 'REGISTERED' },
  REGISTERED: { published: 'PUBLISHED', prohibited: 'PROHIBITED', withdrawn: 'WITHDRAWN' },
  PUBLISHED: { complained: 'UNDER_REVIEW', prohibited: 'PROHIBITED', withdrawn: 'WITHDRAWN' },
  UNDER_REVIEW: { cleared: 'PUBLISHED', prohibited: 'PROHIBITED', withdrawn: 'WITHDRAWN' },
  PROHIBITED: { withdrawn: 'WITHDRAWN' }, // ends the base fee; what is removed stays removed
  WITHDRAWN: { prohibited: 'PROHIBITED' }, // a stop of the operator is obeyed everywhere
} as const satisfies Record<string, Partial<Record<SoftwareEvent, string>>>;

/**
 * What a state lets happen. D-12: a review pauses new installs and lets running copies and the bill go on; the sheet says only that there is a review.
 * `releases`: a new one may be registered · `newInstalls`: orders are taken, and gateways start to install ·
 * `runs`: copies that run stay (the last two rows end them).
 */
export const softwareAllows = {
  DRAFT: { releases: true, newInstalls: false, runs: true },
  MEASURED: { releases: true, newInstalls: false, runs: true },
  REGISTERED: { releases: true, newInstalls: false, runs: true },
  PUBLISHED: { releases: true, newInstalls: true, runs: true },
  UNDER_REVIEW: { releases: true, newInstalls: false, runs: true },
  PROHIBITED: { releases: false, newInstalls: false, runs: false },
  WITHDRAWN: { releases: false, newInstalls: false, runs: false },
} as const satisfies Record<SoftwareState, { releases: boolean; newInstalls: boolean; runs: boolean }>;

/** States in which its targets end. */
export const endedSoftware = (Object.keys(softwareAllows) as SoftwareState[]).filter((state) => !softwareAllows[state].runs);

/** @returns undefined when the state does not know the event */
export function nextSoftwareState(state: SoftwareState, event: SoftwareEvent): SoftwareState | undefined {
  const row: Partial<Record<SoftwareEvent, SoftwareState>> = softwareMachine[state];
  return row[event];
}

/** @throws TsugiteError SOFTWARE_PROHIBITED · STATE_FORBIDS: no new release of the software */
export function verifyTakesReleases(state: SoftwareState, software: string): void {
  if (softwareAllows[state].releases) return;
  if (state === 'PROHIBITED') throw new TsugiteError('SOFTWARE_PROHIBITED', { software });
  throw new TsugiteError('STATE_FORBIDS', { state, action: 'release' });
}

/** @throws TsugiteError ETHICS_REVIEW · SOFTWARE_PROHIBITED · STATE_FORBIDS: nobody new gets the software */
export function verifyDeliverable(state: SoftwareState): void {
  if (softwareAllows[state].newInstalls) return;
  if (state === 'UNDER_REVIEW') throw new TsugiteError('ETHICS_REVIEW', { kind: 'staff' }); // only staff orders: no household reads this
  if (state === 'PROHIBITED') throw new TsugiteError('SOFTWARE_PROHIBITED');
  throw new TsugiteError('STATE_FORBIDS', { state, action: 'order' });
}
