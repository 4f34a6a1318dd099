/**
 * Every event that the agent writes into its log, and the sentence a person reads. docs/EVENTS.md is made from this table, and a test holds the
 * names in the code to it. `{name}` is filled from the event's fields and its detail; when the event carries a code, the catalogue's sentence follows.
 */
export type EventLevel = 'debug' | 'info' | 'warn' | 'error';
export type EventEntry = { readonly level: EventLevel; readonly ja: string; readonly en: string };

export const events = {
  'agent.started': { level: 'info', ja: 'エージェントを開始しました（バージョン{agent}）。', en: 'The agent started (version {agent}).' },
  'agent.stopped': { level: 'info', ja: 'エージェントを終了しました。', en: 'The agent stopped.' },
  'agent.fault': { level: 'error', ja: 'エージェントの処理で問題が起きました。', en: 'The agent met a fault.' },
  'agent.identity_changed': {
    level: 'warn',
    ja: '名義が変わったため、以前のソフトウェアとデータをすべて削除します。',
    en: 'The identity changed: all earlier software and data are purged.',
  },
  'log.gap': {
    level: 'warn',
    ja: '記録番号{from}から{to}までの一部が失われた可能性があります。',
    en: 'Some of the entries {from} to {to} may be lost.',
  },
  'state.damaged': {
    level: 'error',
    ja: '保存した状態を読めないため、前回の控えを使います。',
    en: 'A saved state could not be read; the previous copy is used.',
  },
  'state.changed': { level: 'info', ja: '「{ja}」になりました。', en: 'It is now "{en}".' },
  'disk.full': { level: 'error', ja: '保存領域がいっぱいです。', en: 'The storage is full.' },

  'clock.behind': {
    level: 'warn',
    ja: '時計が遅れているため、署名された時刻を使います。',
    en: 'The clock is behind; signed time is used instead.',
  },
  'clock.far_ahead': { level: 'warn', ja: '時計が大きく進んでいます。', en: 'The clock is far ahead of any signed time.' },
  'clock.right': { level: 'info', ja: '時計が正しくなりました。', en: 'The clock is right again.' },

  'gateway.enrolled': { level: 'info', ja: 'ホームゲートウェイを登録しました。', en: 'The gateway was enrolled.' },
  'certificate.renewed': { level: 'info', ja: '機器の証明書を更新しました。', en: 'The device certificate was renewed.' },
  'certificate.renewal_failed': {
    level: 'warn',
    ja: '機器の証明書を更新できませんでした。',
    en: 'The device certificate could not be renewed.',
  },

  'link.online': { level: 'info', ja: '配信サーバーに接続しました。', en: 'Connected to the delivery server.' },
  'link.offline': { level: 'warn', ja: '配信サーバーとの接続が切れました。', en: 'The connection to the delivery server ended.' },
  'telemetry.sent': {
    level: 'info',
    ja: '{day}の動作状況（{bytes}バイト）を配信サーバーに送信しました。',
    en: 'The measurements of {day} ({bytes} bytes) were sent to the delivery server.',
  },
  'telemetry.held': {
    level: 'warn',
    ja: '{day}からの動作状況の送信を見合わせています。',
    en: 'The measurements from {day} on are held back.',
  },
  'telemetry.dropped': {
    level: 'warn',
    ja: '{day}の動作状況を、送信しないまま破棄しました。',
    en: 'The measurements of {day} were dropped without being sent.',
  },
  'traffic.alarm': {
    level: 'warn',
    ja: '今月の制御用の通信量が{limit}バイトに達しました。',
    en: "This month's control traffic reached {limit} bytes.",
  },
  'traffic.ceiling': {
    level: 'warn',
    ja: '今月の制御用の通信量が上限に達しました。',
    en: "This month's control traffic reached its ceiling.",
  },

  'root.accepted': { level: 'info', ja: 'ルート情報（{version}）を受け付けました。', en: 'Root {version} was accepted.' },
  'root.refused': { level: 'error', ja: 'ルート情報を受け付けませんでした。', en: 'A root was refused.' },
  'root.walk_failed': { level: 'warn', ja: '新しいルート情報を確認できませんでした。', en: 'Newer roots could not be asked for.' },
  'root.notice_key_lost': {
    level: 'warn',
    ja: '配信情報の署名鍵が廃止されたため、配信情報の適用記録を消去しました。',
    en: 'A notice key was withdrawn: what was learned from notices is forgotten.',
  },
  'notice.applied': { level: 'info', ja: '配信情報（{notice}）を適用しました。', en: 'Notice {notice} was applied.' },
  'notice.refused': { level: 'error', ja: '配信情報を受け付けませんでした。', en: 'A notice was refused.' },
  'request.answered': {
    level: 'info',
    ja: '運用者からの要求（{kind}）に応答しました。',
    en: 'A request of the operator ({kind}) was answered.',
  },

  'delivery.started': { level: 'info', ja: 'バージョン{version}のインストールを開始しました。', en: 'Installing version {version} began.' },
  'delivery.progress': { level: 'debug', ja: 'インストールの段階：{state}', en: 'Stage of the installation: {state}' },
  'delivery.committed': { level: 'info', ja: 'バージョン{version}のインストールが完了しました。', en: 'Version {version} is installed.' },
  'delivery.superseded': {
    level: 'info',
    ja: '新しい配信情報により、インストールを取りやめました。',
    en: 'The installation was ended by a newer notice.',
  },
  'delivery.rejected': {
    level: 'warn',
    ja: 'このホームゲートウェイに配信されていません。理由は次のとおりです。',
    en: 'It was not delivered to this gateway, for this reason.',
  },
  'delivery.failed': { level: 'warn', ja: 'インストールに失敗しました。', en: 'The installation failed.' },
  'delivery.rolled_back': {
    level: 'warn',
    ja: 'インストール前の状態に戻しました。',
    en: 'What was before the installation was brought back.',
  },
  'delivery.stuck': {
    level: 'error',
    ja: 'インストール前の状態に戻せませんでした。',
    en: 'What was before the installation could not be brought back.',
  },
  'delivery.rolling_back': {
    level: 'warn',
    ja: 'インストール前の状態に戻しています。',
    en: 'What was before the installation is being brought back.',
  },
  'delivery.resumed': {
    level: 'info',
    ja: '再起動前のインストールを続けます（{state}）。',
    en: 'An installation from before the restart goes on ({state}).',
  },
  'download.retry': {
    level: 'warn',
    ja: 'ダウンロードを{afterS}秒後にもう一度行います。',
    en: 'The download is tried again in {afterS} s.',
  },
  'download.resumed': { level: 'info', ja: 'ダウンロードを続きから再開しました。', en: 'The download was resumed.' },

  'app.started': { level: 'info', ja: 'ソフトウェアを起動しました。', en: 'The software was started.' },
  'app.ready': { level: 'info', ja: 'ソフトウェアが動作しています。', en: 'The software is ready.' },
  'app.stopped': { level: 'info', ja: 'ソフトウェアを停止しました。', en: 'The software was stopped.' },
  'app.exited': {
    level: 'warn',
    ja: 'ソフトウェアが終了しました。{afterS}秒後に再起動します。',
    en: 'The software ended; it is started again in {afterS} s.',
  },
  'app.start_failed': { level: 'warn', ja: 'ソフトウェアを起動できませんでした。', en: 'The software could not be started.' },
  'app.crash_loop': { level: 'error', ja: '異常終了を繰り返しています。', en: 'The software keeps crashing.' },
  'app.orphaned': {
    level: 'warn',
    ja: '配信情報に含まれていないため、停止して保持します。',
    en: 'It is not in the notice: stopped and kept.',
  },
  'permission.denied': {
    level: 'warn',
    ja: '許可されていない通信を遮断しました。',
    en: 'A connection that was not permitted was blocked.',
  },
  'app.network_joined': {
    level: 'info',
    ja: 'ソフトウェアを宅内ネットワークに接続しました（{address}）。',
    en: 'The software was joined to the home network ({address}).',
  },
  'app.network_missing': {
    level: 'warn',
    ja: 'ソフトウェアを宅内ネットワークに接続できませんでした。',
    en: 'The software could not be joined to the home network.',
  },
  'storage.moved': {
    level: 'info',
    ja: 'ソフトウェアのデータ（{bytes}バイト）を、専用のデータ領域に移しました。',
    en: 'The data of the software ({bytes} bytes) were moved into a storage of their own.',
  },
  'storage.not_moved': {
    level: 'warn',
    ja: 'ソフトウェアのデータを、専用のデータ領域に移せませんでした。次の起動時にもう一度行います。',
    en: 'The data of the software could not be moved into a storage of their own; it is tried again at the next start.',
  },
  'storage.resized': {
    level: 'info',
    ja: 'データ領域の上限を{limit}バイトに変更しました。',
    en: 'The limit of the data storage is now {limit} bytes.',
  },
  'storage.repaired': {
    level: 'warn',
    ja: 'データ領域を検査し、修復しました（{how}）。',
    en: 'The data storage was checked and repaired ({how}).',
  },
  'storage.resize_waits': {
    level: 'info',
    ja: 'データ領域の上限は、次の起動時に{limit}バイトになります。',
    en: 'The limit of the data storage becomes {limit} bytes at the next start.',
  },
  'storage.not_resized': {
    level: 'warn',
    ja: 'データ領域の大きさを変更しませんでした。データは消えていません。',
    en: 'The size of the data storage was not changed; no data were deleted.',
  },
  'storage.without_images': {
    level: 'warn',
    ja: 'この機器では専用のデータ領域を作れないため、データの量を定期的に確認します（{at}）。',
    en: 'This machine has no data storage with a limit of its own; the amount is counted instead ({at}).',
  },
  'storage.over_limit': {
    level: 'warn',
    ja: 'データの量が上限を超えたため、ソフトウェアを停止します。',
    en: 'There are more data than the limit allows: the software is stopped.',
  },
  'software.purged': {
    level: 'info',
    ja: 'ソフトウェアとそのデータを削除しました（{reason}）。',
    en: 'The software and its data were removed ({reason}).',
  },
  'entitlement.revoked': {
    level: 'info',
    ja: 'ご契約の終了に伴い、ソフトウェアを削除します。',
    en: 'The contract ended: the software is being removed.',
  },
  'sandbox.ready': { level: 'info', ja: 'ソフトウェアを隔離して実行できます。', en: 'Software can be run in isolation.' },
  'sandbox.unavailable': { level: 'error', ja: 'ソフトウェアを隔離して実行できません。', en: 'Software cannot be run in isolation.' },
  'house.answered': {
    level: 'info',
    ja: 'ゲートウェイの前での操作を受け付けました（{ask}）。',
    en: 'An order of the people at the gateway was taken ({ask}).',
  },
  'settings.password_set': { level: 'info', ja: '機器設定用パスワードを設定しました。', en: 'The settings password was set.' },
  'settings.login': { level: 'info', ja: '設定画面にログインしました。', en: 'Somebody logged in to the settings page.' },
  'settings.login_failed': {
    level: 'warn',
    ja: '設定画面へのログインに失敗しました（続けて{failures}回）。',
    en: 'A login to the settings page failed ({failures} in a row).',
  },
  'store.swept': { level: 'debug', ja: '不要になったパッケージを削除しました。', en: 'Packages that nothing needs were removed.' },
} as const satisfies Readonly<Record<string, EventEntry>>;
