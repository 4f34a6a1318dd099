import type { ErrorRows } from './entry.ts';

/** E2xx: trust in statements, signers and packages (DESIGN §4, §5). Nothing here may be bypassed. */
export const trustErrors = {
  SIGNATURE_INVALID: {
    number: 'E201',
    summary: {
      ja: '署名が正しくないため、インストールを中止しました。',
      en: 'The signature is not valid, so the installation was stopped.',
    },
    remedy: { ja: '事業者が署名し直します。', en: 'The provider signs the package again.' },
    who: 'provider',
    retry: 'never',
    variants: {
      notice: {
        summary: {
          ja: '配信情報の署名が正しくないため、受け付けませんでした。',
          en: 'The signature of the notice is not valid; it was refused.',
        },
        remedy: {
          ja: '運用者が署名鍵を確認し、配信情報を発行し直します。',
          en: 'The operator checks the notice key and publishes the notice again.',
        },
        who: 'operator',
        retry: 'after-operator',
      },
      root: {
        summary: {
          ja: 'ルート情報の署名が正しくないため、受け付けませんでした。',
          en: 'The signature of the root is not valid; it was refused.',
        },
        remedy: { ja: '運用者がルート情報の署名を確認します。', en: 'The operator checks the signatures of the root.' },
        who: 'operator',
        retry: 'after-operator',
      },
    },
  },
  SIGNING_KEY_UNKNOWN: {
    number: 'E202',
    summary: {
      ja: '署名した鍵を確認できないため、インストールを中止しました。',
      en: 'The signing key is not known here, so the installation was stopped.',
    },
    remedy: {
      ja: '運用者が鍵の登録を確認し、事業者が登録済みの鍵で署名し直します。',
      en: 'The operator checks the registered keys; the provider signs again with a registered one.',
    },
    who: 'provider',
    retry: 'after-operator',
    variants: {
      revoked: {
        summary: {
          ja: '署名した鍵を確認できないため、インストールを中止しました。（失効した証明書）',
          en: 'The signing certificate has been revoked, so the installation was stopped.',
        },
        remedy: { ja: '事業者が新しい証明書で署名し直します。', en: 'The provider signs again with a new certificate.' },
      },
      notice: {
        summary: {
          ja: '配信情報に署名した鍵を確認できないため、受け付けませんでした。',
          en: 'The key that signed the notice is not known; it was refused.',
        },
        remedy: { ja: '運用者がルート情報の鍵の登録を確認します。', en: 'The operator checks the notice keys named by the root.' },
        who: 'operator',
      },
    },
  },
  PKG_DIGEST_MISMATCH: {
    number: 'E203',
    summary: {
      ja: '内容が配信時と異なるため、インストールを中止しました。',
      en: 'The bytes differ from what was signed, so the installation was stopped.',
    },
    remedy: {
      ja: '自動的に再取得します。繰り返す場合は、事業者が登録し直します。',
      en: 'Downloaded again by itself; if it repeats, the provider publishes the package anew.',
    },
    who: 'provider',
    retry: 'later',
  },
  PKG_DOWNGRADE: {
    number: 'E204',
    summary: {
      ja: '現在より古いバージョンのため、インストールしませんでした。',
      en: 'The version is older than the present one and was not installed.',
    },
    remedy: {
      ja: '事業者がより新しいバージョンを登録するか、運用者が署名付きで以前のバージョンへの変更を指示します。',
      en: 'The provider publishes a higher version, or the operator gives a signed rollback order.',
    },
    who: 'provider',
    retry: 'never',
  },
  NOTICE_EXPIRED: {
    number: 'E205',
    summary: {
      ja: '配信情報の有効期限が切れています。新しい配信情報を待っています。',
      en: 'The notice has expired. Waiting for a new one.',
    },
    remedy: {
      ja: '配信サーバーが自動的に発行し直します。続く場合は、運用者がサーバーと機器の時刻を確認します。',
      en: 'The server publishes it again by itself; if this lasts, the operator checks the server and the clock.',
    },
    who: 'operator',
    retry: 'later',
  },
  PKG_WRONG_MODEL: {
    number: 'E207',
    summary: { ja: 'この機種に対応したソフトウェアが提供されていません。', en: 'No software for this model is provided.' },
    remedy: {
      ja: '事業者がこの機種（{model}）用のソフトウェアを追加します。',
      en: 'The provider adds a package for this model ({model}).',
    },
    who: 'provider',
    retry: 'after-operator',
  },
  SIGNER_CHAIN_REFUSED: {
    number: 'E208',
    summary: {
      ja: '署名に使われた証明書が条件を満たしていないため、インストールを中止しました。',
      en: "The signer's certificate chain does not meet the rules, so the installation was stopped.",
    },
    remedy: {
      ja: '事業者が、条件を満たす証明書の発行を受けて署名し直します。',
      en: 'The provider obtains a certificate of the required form and signs again.',
    },
    who: 'provider',
    retry: 'never',
  },
  SIGNER_EXPIRED: {
    number: 'E209',
    summary: {
      ja: '署名に使われた証明書の有効期間外のため、インストールを中止しました。',
      en: "The signer's certificate is not valid at this time, so the installation was stopped.",
    },
    remedy: {
      ja: '事業者が有効な証明書で署名を更新します（tsugite resign）。ソフトウェアの変更は不要です。',
      en: 'The provider renews the signature with a valid certificate (tsugite resign); the software stays as it is.',
    },
    who: 'provider',
    retry: 'after-operator',
  },
  NOTICE_DOWNGRADE: {
    number: 'E210',
    summary: {
      ja: '適用済みのもの（{expected}）より古い配信情報（{found}）のため、受け付けませんでした。',
      en: 'The notice ({found}) is older than the applied one ({expected}); it was refused.',
    },
    remedy: {
      ja: '配信サーバーが、より新しい配信情報を自動的に発行します。繰り返す場合は、運用者がサーバーの復元状況を確認します。',
      en: 'The server publishes a newer one by itself; if it repeats, the operator checks whether the server was restored from an old backup.',
    },
    who: 'operator',
    retry: 'later',
  },
  NOTICE_VERSION_REUSED: {
    number: 'E211',
    summary: {
      ja: '適用済みのものと同じ番号で内容の異なる配信情報のため、受け付けませんでした。',
      en: 'The notice has the number of the applied one but other content; it was refused.',
    },
    remedy: {
      ja: '運用者が、配信サーバーの重複運転や署名鍵の漏えいがないか確認します。',
      en: 'The operator checks for a second server with the same key, or a leaked notice key.',
    },
    who: 'operator',
    retry: 'after-operator',
  },
  NOTICE_WRONG_GATEWAY: {
    number: 'E212',
    summary: {
      ja: '別のホームゲートウェイあての配信情報のため、受け付けませんでした。',
      en: 'The notice is for another gateway ({found}); it was refused.',
    },
    remedy: { ja: '運用者が、配信サーバーの配信先を確認します。', en: 'The operator checks which gateway the server published to.' },
    who: 'operator',
    retry: 'after-operator',
  },
  STATEMENT_MALFORMED: {
    number: 'E213',
    summary: {
      ja: '署名された情報（{what}）の内容が正しくないため、受け付けませんでした。（{faults}）',
      en: 'A signed statement ({what}) is not of the required form and was refused ({faults}).',
    },
    remedy: {
      ja: '運用者が、発行に使ったソフトウェアを確認し、発行し直します。',
      en: 'The operator checks the program that made it and issues it again.',
    },
    who: 'operator',
    retry: 'never',
    defaults: { what: { ja: '署名情報', en: 'envelope' }, faults: { ja: '詳細は動作記録', en: 'see the log' } },
    variants: {
      manifest: {
        remedy: {
          ja: '事業者が manifest.json を直し、作成と署名をやり直します（tsugite pack、tsugite sign）。',
          en: 'The provider corrects manifest.json, then packs and signs again (tsugite pack, tsugite sign).',
        },
        who: 'provider',
      },
    },
  },
  ROOT_CHAIN_BROKEN: {
    number: 'E214',
    summary: {
      ja: '信頼の基点（ルート情報）を現在のものから順に確認できないため、更新しませんでした（必要：{expected}、実際：{found}）。',
      en: 'The chain of roots could not be followed from the present one (expected {expected}, found {found}); it was left as it is.',
    },
    remedy: {
      ja: '運用者が、前後のルート情報の署名を確認し、発行し直します。',
      en: 'The operator checks the signatures of the roots (threshold of the old and of the new) and issues the root again.',
    },
    who: 'operator',
    retry: 'after-operator',
  },
  ROOT_EXPIRED: {
    number: 'E215',
    summary: {
      ja: '信頼の基点（ルート情報）の有効期限が切れているため、インストールと更新を停止しています。',
      en: 'The root has expired, so installs and updates are blocked.',
    },
    remedy: { ja: '運用者が、新しいルート情報を発行します。', en: 'The operator issues a new root.' },
    who: 'operator',
    retry: 'after-operator',
  },
  PKG_UNSIGNED: {
    number: 'E216',
    summary: { ja: '署名がないため、インストールを中止しました。', en: 'The package is not signed, so it was refused.' },
    remedy: { ja: '事業者が署名します（tsugite sign）。', en: 'The provider signs it (tsugite sign).' },
    who: 'provider',
    retry: 'never',
  },
  SIGNER_NOT_PROVIDER: {
    number: 'E217',
    summary: {
      ja: '署名者（{found}）がこのソフトウェアの事業者（{expected}）と異なるため、インストールを中止しました。',
      en: "The signer ({found}) is not the software's provider ({expected}), so the installation was stopped.",
    },
    remedy: {
      ja: '事業者が、自社の証明書で署名し直すか、manifest.json の provider を直します。',
      en: 'The provider signs with its own certificate, or corrects provider in manifest.json.',
    },
    who: 'provider',
    retry: 'never',
  },
  PKG_NOTICE_MISMATCH: {
    number: 'E218',
    summary: {
      ja: 'ソフトウェアの内容（{field}）が配信情報と一致しないため、インストールを中止しました。',
      en: 'The package does not agree with the notice ({field}: expected {expected}, found {found}), so the installation was stopped.',
    },
    remedy: {
      ja: '運用者が、登録内容を確認して配信情報を発行し直します。',
      en: 'The operator checks the release and publishes the notice again.',
    },
    who: 'operator',
    retry: 'after-operator',
  },
  PKG_MALFORMED: {
    number: 'E219',
    summary: {
      ja: 'ソフトウェアのファイル形式が正しくないため、インストールを中止しました。（{kind}）',
      en: 'The package is not of the required form and was refused ({kind}).',
    },
    remedy: {
      ja: '事業者が、作成と署名をやり直します（tsugite pack、tsugite sign）。',
      en: 'The provider packs and signs again (tsugite pack, tsugite sign).',
    },
    who: 'provider',
    retry: 'never',
    defaults: { kind: { ja: '詳細は動作記録', en: 'see the log' } },
  },
  PKG_TRUNCATED: {
    number: 'E220',
    summary: {
      ja: 'ソフトウェアのファイルが途中で切れているため、インストールを中止しました。（必要：{expected}バイト、実際：{found}バイト）',
      en: 'The package ends too early (expected {expected} bytes, found {found}), so it was refused.',
    },
    remedy: {
      ja: 'ファイルをもう一度取得またはコピーしてください。',
      en: 'Fetch or copy the file again.',
    },
    who: 'provider',
    retry: 'later',
  },
  ENVELOPE_MALFORMED: {
    number: 'E221',
    summary: {
      ja: '署名付きの封筒（エンベロープ）の形式が正しくないため、受け付けませんでした。（{kind}）',
      en: 'The signed envelope is not of the required form and was refused ({kind}).',
    },
    remedy: {
      ja: '発行元が署名し直します（パッケージは事業者、配信情報とルート情報は運用者）。',
      en: 'Whoever issued it signs again: the provider a package, the operator a notice or root.',
    },
    who: 'operator',
    retry: 'never',
    defaults: { kind: { ja: '詳細は動作記録', en: 'see the log' } },
    variants: { manifest: { who: 'provider' } },
  },
  JSON_NOT_COMPACT: {
    number: 'E222',
    summary: {
      ja: 'JSONが定められた書き方（空白・重複なし）でないため、受け付けませんでした。（{kind}）',
      en: 'The JSON is not written in the one allowed way (compact, no duplicates) and was refused ({kind}).',
    },
    remedy: {
      ja: '送信側が JSON.stringify のままの形で書き直します。',
      en: 'Whoever made it writes it as JSON.stringify does, without changes.',
    },
    who: 'operator',
    retry: 'never',
    defaults: { kind: { ja: '詳細は動作記録', en: 'see the log' } },
    variants: { manifest: { who: 'provider' } },
  },
  PKG_PAYLOAD_MISMATCH: {
    number: 'E223',
    summary: {
      ja: 'ソフトウェアの中身がマニフェストの記載（{kind}）と一致しないため、インストールを中止しました。（記載：{expected}、実際：{found}）',
      en: 'The payload does not agree with its manifest ({kind}: expected {expected}, found {found}), so it was refused.',
    },
    remedy: {
      ja: '事業者が、作成と署名をやり直します（tsugite pack、tsugite sign）。',
      en: 'The provider packs and signs again (tsugite pack, tsugite sign).',
    },
    who: 'provider',
    retry: 'never',
  },
  ROOT_BEHIND: {
    number: 'E224',
    summary: {
      ja: '信頼の基点（ルート情報）が最新でない（必要：{expected}、現在：{found}）ため、インストールと更新を保留しています。',
      en: 'The root is not the newest one (needed: {expected}, present: {found}), so installs and updates are on hold.',
    },
    remedy: {
      ja: '自動的に取得し直します。続く場合は、運用者が配信サーバーのルート情報を確認します。',
      en: 'Fetched again by itself; if this lasts, the operator checks the roots that the server offers.',
    },
    who: 'operator',
    retry: 'later',
  },
} as const satisfies ErrorRows;
