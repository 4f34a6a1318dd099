import { whoLabels } from '../../protocol/errors.ts';
import type { RefusalTold } from '../rules/refused-notice.ts';

/** A notice that was not used: when, how often, why, and who mends it. */
export function refusalLines({ number, code, ja, en, remedy, who, at, since, times }: RefusalTold): string[] {
  const often = times === 1 ? '' : `（${since} から${times}回）`;
  return [
    `受け付けなかった配信情報  ${number} ${code}  最後 ${at}${often}`,
    `  ${ja}`,
    `  ${en}`,
    `  対処（${whoLabels[who].ja}）: ${remedy.ja}`,
    `  Remedy (${whoLabels[who].en}): ${remedy.en}`,
  ];
}
