/** What an address that shows nothing says: one sentence, in both languages. */
import type { Refusal } from './request.ts';

const sentences: Readonly<Record<Refusal | 'unavailable', { ja: string; en: string }>> = {
  malformed: { ja: 'アドレスが正しくありません。', en: 'The address is malformed.' },
  host: { ja: 'このアドレスでは表示できません。', en: 'The page is not shown under this address.' },
  method: { ja: 'この画面では変更できません。', en: 'Nothing can be changed here.' },
  'not-found': { ja: 'ページが見つかりません。', en: 'There is no such page.' },
  callback: { ja: 'callback の指定が正しくありません。', en: 'The callback name is not allowed.' },
  'service-worker': { ja: 'この操作はできません。', en: 'This is not allowed.' },
  'not-running': { ja: 'このソフトウェアは、現在動作していません。', en: 'This software is not running at present.' },
  'cross-site': { ja: 'ほかのサイトからの操作は受け付けません。', en: 'Requests from other sites are not accepted.' },
  unavailable: {
    ja: 'ソフトウェアの画面を表示できません。しばらくしてからもう一度お試しください。',
    en: 'The page of the software cannot be shown. Please try again later.',
  },
};

export function renderRefusal(why: keyof typeof sentences): string {
  return `${sentences[why].ja}\n${sentences[why].en}\n`;
}
