import { describe, whoLabels } from '../../../protocol/errors.ts';
import type { RefusedNotice } from '../refused-notice.ts';
import { fact, type Html, html, showTime } from './markup.ts';
import { type Language, words } from './words.ts';

/** For technicians: the notice that was refused since the newest accepted one. */
export function refusedNoticeFacts(
  { code, detail, at, times }: RefusedNotice,
  { language, operatorName }: { language: Language; operatorName: string | undefined },
): Html {
  const w = words[language];
  const { number, remedy, who, [language]: what } = describe(code, detail);
  const actor = who === 'operator' && operatorName !== undefined ? operatorName : whoLabels[who][language];
  return html`${fact(w.code, `${number} ${code}`)}${fact(w.notUsedWhat, what)}
${fact(w.notUsedAt, showTime(Date.parse(at), language))}${fact(w.notUsedTimes, `${times}`)}
${fact(w.who, actor)}${fact(w.next, remedy[language])}`;
}
