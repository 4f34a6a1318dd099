import type { ErrorRows } from './entry.ts';

/** E6xx: software that runs, or should. */
export const runErrors = {
  APP_MEMORY_EXCEEDED: {
    number: 'E601',
    summary: {
      ja: 'メモリーの使用量が上限を超えたため停止しました（上限：{limit}、使用量：{actual}）。',
      en: 'It used more memory than allowed and was stopped (limit: {limit}, used: {actual}).',
    },
    remedy: { ja: '事業者が、メモリーの使用量を減らします。', en: 'The provider makes it use less memory.' },
    who: 'provider',
    retry: 'later',
    inBytes: ['limit', 'actual'],
    variants: {
      'thrash-start': {
        summary: {
          ja: 'メモリーの上限（{limit}）では足りず、起動できませんでした（使用量：{actual}）。',
          en: 'Its memory limit ({limit}) was not enough for it to start (used: {actual}).',
        },
      },
      thrash: {
        summary: {
          ja: 'メモリーの上限（{limit}）に達したまま処理が進まないため停止しました（使用量：{actual}）。',
          en: 'At its memory limit ({limit}) it made no progress and was stopped (used: {actual}).',
        },
      },
    },
  },
  APP_CRASH_LOOP: {
    number: 'E602',
    summary: { ja: '異常終了を{count}回繰り返したため停止しました。', en: 'It crashed {count} times and was stopped.' },
    remedy: { ja: '事業者が、ソフトウェアの記録を確認して直します。', en: "The provider reads the software's log and corrects it." },
    who: 'provider',
    retry: 'later',
  },
  APP_PERMISSION_DENIED: {
    number: 'E603',
    summary: { ja: '許可されていない通信を遮断しました。', en: 'A connection that was not permitted was blocked.' },
    remedy: {
      ja: '必要な通信であれば、事業者が manifest.json の permissions に追加し、登録し直します。',
      en: 'If it is needed, the provider adds it to permissions in manifest.json and has it reviewed again.',
    },
    who: 'provider',
    retry: 'never',
    variants: {
      'not-granted': {
        summary: {
          ja: '宅内の機器との通信が許可されていないため、機器を操作できません。',
          en: 'It is not permitted to reach the devices of the home, so it cannot control them.',
        },
        remedy: {
          ja: '運用者が、配信対象の許可（grants）に permissions.lan を追加します。',
          en: "The operator adds permissions.lan to the target's grants.",
        },
        who: 'operator',
        retry: 'after-operator',
      },
      'telemetry-not-granted': {
        summary: { ja: '動作状況の送信が許可されていません。', en: 'This software may not send telemetry.' },
        remedy: {
          ja: '必要であれば、事業者が manifest.json の permissions.telemetry を true にし、transmits に記載して、登録し直します。',
          en: 'If it is needed, the provider sets permissions.telemetry in manifest.json, says so in transmits, and has it reviewed again.',
        },
      },
      'telemetry-off': {
        summary: { ja: '運用者が動作状況の送信を停止しています。', en: 'The operator has switched telemetry off.' },
        remedy: {
          ja: '必要であれば、運用者が設定 policy.telemetryBytesPerMonth を 1 以上にします。',
          en: 'If it is wanted, the operator sets policy.telemetryBytesPerMonth above 0.',
        },
        who: 'operator',
        retry: 'after-operator',
      },
    },
  },
  DEVICE_NO_ANSWER: {
    number: 'E606',
    summary: { ja: '機器からの応答がありません。', en: 'The device in the home does not answer.' },
    remedy: { ja: '機器の電源とネットワークの接続を確認してください。', en: "Check the device's power and network." },
    who: 'installer',
    retry: 'later',
  },
  APP_LIMIT_REACHED: {
    number: 'E607',
    summary: {
      ja: 'ソフトウェアが使える{limitName}の上限（{limit}）に達しました。',
      en: 'The software has reached its limit of {limitName} ({limit}).',
    },
    remedy: {
      ja: '事業者が、使用量を減らすか、manifest.json の resources を見直します。',
      en: 'The provider uses less, or reviews resources in manifest.json.',
    },
    who: 'provider',
    retry: 'later',
    defaults: { limitName: { ja: '資源', en: 'resources' } },
  },
  SOFTWARE_ORPHANED: {
    number: 'E608',
    summary: {
      ja: '現在の配信情報に含まれていないため、停止しています。データは保持しています。',
      en: 'It is not in the present notice, so it is stopped; its data are kept.',
    },
    remedy: {
      ja: '運用者が、契約を確認して配信情報に戻すか、削除を指示します。',
      en: 'The operator checks the contract, then lists it again or orders its removal.',
    },
    who: 'operator',
    retry: 'after-operator',
  },
  SANDBOX_OFF: {
    number: 'E609',
    summary: {
      ja: '設定により、ソフトウェアを隔離せずに実行しています。',
      en: 'By setting, software runs without isolation.',
    },
    remedy: { ja: '運用環境では sandbox の設定を元に戻してください。', en: 'Turn the sandbox setting back on outside the laboratory.' },
    who: 'operator',
    retry: 'later',
  },
  APP_PAGE_UNAVAILABLE: {
    number: 'E610',
    summary: { ja: 'ソフトウェアのページを表示できません。', en: 'The page of the software does not answer.' },
    remedy: {
      ja: 'しばらくしてから開き直してください。続く場合は、事業者にお問い合わせください。',
      en: 'Try again in a while; if it lasts, ask the provider.',
    },
    who: 'provider',
    retry: 'later',
  },
  APP_LAN_UNAVAILABLE: {
    number: 'E611',
    summary: {
      ja: '宅内ネットワークに接続できないため、ソフトウェアは機器と通信できません。',
      en: 'The software could not be joined to the home network, so it reaches no device.',
    },
    remedy: {
      ja: '自動的に再接続します。続く場合は、運用者がエージェントの設定 lan と、ホームゲートウェイのブリッジ、nftables、iproute2 を確認します。',
      en: "Tried again by itself; if it lasts, the operator checks the agent's lan settings and the gateway's bridge, nftables and iproute2.",
    },
    who: 'operator',
    retry: 'later',
    variants: {
      'no-free-address': {
        remedy: {
          ja: '運用者が、エージェントの設定 lan.pool を、宅内で使われていないアドレスに変更します。',
          en: "The operator sets the agent's lan.pool to addresses that nothing in the home uses.",
        },
        retry: 'after-operator',
      },
    },
  },
} as const satisfies ErrorRows;
