import { assertNever } from '../../protocol/assert-never.ts';
import type { Answer } from '../../protocol/command-output.ts';
import type { Answered } from '../ports/house.ts';
import { timeInJapan } from '../rules/choices.ts';

/** What the running agent did about an ask. */
export function askAnswer(answered: Answered): Answer {
  const later = answered.isOnline ? [] : ['  配信サーバーには、接続したときに知らせます。（The server is told when the line is back.）'];
  return { value: answered, lines: [...linesOf(answered), ...later] };
}

function linesOf({ kind, updates }: Answered): string[] {
  switch (kind) {
    case 'resync':
      return ['再同期を依頼しました。（Synchronisation was asked for.）'];
    case 'confirm':
      return ['確認の結果を登録しました。（The result was recorded.）'];
    case 'consent':
      return ['同意を登録しました。（The consent was recorded.）'];
    case 'install-now':
      return updates.map(({ software, version }) => `${software} ${version}  すぐにインストールします。（Installed now.）`);
    case 'postpone':
      return updates.map(({ software, version, until }) => {
        const time = timeInJapan(Date.parse(until ?? ''));
        return `${software} ${version}  ${time.ja}まで延期しました。（Put off until ${time.en}.）`;
      });
    default:
      return assertNever(kind);
  }
}
