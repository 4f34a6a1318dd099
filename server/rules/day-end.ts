/** The end of a day at one site: its events together, §4.2 once, and what that does to each target (DOMAIN D-31, D-15). */
import type { ProviderId, RandomId, SoftwareId } from '../../protocol/fields.ts';
import { type ContractEvent, factsAtDayEnd, type SiteFacts } from './contract-events.ts';
import { decideEligibility, type Eligibility, type EligibilityCode } from './eligibility.ts';
import type { EligibilityCatalogue } from './eligibility-catalogue.ts';
import { decideByContract, nextState, type TargetEvent, type TargetState } from './targets.ts';

export type OpenTarget = {
  readonly target: RandomId;
  readonly software: SoftwareId;
  readonly provider: ProviderId;
  readonly state: TargetState;
  readonly isRunning: boolean;
};
export type TargetMove = {
  readonly target: RandomId;
  readonly software: SoftwareId;
  readonly event: TargetEvent;
  readonly from: TargetState;
  readonly to: TargetState;
  readonly codes: readonly EligibilityCode[];
};
export type DayEnd = { readonly facts: SiteFacts; readonly eligibility: Eligibility; readonly moves: readonly TargetMove[] };

/** @param day  the day in Japan that ends: the catalogue rows of that day count */
export function decideDayEnd(
  before: SiteFacts,
  events: readonly ContractEvent[],
  targets: readonly OpenTarget[],
  catalogue: EligibilityCatalogue,
  day: string,
): DayEnd {
  const facts = factsAtDayEnd(before, events);
  const eligibility = decideEligibility(facts, catalogue, day);
  return { facts, eligibility, moves: targets.flatMap((target) => moveOf(target, events, eligibility)) };
}

/** What ends a target: it is stopped, uninstalled and its data are purged. */
export function isEnding({ to }: Pick<TargetMove, 'to'>): boolean {
  return to === 'TERMINATED';
}

function moveOf(target: OpenTarget, events: readonly ContractEvent[], eligibility: Eligibility): TargetMove[] {
  const { state: from, software, isRunning } = target;
  const move = (event: TargetEvent, to: TargetState, codes: readonly EligibilityCode[]): TargetMove[] => [
    { target: target.target, software, event, from, to, codes },
  ];
  const decision = decideByContract(from, isRunning, eligibility);
  if (decision.kind === 'move' && isEnding(decision)) return move(decision.event, decision.to, decision.codes);
  const end = nextState(from, 'end');
  if (end !== undefined && events.some((event) => isEndedBy(target, event))) return move('end', end, []);
  return decision.kind === 'move' ? move(decision.event, decision.to, decision.codes) : [];
}

function isEndedBy({ provider, software }: OpenTarget, event: ContractEvent): boolean {
  if (event.kind !== 'provider-cancel' || event.detail.provider !== provider) return false;
  return event.detail.software === undefined || event.detail.software === software;
}
