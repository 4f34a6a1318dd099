import type { ErrorRows } from './entry.ts';

/** E5xx: installing, updating, starting for the first time (DESIGN §6). */
export const installErrors = {
  STORE_IO: {
    number: 'E502',
    summary: {
      ja: 'ソフトウェアを保存できませんでした。ホームゲートウェイの故障の可能性があります。',
      en: 'The software could not be saved. The home gateway may be faulty.',
    },
    remedy: { ja: '運用者が、ホームゲートウェイを交換します。', en: 'The operator exchanges the gateway.' },
    who: 'operator',
    retry: 'after-operator',
    variants: {
      'data-damaged': {
        summary: {
          ja: 'ソフトウェアのデータ領域が壊れているため、起動できません。データは消していません。',
          en: 'The data storage of the software is damaged, so it cannot start. Nothing was deleted.',
        },
      },
      'image-unusable': {
        summary: {
          ja: 'この機器ではソフトウェアのデータ領域を使用できないため、起動できません。データは消していません。',
          en: 'This machine cannot use the data storage of the software, so it cannot start. Nothing was deleted.',
        },
        remedy: {
          ja: '運用者が、ファームウェアが ext4 と loop デバイスに対応していることを確認します。',
          en: 'The operator checks that the firmware has ext4 and loop devices.',
        },
      },
    },
  },
  START_TIMEOUT: {
    number: 'E503',
    summary: {
      ja: '起動を確認できなかったため、以前のバージョン（{prev}）に戻しました。',
      en: 'The software did not report that it had started, so the earlier version ({prev}) was brought back.',
    },
    remedy: { ja: '事業者が、ソフトウェアの記録を確認して直します。', en: "The provider reads the software's log and corrects it." },
    who: 'provider',
    retry: 'never',
    variants: {
      first: {
        summary: {
          ja: '起動を確認できなかったため、中止しました。',
          en: 'The software did not report that it had started, so the installation was given up.',
        },
      },
    },
  },
  HEALTH_PROBE_FAILED: {
    number: 'E504',
    summary: {
      ja: '正常な動作を確認できなかったため、以前のバージョン（{prev}）に戻しました。',
      en: 'The software did not work as it should, so the earlier version ({prev}) was brought back.',
    },
    remedy: { ja: '事業者が、ソフトウェアの記録を確認して直します。', en: "The provider reads the software's log and corrects it." },
    who: 'provider',
    retry: 'never',
    variants: {
      first: {
        summary: {
          ja: '正常な動作を確認できなかったため、中止しました。',
          en: 'The software did not work as it should, so the installation was given up.',
        },
      },
    },
  },
  POWER_LOST: {
    number: 'E506',
    summary: {
      ja: 'インストール中に電源が切れたため、以前のバージョンに戻しました。自動的に再実行します。',
      en: 'The power failed during the installation, so the earlier version was brought back. Tried again by itself.',
    },
    remedy: { ja: '操作は不要です。自動的に再実行します。', en: 'Nothing to do: tried again by itself.' },
    who: 'nobody',
    retry: 'later',
    variants: {
      first: {
        summary: {
          ja: 'インストール中に電源が切れたため、中止しました。自動的に再実行します。',
          en: 'The power failed during the installation, so it was given up. Tried again by itself.',
        },
      },
    },
  },
  WINDOW_WAIT: {
    number: 'E507',
    summary: {
      ja: 'インストールの時間帯（{from}～{to}）まで待機しています。',
      en: 'Waiting for the installation hours ({from}–{to}, Japan time).',
    },
    remedy: {
      ja: '時間帯までお待ちください。お客さまの同意があれば、すぐに実行できます（tsugite-agent install --now）。',
      en: 'Wait, or install at once with consent (tsugite-agent install --now).',
    },
    who: 'nobody',
    retry: 'later',
  },
  SANDBOX_UNAVAILABLE: {
    number: 'E508',
    summary: {
      ja: 'ソフトウェアを隔離して実行する機能が使えないため、実行しません。（{at}）',
      en: 'Software cannot be run in isolation on this machine, so it is not run at all ({at}).',
    },
    remedy: {
      ja: 'bubblewrap と、cgroup の memory および pids を使えるようにしてください（tsugite-agent doctor）。',
      en: 'Provide bubblewrap and the cgroup controllers memory and pids (tsugite-agent doctor).',
    },
    who: 'installer',
    retry: 'after-operator',
    defaults: { at: { ja: '詳細は動作記録', en: 'see the log' } },
  },
  PATH_UNREACHABLE: {
    number: 'E509',
    summary: {
      ja: '必要なファイル（{path}）に、実行用の利用者（{uid}）から到達できません。',
      en: 'A needed path ({path}) cannot be reached by the user that has to run it ({uid}).',
    },
    remedy: {
      ja: '途中のフォルダーに実行権（x）を付けるか、--data で別の場所を指定してください。',
      en: 'Give the folders above it the search right (x), or choose another place with --data.',
    },
    who: 'installer',
    retry: 'after-operator',
  },
  INSTALLER_FAILED: {
    number: 'E510',
    summary: {
      ja: 'ソフトウェアの展開処理が正常に終わらなかったため、インストールを中止しました。（{at}）',
      en: 'The installer did not end as it should ({at}), so the installation was stopped.',
    },
    remedy: {
      ja: '繰り返す場合は、運用者が動作記録を確認します（tsugite-agent bundle）。',
      en: 'If it repeats, the operator reads the log (tsugite-agent bundle).',
    },
    who: 'operator',
    retry: 'after-operator',
    defaults: { at: { ja: '詳細は動作記録', en: 'see the log' } },
  },
  ROLLBACK_FAILED: {
    number: 'E511',
    summary: {
      ja: '以前のバージョン（{prev}）に戻せなかったため、停止しています。',
      en: 'The earlier version ({prev}) could not be brought back, so the software is stopped.',
    },
    remedy: { ja: '運用者が、再同期または機器の交換を行います。', en: 'The operator orders a new delivery, or exchanges the gateway.' },
    who: 'operator',
    retry: 'after-operator',
  },
  DEADLINE_PASSED: {
    number: 'E512',
    summary: {
      ja: '期限（{deadline}）までにインストールが完了しなかったため、中止しました。',
      en: 'The installation was not complete by its deadline ({deadline}) and was given up.',
    },
    remedy: {
      ja: '運用者が、機器の接続状態を確認して配信し直します。',
      en: 'The operator checks how the gateway is connected and delivers again.',
    },
    who: 'operator',
    retry: 'after-operator',
  },
  REQUIREMENT_UNMET: {
    number: 'E513',
    summary: {
      ja: 'ソフトウェアに必要な条件（{what}：{expected}）を、このホームゲートウェイ（{found}）は満たしていません。',
      en: 'The gateway ({found}) does not meet what the software requires ({what}: {expected}).',
    },
    remedy: {
      ja: '運用者がホームゲートウェイを更新するか、事業者が条件を見直します。',
      en: 'The operator updates the gateway, or the provider relaxes the requirement.',
    },
    who: 'operator',
    retry: 'after-operator',
  },
  ATTEMPT_SPENT: {
    number: 'E514',
    summary: {
      ja: 'このバージョン（{version}）は前回失敗したため、再実行の指示を待っています。',
      en: 'This version ({version}) failed before; it waits for an order to try again.',
    },
    remedy: {
      ja: '事業者が新しいバージョンを登録するか、運用者が再実行を指示します。',
      en: 'The provider publishes a new version, or the operator orders another attempt.',
    },
    who: 'operator',
    retry: 'after-operator',
  },
  POSTPONED: {
    number: 'E515',
    summary: {
      ja: 'お客さまのご希望により、{until}まで更新を延期しています。',
      en: 'The update is postponed until {until}, as the household wished.',
    },
    remedy: { ja: '期日になると自動的に実行します。', en: 'Done by itself when that time comes.' },
    who: 'nobody',
    retry: 'later',
  },
  WEB_PREFIX_TAKEN: {
    number: 'E516',
    summary: {
      ja: 'ページの場所（/{prefix}/）を別のソフトウェアが使っているため、インストールできません。',
      en: 'Another software already uses the page prefix /{prefix}/.',
    },
    remedy: { ja: '事業者が、manifest.json の web.prefix を変更します。', en: 'The provider changes web.prefix in manifest.json.' },
    who: 'provider',
    retry: 'never',
  },
  NOTHING_PENDING: {
    number: 'E517',
    summary: { ja: '待機中のインストールや更新はありません。', en: 'No installation or update is waiting.' },
    remedy: { ja: '操作は不要です。', en: 'Nothing to do.' },
    who: 'nobody',
    retry: 'never',
  },
  POSTPONE_LIMIT: {
    number: 'E518',
    summary: {
      ja: '更新を延期できるのは{limit}までのため、これ以上は延期できません。',
      en: 'The update can be put off until {limit} and no longer.',
    },
    remedy: {
      ja: 'その時刻以降に自動的に更新します。ご都合のよいときに、すぐに更新することもできます（tsugite-agent install --now）。',
      en: 'It is installed by itself after that; it can also be installed at once (tsugite-agent install --now).',
    },
    who: 'nobody',
    retry: 'never',
  },
} as const satisfies ErrorRows;
