import type { ErrorRows } from './entry.ts';

/** E930–E941, E960–E999: what any of the three programs may meet: configuration, files, keys, ports, faults that nobody foresaw. */
export const programErrors = {
  CONFIG_INVALID: {
    number: 'E930',
    summary: {
      ja: '設定に誤りがあります：{faults}',
      en: 'The configuration has faults: {faults}',
    },
    remedy: { ja: '挙げられたすべての項目を直してから、もう一度実行してください。', en: 'Correct every item named, then start again.' },
    who: 'operator',
    retry: 'never',
  },
  USAGE_WRONG: {
    number: 'E931',
    summary: { ja: 'コマンドの使い方が正しくありません：{at}', en: 'The command was not used as it should be: {at}' },
    remedy: { ja: '--help で使い方を確認してください。', en: 'See --help.' },
    who: 'nobody',
    retry: 'never',
    defaults: { at: { ja: '引数', en: 'arguments' } },
  },
  INPUT_REFUSED: {
    number: 'E932',
    summary: { ja: '入力に誤りがあります：{faults}', en: 'The input has faults: {faults}' },
    remedy: { ja: '挙げられた項目を直して、もう一度送ってください。', en: 'Correct the items named and send it again.' },
    who: 'nobody',
    retry: 'never',
    defaults: { faults: { ja: '形式', en: 'its form' } },
  },
  PORT_IN_USE: {
    number: 'E933',
    summary: { ja: '待ち受けの場所（{address}）は、すでに使われています。', en: 'The address {address} is already in use.' },
    remedy: {
      ja: '使っているプログラムを止めるか、設定で別のポートを指定してください。',
      en: 'Stop the program that uses it, or configure another port.',
    },
    who: 'operator',
    retry: 'after-operator',
  },
  ALREADY_RUNNING: {
    number: 'E934',
    summary: {
      ja: 'このデータフォルダー（{path}）を使うプログラムが、すでに動作しています（pid {pid}）。',
      en: 'Another program (pid {pid}) already runs on the data folder {path}.',
    },
    remedy: {
      ja: '動作中のプログラムを止めるか、--data で別の場所を指定してください。',
      en: 'Stop that program, or choose another folder with --data.',
    },
    who: 'operator',
    retry: 'later',
  },
  NOT_INITIALISED: {
    number: 'E935',
    summary: { ja: 'データフォルダー（{path}）が準備されていません。', en: 'The data folder {path} has not been initialised.' },
    remedy: { ja: '先に init を実行してください。', en: 'Run init first.' },
    who: 'operator',
    retry: 'never',
  },
  FILE_EXISTS: {
    number: 'E936',
    summary: { ja: '{path} はすでにあるため、上書きしませんでした。', en: '{path} exists already and was not overwritten.' },
    remedy: { ja: '別の名前を指定するか、既存のものを移動してください。', en: 'Choose another name, or move what is there.' },
    who: 'nobody',
    retry: 'never',
  },
  FILE_UNREADABLE: {
    number: 'E937',
    summary: { ja: '{path} を読み書きできません。', en: '{path} cannot be read or written.' },
    remedy: { ja: '場所とアクセス権を確認してください。', en: 'Check the path and its access rights.' },
    who: 'nobody',
    retry: 'never',
  },
  KEY_UNUSABLE: {
    number: 'E938',
    summary: {
      ja: '鍵または証明書（{path}）を使用できません。（{at}）',
      en: 'The key or certificate {path} cannot be used ({at}).',
    },
    remedy: {
      ja: '種類・パスフレーズ・鍵と証明書の組み合わせを確認してください。',
      en: 'Check its kind, its passphrase, and that key and certificate belong together.',
    },
    who: 'nobody',
    retry: 'never',
    defaults: { path: { ja: '指定されたもの', en: 'given' }, at: { ja: '形式', en: 'form' } },
  },
  DISK_FULL: {
    number: 'E939',
    summary: { ja: 'ディスクの空きがないため、{path} に書き込めません。', en: 'The disk is full: {path} cannot be written.' },
    remedy: {
      ja: '空きを作ってから、もう一度実行してください。保存済みの内容は変わっていません。',
      en: 'Make room and try again; what was saved before is unchanged.',
    },
    who: 'operator',
    retry: 'later',
  },
  SETUP_INCOMPLETE: {
    number: 'E940',
    summary: { ja: '必要なもの（{missing}）が、このコンピューターにありません。', en: 'This machine lacks {missing}.' },
    remedy: { ja: 'scripts/setup を実行してください。', en: 'Run scripts/setup.' },
    who: 'operator',
    retry: 'never',
  },
  PRIVILEGE_MISSING: {
    number: 'E941',
    summary: { ja: 'この操作（{action}）に必要な権限がありません。', en: 'This process lacks the privilege to {action}.' },
    remedy: { ja: 'root で実行してください。', en: 'Run it as root.' },
    who: 'operator',
    retry: 'never',
  },
  NOT_LOGGED_IN: {
    number: 'E960',
    summary: { ja: '配信サーバー（{server}）にログインしていません。', en: 'Not logged in to the delivery server ({server}).' },
    remedy: {
      ja: '運用者から受け取ったトークンでログインします（tsugite login）。',
      en: 'Log in with the token that the operator gave out (tsugite login).',
    },
    who: 'provider',
    retry: 'never',
    defaults: { server: { ja: '未指定', en: 'none named' } },
  },
  BROKER_UNAVAILABLE: {
    number: 'E961',
    summary: { ja: 'MQTTブローカーに接続できません。', en: 'The MQTT broker cannot be reached.' },
    remedy: {
      ja: '運用者が、ブローカーの状態、設定（MQTT_URL）、ブローカーに示す証明書を確認します。自動的に再接続します。',
      en: 'The operator checks the broker, MQTT_URL, and the certificate that is shown to the broker; connects again by itself.',
    },
    who: 'operator',
    retry: 'later',
  },
  INTERNAL_FAULT: {
    number: 'E999',
    summary: { ja: 'プログラムの内部で想定外の問題が起きました。', en: 'Something unforeseen went wrong inside the program.' },
    remedy: {
      ja: '動作記録を添えて、運用者にお知らせください。',
      en: 'Report it to the operator, with the log.',
    },
    who: 'operator',
    retry: 'after-operator',
  },
} as const satisfies ErrorRows;
