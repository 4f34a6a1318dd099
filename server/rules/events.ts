/**
 * Every event that the server writes into its log. docs/EVENTS.md is made from this table, and `Log` takes no other name, nor one at another level.
 * A line is for the operator's machines first: the fields say what happened, the sentences are for whoever reads the table. Never a secret, never an
 * お客さまID.
 */
export type EventLevel = 'info' | 'warn' | 'error';
export type EventEntry = { readonly level: EventLevel; readonly ja: string; readonly en: string };
export type EventAt<Level extends EventLevel> = {
  [Name in keyof typeof events]: (typeof events)[Name]['level'] extends Level ? Name : never;
}[keyof typeof events];

export const events = {
  'server.started': { level: 'info', ja: 'サーバーを開始しました。', en: 'The server started; the fields are its addresses.' },
  'server.stopping': { level: 'info', ja: 'サーバーを終了します。', en: 'The server stops.' },

  'api.request': {
    level: 'info',
    ja: 'APIの要求に応答しました。',
    en: 'A request of the API was answered: route, status, milliseconds, actor.',
  },
  'api.fault': {
    level: 'error',
    ja: 'APIの処理で想定外の問題が起きました（E999）。',
    en: 'A request met a fault that nobody foresaw (E999).',
  },

  'database.said': { level: 'info', ja: '専用のデータベースの記録です。', en: "A line of the private PostgreSQL's own log." },
  'database.warned': { level: 'warn', ja: '専用のデータベースの警告です。', en: 'A warning of the private PostgreSQL.' },
  'database.migrated': { level: 'info', ja: 'データベースの構造を更新しました。', en: 'The schema was brought up to date.' },
  'database.programs_copied': {
    level: 'info',
    ja: 'データベースのプログラムを、その利用者が読める場所にコピーしました。',
    en: "PostgreSQL's programs were copied to where its account can read them.",
  },
  'database.connection_lost': {
    level: 'warn',
    ja: 'データベースとの接続が切れました。再接続します。',
    en: 'A connection to the database was lost; it is taken up again.',
  },

  'audit.head': {
    level: 'info',
    ja: '監査記録の末尾です。',
    en: 'The end of the audit log: kept elsewhere, it proves that nothing before it was changed.',
  },
  'audit.head_failed': { level: 'error', ja: '監査記録の末尾を保存できませんでした。', en: 'The end of the audit log could not be kept.' },
  'publication.held': {
    level: 'warn',
    ja: '復元のあと、確認されるまで配信情報の送信を止めています（E948）。',
    en: 'After a restore nothing is published until it is confirmed (E948).',
  },
  'publication.confirmed': {
    level: 'info',
    ja: '復元後の配信を再開しました。',
    en: 'The operator confirmed a restore: publishing goes on.',
  },
  'housekeeping.failed': {
    level: 'error',
    ja: '定期的な整理に失敗しました。',
    en: 'A job of the daily housekeeping failed; it is tried again.',
  },

  'contract.evaluated': { level: 'info', ja: '契約の異動を反映しました。', en: 'Contract events of ended days took effect.' },
  'contract.evaluation_failed': {
    level: 'error',
    ja: '契約の異動を反映できませんでした。',
    en: 'The ends of days could not be evaluated; it is tried again.',
  },
  'contract.confirmed': {
    level: 'info',
    ja: '工事業者の確認を契約情報に反映しました。',
    en: 'What a technician confirmed at a gateway became a contract fact.',
  },
  'change.held': {
    level: 'warn',
    ja: '多数の配信対象を終了する変更のため、二人目の承認を待っています。',
    en: 'A change that would end many targets waits for a second person.',
  },
  'billing.closed': { level: 'info', ja: '月次の請求を締めました。', en: 'A month was closed.' },
  'customer.erased': { level: 'info', ja: 'お客さまの個人情報を消去しました。', en: "A customer's personal data were erased." },
  'release.measured_dropped': {
    level: 'info',
    ja: '登録されないまま期限を過ぎたアップロードを削除しました。',
    en: 'Uploads that nobody registered in time were dropped.',
  },
  'packages.swept': { level: 'info', ja: '使われていないファイルを削除しました。', en: 'Files that no release names were deleted.' },
  'delivery.silent': {
    level: 'warn',
    ja: '期限までに結果の報告がありません。',
    en: 'A deployment has not said how it ended within its time.',
  },
  'report.not_delivered': {
    level: 'info',
    ja: '配信できていないものの一覧を更新しました。',
    en: 'The daily list of what is not delivered: counts by who has to act and why.',
  },

  'gateway_api.refused': { level: 'warn', ja: 'ゲートウェイの要求を拒否しました。', en: 'A request on the gateways side was refused.' },
  'gateway_api.failed': {
    level: 'error',
    ja: 'ゲートウェイの要求の処理で問題が起きました。',
    en: 'A request on the gateways side met a fault.',
  },
  'enrolment.issued': { level: 'info', ja: 'ホームゲートウェイを登録し、証明書を発行しました。', en: 'A gateway was enrolled.' },
  'enrolment.refused': { level: 'warn', ja: 'ホームゲートウェイの登録を拒否しました。', en: 'An enrolment was refused.' },
  'renewal.issued': { level: 'info', ja: '機器の証明書を更新しました。', en: 'A device certificate was renewed.' },
  'renewal.refused': { level: 'warn', ja: '機器の証明書の更新を拒否しました。', en: 'A renewal was refused.' },
  'certificate.older_cut_off': {
    level: 'info',
    ja: '新しい証明書が使われたため、以前の証明書を無効にしました。',
    en: 'A new certificate was used: the older ones are cut off.',
  },
  'certificate.used_by_birth': {
    level: 'info',
    ja: '証明書が初めて使われました。',
    en: 'A certificate was used for the first time, over a broker that is not ours.',
  },
  'connection.refused': { level: 'warn', ja: 'ゲートウェイの接続を拒否しました。', en: 'A connection of a gateway was refused.' },

  'notice.published': { level: 'info', ja: '配信情報を送信しました。', en: 'A notice was published.' },
  'notice.failed': {
    level: 'error',
    ja: '配信情報を作成できませんでした。再実行します。',
    en: 'A notice could not be made; it is tried again.',
  },
  'notices.look_failed': {
    level: 'error',
    ja: '送信を待つ配信情報を確認できませんでした。',
    en: 'The table of due notices could not be read; it is tried again.',
  },
  'notices.refilled': {
    level: 'info',
    ja: '配信情報をブローカーに登録し直しました。',
    en: 'Retained notices were given to the broker again.',
  },
  'report.taken': { level: 'info', ja: 'ゲートウェイの報告を受け付けました。', en: 'A report was stored.' },
  'telemetry.taken': { level: 'info', ja: '稼働情報を受け付けました。', en: "A day's telemetry was stored." },
  'telemetry.repeated': { level: 'info', ja: '受け付け済みの稼働情報です。', en: 'Telemetry that was stored before came again.' },
  'message.refused': { level: 'warn', ja: 'ゲートウェイからの内容を受け付けませんでした。', en: 'A message of a gateway was refused.' },
  'message.not_stored': {
    level: 'error',
    ja: 'ゲートウェイからの内容を保存できませんでした。',
    en: 'A message could not be stored; it is not acknowledged, so it comes again.',
  },
  'message.from_unwelcome': {
    level: 'warn',
    ja: '認められていないゲートウェイからの内容を破棄しました。',
    en: 'A message of a gateway that may not speak was dropped.',
  },

  'broker.listening': { level: 'info', ja: 'ブローカーが待ち受けを始めました。', en: 'The broker listens.' },
  'broker.refused': { level: 'warn', ja: 'ブローカーがゲートウェイの操作を拒否しました。', en: 'The broker refused what a gateway did.' },
  'broker.failed': { level: 'error', ja: 'ブローカーで問題が起きました。', en: 'The broker failed.' },
  'broker.restarting': { level: 'warn', ja: 'ブローカーを再起動します。', en: 'The broker starts again.' },
  'broker.refill_failed': {
    level: 'error',
    ja: '配信情報をブローカーに登録し直せませんでした。',
    en: 'Retained notices could not be given to the broker.',
  },
  'broker.answer_failed': {
    level: 'error',
    ja: 'ブローカーに応答できませんでした。',
    en: 'A question of the broker could not be answered.',
  },
  'broker.gone_failed': {
    level: 'error',
    ja: 'ゲートウェイの切断を記録できませんでした。',
    en: 'That a gateway went away could not be stored.',
  },
  'broker.connected': { level: 'info', ja: '共用のブローカーに接続しました。', en: 'Connected to the shared broker.' },
  'broker.lost': { level: 'warn', ja: '共用のブローカーとの接続が切れました。', en: 'The connection to the shared broker was lost.' },
  'broker.unreachable': { level: 'warn', ja: '共用のブローカーに接続できません。', en: 'The shared broker cannot be reached.' },
  'broker.notices_compared': {
    level: 'info',
    ja: 'ブローカーにある配信情報を照合しました。',
    en: 'The retained notices of the shared broker were compared with ours.',
  },
  'broker.cut_off': {
    level: 'info',
    ja: 'ブローカーでゲートウェイの接続を切断しました。',
    en: 'A gateway was cut off at the shared broker.',
  },
  'broker.cut_off_failed': {
    level: 'warn',
    ja: 'ブローカーでゲートウェイの接続を切断できませんでした。',
    en: 'A gateway could not be cut off at the shared broker.',
  },
  'broker.turn_began': {
    level: 'info',
    ja: 'このサーバーが共用のブローカーを担当します。',
    en: 'This server speaks to the shared broker now.',
  },
  'broker.turn_ended': {
    level: 'info',
    ja: 'このサーバーは共用のブローカーの担当を終えました。',
    en: 'This server no longer speaks to the shared broker.',
  },
  'broker.turn_lost': {
    level: 'warn',
    ja: '共用のブローカーの担当を失いました。',
    en: 'The turn at the shared broker was lost with a database connection.',
  },
  'broker.turn_failed': {
    level: 'error',
    ja: '共用のブローカーの担当を交代できませんでした。',
    en: 'Taking or giving the turn at the shared broker failed.',
  },
} as const satisfies Record<string, EventEntry>;
