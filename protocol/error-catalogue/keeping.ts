import type { ErrorRows } from './entry.ts';

/** E942–E950: what a server keeps, and whether it can rely on it: database, schema, audit log, backups, the state after a restore. */
export const keepingErrors = {
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
} as const satisfies ErrorRows;
