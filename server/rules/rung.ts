/** One rung of the ladder that `explain` climbs (rules/explain.ts). */
import type { ErrorCode, ErrorDetail } from '../../protocol/errors.ts';
import type { Snapshot } from './explain-snapshot.ts';

/** yes: this rung holds · no: it stands in the way · waiting: it goes on by itself */
export type RungStatus = 'yes' | 'no' | 'waiting';
export type Question = { readonly ja: string; readonly en: string };
export type Fault = readonly [code: ErrorCode, detail: ErrorDetail];
/** What a rung makes of the facts. */
export type Judged = {
  readonly status: RungStatus;
  readonly faults?: readonly Fault[];
  readonly inputs: Readonly<Record<string, unknown>>;
  /** Since when it is so, where that is known. */
  readonly since?: Date | null;
};
export type RungRule = {
  readonly id: string;
  readonly question: Question;
  /** The service sheet's words. */
  readonly clause?: string;
  /** undefined: this rung is not asked here. */
  readonly judge: (it: Snapshot) => Judged | undefined;
};

export const yes = (inputs: Judged['inputs'], since: Date | null = null): Judged => ({ status: 'yes', inputs, since });
export const no = (fault: Fault, inputs: Judged['inputs'], since: Date | null = null): Judged => ({
  status: 'no',
  faults: [fault],
  inputs,
  since,
});
export const waiting = (inputs: Judged['inputs'] = {}, since: Date | null = null): Judged => ({ status: 'waiting', inputs, since });
