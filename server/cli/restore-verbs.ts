/** restore show, restore confirm: what a server does not do by itself after a restore. */
import type { Command } from 'commander';
import type { Verbs } from './program.ts';

export function addRestoreVerbs({ verb, answer, api }: Verbs): void {
  verb('restore show', 'is publication held after a restore（復元後の状態）').action(async (_options, command: Command) => {
    const shown = (await api(command).get('/restore')) as Shown;
    answer({ value: shown, lines: linesOf(shown) });
  });
  verb('restore confirm', 'what was lost is entered again: publish to every gateway（復元を確認して配信を再開する）')
    .requiredOption('--reason <text>', 'what was checked, for the audit log')
    .action(async ({ reason }, command: Command) => {
      const confirmed = (await api(command).post('/restore/confirm', { reason })) as { gateways: number };
      answer({
        value: confirmed,
        lines: [`${confirmed.gateways} 台のゲートウェイに配信情報を送ります / notices go out to ${confirmed.gateways} gateways`],
      });
    });
}

type Shown = {
  isHeld: boolean;
  gateways: number;
  ahead: number;
  why?: 'restored' | 'went-back';
  since?: string;
  backup?: { id: string; madeAt: string };
};

const whyHeld = {
  restored: 'バックアップから復元しました / restored from a backup',
  'went-back': 'データベースが以前の状態に戻っています / the database went back to an earlier state',
} as const;

function linesOf({ isHeld, gateways, ahead, why, since, backup }: Shown): string[] {
  if (!isHeld) return ['配信情報を送っています / notices are published'];
  return [
    '配信情報の送信を止めています / publication is held',
    ...(why === undefined ? [] : [`  ${whyHeld[why]}（${since}）`]),
    ...(backup === undefined ? [] : [`  バックアップ / backup ${backup.id}（${backup.madeAt}）`]),
    `  ゲートウェイ ${gateways} 台のうち、これより新しい配信情報を適用済み / gateways ahead of this database: ${ahead}`,
    '  バックアップ後の変更を登録し直してから、restore confirm で再開してください / enter again what was changed since, then confirm',
  ];
}
