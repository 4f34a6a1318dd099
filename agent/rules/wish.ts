import type { Target } from '../../protocol/statements/notice.ts';
import type { Ended, Fault, SoftwareRecord } from './agent-state.ts';
import { faultOfPostponement, type WishChoice } from './choices.ts';
import type { InstallBlock } from './notice.ts';
import { msUntilOpen } from './window.ts';

/** After a power cut a deployment is tried again by itself so often. */
const retriesAfterPowerCut = 2;

export type WishDecision =
  /** The listed version is committed. */
  | { kind: 'met' }
  | { kind: 'deploy' }
  /** Not now; `untilMs` when time alone will change that. */
  | { kind: 'hold'; fault: Fault; untilMs?: number }
  /** It ended before and is not tried again until a new digest or a higher attempt comes. */
  | { kind: 'spent'; ended: Ended };

export type WishSituation = {
  nowMs: number;
  block: InstallBlock | undefined;
  /** What `findRefusal` (rules/gate.ts) says about this wish now; asked only when it was refused before. */
  refusal: () => Fault | undefined;
  /** What the household chose about it. */
  choiceOf: (wish: Target) => WishChoice;
};

/** What to do about one target of the notice. */
export function decideWish(
  wish: Target,
  record: SoftwareRecord | undefined,
  { nowMs, block, refusal, choiceOf }: WishSituation,
): WishDecision {
  if (record?.committed?.sha256 === wish.package.sha256) return { kind: 'met' };
  const ended = record?.ended.findLast((entry) => entry.sha256 === wish.package.sha256 && entry.attempt === wish.attempt);
  if (ended !== undefined && !mayTryAgain(ended, refusal)) return { kind: 'spent', ended };
  if (block !== undefined) return { kind: 'hold', fault: block };
  const choice = choiceOf(wish);
  if (choice.kind === 'now') return { kind: 'deploy' };
  if (choice.kind === 'postponed') return { kind: 'hold', fault: faultOfPostponement(choice.untilMs), untilMs: choice.untilMs };
  const waitMs = wish.window === undefined ? 0 : msUntilOpen(wish.window, nowMs);
  if (waitMs > 0 && wish.window !== undefined)
    return {
      kind: 'hold',
      fault: { code: 'WINDOW_WAIT', detail: { from: wish.window.from, to: wish.window.to } },
      untilMs: nowMs + waitMs,
    };
  return { kind: 'deploy' };
}

function mayTryAgain(ended: Ended, refusal: () => Fault | undefined): boolean {
  // Refused at the gate: nothing was tried yet, so it is decided anew; once the gate's answer is another one, people hear of it.
  if (ended.beforeDownload) return refusal()?.code !== ended.fault.code;
  return ended.fault.code === 'POWER_LOST' && ended.powerCuts <= retriesAfterPowerCut;
}
