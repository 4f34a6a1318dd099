import type { ErrorRows } from './entry.ts';

/** E901–E929: the agent itself, its clock, log, traffic and place on the gateway. */
export const agentErrors = {
  FACTORY_RESET: {
    number: 'E901',
    summary: {
      ja: 'ホームゲートウェイの初期化により、配信済みのソフトウェアが消去されました。再配信しています。',
      en: 'The gateway was reset to factory settings and the delivered software was erased. It is being delivered again.',
    },
    remedy: {
      ja: '自動的に再同期します。契約が終了している場合（E107）は、新たにお申し込みください。',
      en: 'Synchronised again by itself; if the contract has ended (E107), a new application is needed.',
    },
    who: 'nobody',
    retry: 'later',
  },
  CLOCK_NOT_SET: {
    number: 'E902',
    summary: {
      ja: 'ホームゲートウェイの時刻を確認できないため、インストールを保留しています。',
      en: 'The time on the gateway is not known, so the installation is on hold.',
    },
    remedy: {
      ja: 'WANの接続とNTPを確認し、電源を入れ直してください。',
      en: 'Restore WAN and NTP, then power-cycle the gateway.',
    },
    who: 'installer',
    retry: 'later',
  },
  LOG_GAP: {
    number: 'E904',
    summary: { ja: '動作記録の一部が失われています。', en: 'Part of the log is lost.' },
    remedy: { ja: '運用者にお知らせください（tsugite-agent bundle）。', en: 'Report it to the operator (tsugite-agent bundle).' },
    who: 'operator',
    retry: 'never',
  },
  TRAFFIC_CEILING: {
    number: 'E905',
    summary: {
      ja: '今月のソフトウェア制御用の通信量が上限に達したため、状態の送信を一部停止しています。ソフトウェアの動作に影響はありません。',
      en: "This month's control traffic has reached its limit, so some status messages are held back. The software is not affected.",
    },
    remedy: {
      ja: '工事業者が、再接続を繰り返していないか確認します（tsugite-agent status）。',
      en: 'The installer checks whether the line keeps reconnecting (tsugite-agent status).',
    },
    who: 'installer',
    retry: 'later',
  },
  STATE_DAMAGED: {
    number: 'E906',
    summary: {
      ja: '保存した状態のファイル（{path}）が壊れているため、使用しません。',
      en: 'A saved state file ({path}) is damaged and is not used.',
    },
    remedy: {
      ja: '前回の控えから続けます。控えもない場合は、再同期してください（tsugite-agent resync）。',
      en: 'The previous copy is used; if there is none, synchronise again (tsugite-agent resync).',
    },
    who: 'installer',
    retry: 'later',
  },
  NOT_ENROLLED: {
    number: 'E907',
    summary: { ja: 'このホームゲートウェイは、まだ登録されていません。', en: 'This gateway is not enrolled yet.' },
    remedy: {
      ja: '運用者の招待を使って登録してください（tsugite-agent enroll --invitation FILE）。',
      en: "Enrol it with the operator's invitation (tsugite-agent enroll --invitation FILE).",
    },
    who: 'installer',
    retry: 'after-operator',
  },
  AGENT_NOT_RUNNING: {
    number: 'E909',
    summary: { ja: 'エージェントが動作していません（{path}）。', en: 'The agent is not running ({path}).' },
    remedy: { ja: 'エージェントを起動してください（tsugite-agent run）。', en: 'Start the agent (tsugite-agent run).' },
    who: 'installer',
    retry: 'later',
    defaults: { path: { ja: 'データフォルダーを確認してください', en: 'check the data folder' } },
  },
  SOFTWARE_NOT_LISTED: {
    number: 'E910',
    summary: {
      ja: '{software}は、このホームゲートウェイの配信情報に含まれていません。',
      en: '{software} is not in the notice for this gateway.',
    },
    remedy: {
      ja: '運用者が、契約と提供条件から理由を調べます（tsugite-server explain）。',
      en: 'The operator looks up the reason in contract and conditions (tsugite-server explain).',
    },
    who: 'operator',
    retry: 'after-operator',
  },
} as const satisfies ErrorRows;
