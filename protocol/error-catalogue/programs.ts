import type { ErrorRows } from './entry.ts';

/** E930–E999: what any of the three programs may meet: configuration, files, keys, ports, database, API. */
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
  DATABASE_REFUSED: {
    number: 'E942',
    summary: { ja: 'データベースに拒否されました：{at}', en: 'The database refuses us: {at}' },
    remedy: {
      ja: '運用者が、DATABASE_URL の利用者・パスワード・データベース名と、PostgreSQL の pg_hba.conf を確認します。',
      en: 'The operator checks user, password and database of DATABASE_URL, and pg_hba.conf of that PostgreSQL.',
    },
    who: 'operator',
    retry: 'after-operator',
    variants: {
      password: {
        summary: { ja: 'データベースの利用者またはパスワードが正しくありません。', en: 'User or password of the database is wrong.' },
      },
      missing: {
        summary: { ja: 'DATABASE_URL のデータベースがありません。', en: 'There is no such database as DATABASE_URL names.' },
        remedy: {
          ja: 'データベースを作成してください（docs/operations/database.md）。',
          en: 'Create the database (docs/operations/database.md).',
        },
      },
      rights: {
        summary: { ja: 'データベースの利用者に権限がありません：{at}', en: 'The database user lacks a right: {at}' },
        remedy: { ja: '利用者をそのデータベースの所有者にしてください。', en: 'Make the user the owner of its database.' },
      },
      encryption: {
        summary: { ja: 'データベースとの暗号化接続ができません：{at}', en: 'No encrypted connection to the database: {at}' },
        remedy: {
          ja: 'DATABASE_URL の sslmode と、PostgreSQL の証明書を確認してください。',
          en: 'Check sslmode in DATABASE_URL, and the certificate of that PostgreSQL.',
        },
      },
    },
    defaults: { at: { ja: '理由は示されませんでした', en: 'no reason was given' } },
  },
  DATABASE_UNSUITABLE: {
    number: 'E943',
    summary: {
      ja: 'このデータベースは使用できません（{expected}が必要です。実際：{found}）。',
      en: 'This database cannot be used: {expected} is needed, it has {found}.',
    },
    remedy: {
      ja: 'docs/operations/database.md のとおりにデータベースを作り、DATABASE_URL で指定してください。',
      en: 'Create a database as docs/operations/database.md says, and name it in DATABASE_URL.',
    },
    who: 'operator',
    retry: 'after-operator',
    variants: {
      'other-installation': {
        summary: {
          ja: 'データベースとデータフォルダーが、別々のサーバーのものです。',
          en: 'The database and the data folder belong to two different installations.',
        },
        remedy: {
          ja: '--data と DATABASE_URL の組み合わせを確認してください。何も変更していません。',
          en: 'Check that --data and DATABASE_URL belong together; nothing was changed.',
        },
      },
      gone: {
        summary: { ja: 'データフォルダー（{path}）にデータベースがありません。', en: 'The data folder {path} holds no database.' },
        remedy: {
          ja: 'データベースが外部にある場合は DATABASE_URL を指定し、失われた場合はバックアップから復元してください。',
          en: 'If the database is elsewhere, give DATABASE_URL; if it was lost, restore a backup.',
        },
      },
      engine: {
        remedy: {
          ja: 'このデータを作ったときと同じバージョンのプログラムで動かし、移行方法を docs/operations/database.md で確認してください。',
          en: 'Run it with the program that made it; docs/operations/database.md says how to move to another PostgreSQL.',
        },
      },
    },
    defaults: {
      expected: { ja: 'PostgreSQL 15 以上', en: 'PostgreSQL 15 or newer' },
      found: { ja: '不明', en: 'something else' },
      path: { ja: '指定の場所', en: 'given' },
    },
  },
  SCHEMA_UNKNOWN: {
    number: 'E944',
    summary: {
      ja: 'データベースは、このプログラムより新しいもの（{at}）で使われています。',
      en: 'The database is newer than this program: it has {at}.',
    },
    remedy: {
      ja: 'データベースを使っているものと同じか、新しいプログラムで起動してください。何も変更していません。',
      en: 'Start the program that this database was used with, or a newer one; nothing was changed.',
    },
    who: 'operator',
    retry: 'never',
    variants: {
      changed: {
        summary: {
          ja: '移行ファイル {at} が、データベースに適用したときと異なります。',
          en: 'The migration {at} is not what ran on this database.',
        },
        remedy: {
          ja: '変更されていない配布物でプログラムを入れ直してください。何も変更していません。',
          en: 'Install the program anew from an unchanged distribution; nothing was changed.',
        },
      },
    },
  },
  AUDIT_BROKEN: {
    number: 'E945',
    summary: {
      ja: '監査記録が、書き込まれたときのままではありません（{count}か所、最初は番号{first}）。',
      en: 'The audit log is not what was written: {count} places, the first at number {first}.',
    },
    remedy: {
      ja: '記録とバックアップを保全し、変更できた人を調べてください（docs/operations/audit.md）。',
      en: 'Secure the log and the backups, and find out who could change it (docs/operations/audit.md).',
    },
    who: 'operator',
    retry: 'never',
  },
  BACKUP_UNUSABLE: {
    number: 'E946',
    summary: { ja: 'バックアップ（{path}）は使用できません：{at}', en: 'The backup {path} cannot be used: {at}' },
    remedy: { ja: '別のバックアップを使ってください。', en: 'Use another backup.' },
    who: 'operator',
    retry: 'never',
    variants: {
      incomplete: {
        summary: { ja: '{path} は、完成したバックアップではありません。', en: '{path} is not a finished backup.' },
        remedy: {
          ja: '「.unfinished」が付いたフォルダーは途中で止まったものです。別のバックアップを使ってください。',
          en: 'A folder with ".unfinished" in its name was cut short. Use another backup.',
        },
      },
      newer: {
        summary: {
          ja: 'バックアップ（{path}）は、このプログラムより新しいもので作られています（{at}）。',
          en: 'The backup {path} was made by a newer program ({at}).',
        },
        remedy: {
          ja: '作ったときと同じか、新しいプログラムで復元してください。',
          en: 'Restore it with the program that made it, or a newer one.',
        },
      },
    },
    defaults: { at: { ja: '内容が異なります', en: 'it differs from its list' } },
  },
  DATABASE_ELSEWHERE: {
    number: 'E947',
    summary: {
      ja: 'データベースが外部（DATABASE_URL）にあるため、ここではバックアップできません。',
      en: 'The database is elsewhere (DATABASE_URL) and cannot be backed up from here.',
    },
    remedy: {
      ja: 'PostgreSQL の手段（pg_dump など）でデータベースを、続けて backup --without-database で残りをバックアップしてください。',
      en: 'Back up the database with the means of its PostgreSQL (pg_dump, …), then the rest with backup --without-database.',
    },
    who: 'operator',
    retry: 'never',
    variants: {
      restore: {
        summary: {
          ja: 'このバックアップは、外部のデータベースを使うサーバーのものです。',
          en: 'This backup is of a server whose database is elsewhere.',
        },
        remedy: {
          ja: '先にデータベースを復元し、DATABASE_URL を指定して、もう一度実行してください。',
          en: 'Restore the database first, then run this again with its DATABASE_URL.',
        },
      },
    },
  },
  PUBLICATION_HELD: {
    number: 'E948',
    summary: {
      ja: '復元のあと、確認されるまで配信情報の送信を止めています。',
      en: 'After a restore nothing is published until it is confirmed.',
    },
    remedy: {
      ja: '運用者が、バックアップ後の変更を登録し直し、restore confirm で再開します。',
      en: 'The operator enters again what was changed since the backup, then runs restore confirm.',
    },
    who: 'operator',
    retry: 'after-operator',
  },
  BROKER_NOT_SHARED: {
    number: 'E949',
    summary: {
      ja: '同じデータベースで、組み込みのブローカーを使うサーバーがすでに動作しています。',
      en: 'Another server with its own broker runs on this database.',
    },
    remedy: {
      ja: '2台以上で動かす場合は、共用の MQTT ブローカー（MQTT_URL）を使ってください。',
      en: 'To run several servers, let them share an MQTT broker (MQTT_URL).',
    },
    who: 'operator',
    retry: 'after-operator',
  },
  DATABASE_UNAVAILABLE: {
    number: 'E950',
    summary: { ja: 'データベースに接続できません。', en: 'The database cannot be reached.' },
    remedy: {
      ja: '運用者が、データベースの状態と設定（DATABASE_URL）を確認します。自動的に再接続します。',
      en: 'The operator checks the database and DATABASE_URL; connects again by itself.',
    },
    who: 'operator',
    retry: 'later',
    variants: {
      connections: {
        summary: { ja: 'データベースの接続数が上限に達しています。', en: 'The database has no connection left.' },
        remedy: {
          ja: '運用者が、PostgreSQL の max_connections を増やすか、ほかの利用を減らします。自動的に再接続します。',
          en: 'The operator raises max_connections of that PostgreSQL, or lets others use fewer; connects again by itself.',
        },
      },
    },
  },
  API_UNAUTHENTICATED: {
    number: 'E951',
    summary: { ja: '認証情報がないか、正しくありません。', en: 'The access token is missing or wrong.' },
    remedy: {
      ja: '有効なトークンを指定してください（発行：tsugite-server token）。',
      en: 'Send a valid token (issued by tsugite-server token).',
    },
    who: 'operator',
    retry: 'after-operator',
  },
  API_FORBIDDEN: {
    number: 'E952',
    summary: { ja: 'この操作は、あなたの役割（{role}）では許可されていません。', en: 'The role {role} may not do this.' },
    remedy: { ja: '権限のある担当者に依頼してください。', en: 'Ask somebody whose role allows it.' },
    who: 'operator',
    retry: 'after-operator',
    defaults: { role: { ja: '未認証', en: 'anonymous' } },
  },
  NOT_FOUND: {
    number: 'E953',
    summary: { ja: '{what}が見つかりません。', en: '{what} was not found.' },
    remedy: { ja: '名前または番号を確認してください。', en: 'Check the name or number.' },
    who: 'nobody',
    retry: 'never',
    defaults: { what: { ja: '指定されたもの', en: 'What was asked for' } },
  },
  CONFLICT: {
    number: 'E954',
    summary: { ja: '{what}は、すでに異なる内容で登録されています。', en: '{what} is already registered with other content.' },
    remedy: { ja: '最新の内容を確認してから、やり直してください。', en: 'Look at what is registered now, then try again.' },
    who: 'nobody',
    retry: 'never',
    defaults: { what: { ja: '指定されたもの', en: 'It' } },
  },
  SERVER_BUSY: {
    number: 'E955',
    summary: { ja: '配信サーバーが混み合っています。', en: 'The delivery server is busy.' },
    remedy: { ja: 'しばらくしてから、やり直してください。', en: 'Try again in a while.' },
    who: 'nobody',
    retry: 'later',
  },
  RATE_LIMITED: {
    number: 'E956',
    summary: {
      ja: '短時間に要求が多すぎます（上限：1分間に{limit}）。',
      en: 'Too many requests in a short time (limit: {limit} a minute).',
    },
    remedy: {
      ja: '{retryAfterS}秒待ってから、やり直してください。続く場合は、要求の間隔をあけてください。',
      en: 'Wait {retryAfterS} seconds and try again; if it goes on, ask less often.',
    },
    who: 'nobody',
    retry: 'later',
    variants: {
      'wrong-tokens': {
        summary: {
          ja: '正しくないトークンが続けて送られたため、しばらく認証を受け付けません。',
          en: 'Too many wrong tokens came from there: no new token is looked at for a while.',
        },
        remedy: {
          ja: '正しいトークンを指定し、{retryAfterS}秒待ってから、やり直してください。',
          en: 'Use the right token: wait {retryAfterS} seconds and try again.',
        },
      },
    },
    defaults: { retryAfterS: { ja: '60', en: '60' } },
  },
  REQUEST_KEY_REUSED: {
    number: 'E957',
    summary: {
      ja: '同じ Idempotency-Key が、別の内容の要求に使われています。',
      en: 'The same Idempotency-Key came with another request before.',
    },
    remedy: { ja: '別の要求には新しい値を使ってください。', en: 'Use a new key for another request.' },
    who: 'nobody',
    retry: 'never',
  },
  REQUEST_RUNNING: {
    number: 'E958',
    summary: { ja: '同じ Idempotency-Key の要求を処理しています。', en: 'The request with this Idempotency-Key is being carried out.' },
    remedy: { ja: '少し待ってから、同じ値でやり直してください。', en: 'Wait a little and send it again with the same key.' },
    who: 'nobody',
    retry: 'later',
  },
  VERSION_CHANGED: {
    number: 'E959',
    summary: { ja: '確認したあとに、ほかの人が内容を変更しました。', en: 'Somebody else changed it since you looked.' },
    remedy: { ja: '最新の内容を確認してから、やり直してください。', en: 'Look at what it is now, then try again.' },
    who: 'nobody',
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
