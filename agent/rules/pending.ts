/** What waits to be installed, and may therefore be put off or hurried. */
import type { Target } from '../../protocol/statements/notice.ts';
import { deploymentOf, type Fault, recordOf, type SoftwareRecord } from './agent-state.ts';
import type { Situation } from './reconcile.ts';
import { decideWish } from './wish.ts';

export type Pending = {
  wish: Target;
  record: SoftwareRecord | undefined;
  /** Why it waits; null when only its turn is not there yet. */
  hold: Fault | null;
  /** A first installation is not put off: without it the household has nothing; nor is the operator's order back. */
  mayPostpone: boolean;
};

/** What a household's word can change: not what waits for a notice, a root or the operator, nor what is under way. */
const changeable: ReadonlySet<string> = new Set(['WINDOW_WAIT', 'POSTPONED']);

export function findPending(situation: Situation): Pending[] {
  return (situation.notice?.targets ?? []).flatMap((wish): Pending[] => {
    const record = recordOf(situation.state, wish.target);
    if (deploymentOf(situation.state, wish.target) !== undefined) return [];
    const decision = decideWish(wish, record, { ...situation, refusal: () => situation.refusalOf(wish) });
    const mayPostpone = (record?.committed ?? null) !== null && wish.rollback === undefined;
    if (decision.kind === 'deploy') return [{ wish, record, hold: null, mayPostpone }];
    if (decision.kind === 'hold' && changeable.has(decision.fault.code)) return [{ wish, record, hold: decision.fault, mayPostpone }];
    return [];
  });
}
