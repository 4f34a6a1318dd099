import type { ErrorRows } from './entry.ts';

const unreachable = {
  ja: '配信サーバーに接続できません。回線の状態をご確認ください。',
  en: 'The delivery server cannot be reached. Please check the line.',
} as const;

/** E4xx: the way to the delivery server: line, TLS, MQTT, enrolment and download. */
export const networkErrors = {
  NET_NO_ROUTE: {
    number: 'E401',
    summary: unreachable,
    remedy: {
      ja: 'WANのランプとケーブルを確認してください（障害ログの「WAN ポートリンクダウン」）。',
      en: 'Check the WAN lamp and cable (fault log: WAN port link down).',
    },
    who: 'installer',
    retry: 'later',
  },
  NET_NAME_UNRESOLVED: {
    number: 'E402',
    summary: unreachable,
    remedy: {
      ja: 'ホームゲートウェイのDNSの設定と、配信サーバーの名前（{host}）を確認してください。',
      en: "Check the gateway's DNS settings and the server's name ({host}).",
    },
    who: 'installer',
    retry: 'later',
    defaults: { host: { ja: '設定値', en: 'as configured' } },
  },
  SERVER_UNREACHABLE: {
    number: 'E403',
    summary: unreachable,
    remedy: {
      ja: '回線を確認してください。回線に問題がなければ、運用者が配信サーバーを確認します。自動的に再接続します。',
      en: 'Check the line; if it is well, the operator checks the server. Connects again by itself.',
    },
    who: 'installer',
    retry: 'later',
  },
  TLS_FAILED: {
    number: 'E404',
    summary: { ja: '配信サーバーとの安全な接続ができませんでした。', en: 'No secure connection to the delivery server could be made.' },
    remedy: {
      ja: '運用者が、機器とサーバーの証明書、および機器の時刻を確認します。',
      en: 'The operator checks the certificates of device and server, and the clock of the device.',
    },
    who: 'operator',
    retry: 'later',
  },
  MQTT_REFUSED: {
    number: 'E405',
    summary: { ja: '配信サーバーへの接続が許可されませんでした。', en: 'The delivery server refused the connection.' },
    remedy: {
      ja: '運用者が、機器の証明書とゲートウェイの登録状態を確認します。',
      en: 'The operator checks the device certificate and the state of the gateway.',
    },
    who: 'operator',
    retry: 'later',
  },
  DOWNLOAD_RESUMED: {
    number: 'E406',
    summary: { ja: 'ダウンロードを途中から再開しました。', en: 'The download was resumed at byte {resumedAt}.' },
    remedy: { ja: '操作は不要です。', en: 'Nothing to do.' },
    who: 'nobody',
    retry: 'later',
  },
  NOTICE_SILENCE: {
    number: 'E407',
    summary: {
      ja: '{since}以降、配信サーバーからの通知を確認できていません。',
      en: 'No notice from the delivery server has been seen since {since}.',
    },
    remedy: { ja: '再同期を実行してください（tsugite-agent resync）。', en: 'Synchronise again (tsugite-agent resync).' },
    who: 'installer',
    retry: 'later',
  },
  ENROLL_TOKEN_REFUSED: {
    number: 'E408',
    summary: {
      ja: '登録用の招待が正しくないか、使用済み、または期限切れのため、登録できませんでした。',
      en: 'The invitation token is wrong, spent or expired, so the gateway was not enrolled.',
    },
    remedy: {
      ja: '運用者が、新しい招待を発行します（tsugite-server gateway invite）。',
      en: 'The operator issues a new invitation (tsugite-server gateway invite).',
    },
    who: 'operator',
    retry: 'after-operator',
  },
  ENROLL_TRIES_EXCEEDED: {
    number: 'E409',
    summary: {
      ja: '登録の失敗が上限（{limit}回）に達したため、この招待は無効になりました。',
      en: 'Enrolment failed too often ({limit} tries): the invitation is void.',
    },
    remedy: {
      ja: '運用者が失敗の原因を確認し、新しい招待を発行します（tsugite-server gateway invite）。',
      en: 'The operator finds out who tried, then issues a new invitation (tsugite-server gateway invite).',
    },
    who: 'operator',
    retry: 'after-operator',
    defaults: { limit: { ja: '5', en: '5' } },
  },
  ENROLL_REQUEST_REFUSED: {
    number: 'E410',
    summary: {
      ja: '証明書の発行要求の形式が正しくないため、登録できませんでした。（{at}）',
      en: 'The certificate request is not of the required form ({at}), so the gateway was not enrolled.',
    },
    remedy: {
      ja: '招待に書かれたゲートウェイ名と、P-256の鍵で発行要求を作り直してください。',
      en: 'Make the request again: a P-256 key, and the gateway id of the invitation as its common name.',
    },
    who: 'installer',
    retry: 'never',
    defaults: { at: { ja: '詳細は動作記録', en: 'see the log' } },
  },
  GATEWAY_BLOCKED: {
    number: 'E411',
    summary: {
      ja: 'このホームゲートウェイの利用は停止されています。',
      en: 'This gateway is blocked.',
    },
    remedy: { ja: '運用者が、停止の理由を確認して解除します。', en: 'The operator checks why it was blocked, and unblocks it.' },
    who: 'operator',
    retry: 'after-operator',
  },
  DOWNLOAD_REFUSED: {
    number: 'E412',
    summary: {
      ja: '配信サーバーがダウンロードを受け付けませんでした（応答：{status}）。',
      en: 'The delivery server refused the download (answer {status}).',
    },
    remedy: {
      ja: '運用者が、ソフトウェアの保管状態とこのゲートウェイの配信情報を確認します。',
      en: "The operator checks the package store and the gateway's present notice.",
    },
    who: 'operator',
    retry: 'after-operator',
  },
  DOWNLOAD_TOO_SLOW: {
    number: 'E413',
    summary: {
      ja: 'ダウンロードの速度が遅すぎるため、中断しました。',
      en: 'The download was too slow and was broken off.',
    },
    remedy: { ja: '自動的に続きから再開します。', en: 'Resumed by itself from where it stopped.' },
    who: 'nobody',
    retry: 'later',
  },
  DOWNLOAD_DAY_LIMIT: {
    number: 'E414',
    summary: {
      ja: '本日のダウンロード量または回数の上限に達したため、明日再開します。',
      en: "Today's limit of download bytes or attempts is reached; it goes on tomorrow.",
    },
    remedy: {
      ja: '操作は不要です。繰り返す場合は、工事業者が回線を確認します。',
      en: 'Nothing to do; if it repeats, the installer checks the line.',
    },
    who: 'nobody',
    retry: 'later',
  },
  MESSAGE_MALFORMED: {
    number: 'E415',
    summary: {
      ja: '受信した情報（{what}）の形式が正しくないため、受け付けませんでした。（{faults}）',
      en: 'A received message ({what}) is not of the required form and was refused ({faults}).',
    },
    remedy: {
      ja: '運用者が、送信側のバージョンを確認します。',
      en: 'The operator checks the version of the program that sent it.',
    },
    who: 'operator',
    retry: 'never',
    defaults: { what: { ja: 'メッセージ', en: 'message' }, faults: { ja: '詳細は動作記録', en: 'see the log' } },
    variants: {
      invitation: {
        remedy: {
          ja: '運用者が、招待を発行し直します（tsugite-server gateway invite）。',
          en: 'The operator issues the invitation again (tsugite-server gateway invite).',
        },
      },
      'own-telemetry': {
        summary: {
          ja: '動作状況として送れるのは、英小文字で始まる24文字以内の英数字の名前と整数の組、{limit}個までです。',
          en: 'Telemetry of an app is an object of at most {limit} whole numbers, under names of a lower-case letter and up to 23 letters or digits.',
        },
        remedy: {
          ja: '事業者が、ソフトウェアを直します（docs/telemetry.md）。',
          en: 'The provider mends the software (docs/telemetry.md).',
        },
        who: 'provider',
      },
    },
  },
  MESSAGE_TOO_LARGE: {
    number: 'E416',
    summary: {
      ja: '情報（{what}）が上限（{limit}バイト）を超えているため、受け付けませんでした（{actual}バイト）。',
      en: 'A message ({what}) is larger than allowed ({limit} bytes) and was refused ({actual} bytes).',
    },
    remedy: { ja: '送信側が、内容を上限以下に分けるか減らします。', en: 'Whoever sends it makes it smaller.' },
    who: 'operator',
    retry: 'never',
    defaults: { what: { ja: 'メッセージ', en: 'message' } },
  },
  TOPIC_FORBIDDEN: {
    number: 'E417',
    summary: {
      ja: '許可されていない宛先への送受信のため、接続を切断しました。',
      en: 'A topic that does not belong to this gateway was used, so the connection was closed.',
    },
    remedy: { ja: '運用者が、接続元のソフトウェアを確認します。', en: 'The operator checks which program connects as this gateway.' },
    who: 'operator',
    retry: 'after-operator',
  },
  CERTIFICATE_REFUSED: {
    number: 'E418',
    summary: {
      ja: '有効な機器証明書を確認できないため、受け付けませんでした。',
      en: 'No device certificate in force was shown, so the request was refused.',
    },
    remedy: {
      ja: '運用者が、機器証明書を確認し、必要であれば招待を発行し直します（tsugite-server gateway invite）。',
      en: 'The operator checks the device certificate and invites the gateway again if needed (tsugite-server gateway invite).',
    },
    who: 'operator',
    retry: 'after-operator',
  },
  GATEWAY_SILENT: {
    number: 'E419',
    summary: {
      ja: 'ホームゲートウェイから、期限（{deadline}）までに結果の報告がありません（最後の接続：{lastSeenAt}）。',
      en: 'The home gateway has not said by {deadline} how it went (last connected: {lastSeenAt}).',
    },
    remedy: {
      ja: '回線とホームゲートウェイの電源を確認してください。接続されると自動的に再開します。',
      en: 'Check the line and the power of the gateway; it goes on by itself once it is connected.',
    },
    who: 'installer',
    retry: 'later',
    variants: {
      'never-seen': {
        summary: { ja: 'ホームゲートウェイが、まだ一度も接続していません。', en: 'The home gateway has never connected.' },
        remedy: {
          ja: 'ホームゲートウェイを回線に接続し、登録を済ませてください（tsugite-agent enroll）。',
          en: 'Connect the gateway to the line and enrol it (tsugite-agent enroll).',
        },
      },
      'lease-ended': {
        summary: {
          ja: 'ホームゲートウェイと連絡が取れないまま、利用できる期間が{entitledUntil}に終わりました（最後の接続：{lastSeenAt}）。ソフトウェアは停止しています。',
          en: 'The home gateway could not be reached and its entitlement ended at {entitledUntil} (last connected: {lastSeenAt}). The software has stopped.',
        },
      },
    },
  },
} as const satisfies ErrorRows;
