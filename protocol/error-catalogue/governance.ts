import type { ErrorRows } from './entry.ts';

/** E7xx: what the operator's rules allow: ethics, consent, admission, approvals. 7000–7999 belong to providers. */
export const governanceErrors = {
  ETHICS_REVIEW: {
    number: 'E701',
    // The household is not told that a named provider is under review (DOMAIN §12): only `kind: 'staff'` names the reason.
    summary: {
      ja: '現在、このソフトウェアの新たな配信を停止しています。',
      en: 'New deliveries of this software are paused at present.',
    },
    remedy: { ja: '再開までお待ちください。', en: 'Please wait until they are resumed.' },
    who: 'operator',
    retry: 'after-operator',
    variants: {
      staff: {
        summary: { ja: '第三者機関による倫理審査中です。', en: 'A third party is reviewing the ethics of this software.' },
        remedy: { ja: '審査の結果をお待ちください。', en: 'Wait for the result of the review.' },
      },
    },
  },
  SOFTWARE_PROHIBITED: {
    number: 'E702',
    summary: {
      ja: 'このソフトウェアの配信は停止され、ホームゲートウェイから削除されました。',
      en: 'Delivery of this software was stopped, and it was removed from the gateway.',
    },
    remedy: { ja: '操作は不要です。', en: 'Nothing to do.' },
    who: 'nobody',
    retry: 'never',
  },
  CONSENT_MISSING: {
    number: 'E710',
    summary: { ja: 'お客さまのお申し込み情報が登録されていません。', en: "The customer's application is not registered." },
    remedy: {
      ja: '事業者が、お客さまのお申し込み（同意）の情報を登録します。',
      en: "The provider registers the reference of the customer's consent.",
    },
    who: 'provider',
    retry: 'after-operator',
  },
  CUSTOMER_INFO_MISSING: {
    number: 'E711',
    summary: {
      ja: 'お客さまに示す情報（{fields}）がないため、登録できません。',
      en: 'Information for the customer is missing ({fields}), so the release was not admitted.',
    },
    remedy: {
      ja: '事業者が、manifest.json の customer に内容・料金・日数・問い合わせ先・規約を日本語で書きます。',
      en: 'The provider fills customer in manifest.json: description, price, lead time, contact and terms, in Japanese.',
    },
    who: 'provider',
    retry: 'never',
  },
  MODEL_UNKNOWN: {
    number: 'E712',
    summary: { ja: '機種（{models}）は、対象機種の一覧にありません。', en: 'The catalogue of models does not list {models}.' },
    remedy: { ja: '事業者が、manifest.json の models を直します。', en: 'The provider corrects models in manifest.json.' },
    who: 'provider',
    retry: 'never',
  },
  VERSION_NOT_HIGHER: {
    number: 'E713',
    summary: {
      ja: 'バージョン（{found}）が、登録済みのバージョン（{expected}）より新しくありません。',
      en: 'The version ({found}) is not higher than the registered one ({expected}).',
    },
    remedy: {
      ja: '事業者が、より大きいバージョン番号で登録します。',
      en: 'The provider publishes with a higher version number.',
    },
    who: 'provider',
    retry: 'never',
  },
  SOFTWARE_ID_TAKEN: {
    number: 'E714',
    summary: {
      ja: 'この名前（{name}）は、別の事業者またはソフトウェアが使用しています。',
      en: 'The name {name} already belongs to another provider or software.',
    },
    remedy: {
      ja: '事業者が、ほかの名前を選びます。',
      en: 'The provider chooses another name.',
    },
    who: 'provider',
    retry: 'never',
  },
  DELIVERY_HALTED: {
    number: 'E715',
    summary: {
      ja: 'このバージョン（{version}）の新たなインストールは停止されています。',
      en: 'New installs of this version ({version}) are halted.',
    },
    remedy: {
      ja: '事業者または運用者が再開するか、新しいバージョンを登録します。',
      en: 'The provider or the operator resumes it, or publishes a new version.',
    },
    who: 'provider',
    retry: 'after-operator',
  },
  APPROVAL_REQUIRED: {
    number: 'E716',
    summary: {
      ja: '多くの配信先（{actual}件、上限{limit}件）を停止または削除する変更のため、別の担当者の承認が必要です。',
      en: 'The change stops or removes {actual} targets (more than {limit}) and needs the approval of a second person.',
    },
    remedy: {
      ja: '運用者の別の担当者が、内容を確認して承認します（tsugite-server approve）。',
      en: 'Another person at the operator checks and approves it (tsugite-server approve).',
    },
    who: 'operator',
    retry: 'after-operator',
  },
  RESTORE_UNCONFIRMED: {
    number: 'E717',
    summary: {
      ja: 'バックアップから復元した直後のため、配信情報の発行を止めています。',
      en: 'The server was restored from a backup and publishes nothing until that is confirmed.',
    },
    remedy: {
      ja: '運用者が、復元した内容を確認して再開します（tsugite-server restore --confirm）。',
      en: 'The operator checks the restored data and confirms (tsugite-server restore --confirm).',
    },
    who: 'operator',
    retry: 'after-operator',
  },
  STATE_FORBIDS: {
    number: 'E718',
    summary: {
      ja: '現在の状態（{state}）では、この操作（{action}）はできません。',
      en: 'The present state ({state}) does not allow this step ({action}).',
    },
    remedy: {
      ja: '必要な前の手順を済ませてから、やり直してください。',
      en: 'Finish the step that comes before, then try again.',
    },
    who: 'operator',
    retry: 'after-operator',
  },
  NOT_ORDERED: {
    number: 'E719',
    summary: { ja: '配信のお申し込みを受け付けていません。', en: 'No delivery has been ordered.' },
    remedy: {
      ja: '事業者が、お客さまIDと同意を添えて配信を申し込みます（tsugite order）。',
      en: "The provider orders the delivery with the customer's ID and consent (tsugite order).",
    },
    who: 'provider',
    retry: 'after-operator',
  },
  APPROVAL_SAME_HAND: {
    number: 'E720',
    summary: {
      ja: 'この変更を申請したトークン、またはそれを発行した（発行された）トークンでは承認できません。',
      en: 'The token that proposed the change cannot approve it, nor can one that issued it or that it issued.',
    },
    remedy: {
      ja: '運用者の別の担当者が、申請者の発行していないトークンで承認します。',
      en: 'Another person at the operator approves it, with a token that the proposer has not issued.',
    },
    who: 'operator',
    retry: 'after-operator',
  },
  SIGNATURE_ENDS_SOONER: {
    number: 'E721',
    summary: {
      ja: '署名の証明書の期限（{found}）が、登録済みの署名の期限（{expected}）より早いため、署名を更新できません。',
      en: "The signature was not renewed: the signer's certificate ends at {found}, that of the registered signature at {expected}.",
    },
    remedy: {
      ja: '事業者が、期限の遅い証明書で署名し直します（tsugite resign）。更新前のファイルを再び登録する必要はありません。',
      en: 'The provider signs with a certificate that ends later (tsugite resign). A file from before the renewal need not be registered again.',
    },
    who: 'provider',
    retry: 'never',
  },
  PRICE_NOT_ACCEPTED: {
    number: 'E722',
    summary: {
      ja: '料金が、承諾された金額（一時費用{acceptedOneOff}円、月額{acceptedMonthly}円）と異なるため、登録しませんでした（現在：一時費用{oneOff}円、月額{monthly}円）。費用は発生していません。',
      en: 'Not registered: the price ({oneOff} yen once, {monthly} yen a month) is not the one accepted ({acceptedOneOff} yen, {acceptedMonthly} yen). Nothing was charged.',
    },
    remedy: {
      ja: '事業者が、現在の料金を確認して、もう一度登録します。',
      en: 'The provider looks at the present price and registers again.',
    },
    who: 'provider',
    retry: 'never',
    variants: {
      'no-terminal': {
        summary: {
          ja: '費用（一時費用{oneOff}円、月額{monthly}円）の承諾を確認できないため、登録しませんでした。費用は発生していません。',
          en: 'Not registered: nobody could be asked to accept the price ({oneOff} yen once, {monthly} yen a month). Nothing was charged.',
        },
        remedy: {
          ja: '端末から実行するか、料金を承諾する場合は --yes を付けます。',
          en: 'Run it in a terminal, or add --yes to accept the price.',
        },
      },
      declined: {
        summary: {
          ja: '費用（一時費用{oneOff}円、月額{monthly}円）が承諾されなかったため、登録しませんでした。費用は発生していません。',
          en: 'Not registered: the price ({oneOff} yen once, {monthly} yen a month) was not accepted. Nothing was charged.',
        },
        remedy: {
          ja: '登録する場合は、同じ操作をもう一度行います。アップロード済みのファイルは、登録しなければ期限後に消去されます。',
          en: 'To register, do the same again. What was uploaded is dropped in time unless it is registered.',
        },
      },
    },
  },
  MEASURED_LIMIT: {
    number: 'E723',
    summary: {
      ja: '登録していないリリースの数が上限（{limit}件）に達しています。',
      en: 'As many releases are uploaded and not registered as are kept for a provider ({limit}).',
    },
    remedy: {
      ja: '事業者が、不要なものを取り消す（tsugite publish --discard）か、登録します。登録しないものは期限後に消去されます。',
      en: 'The provider discards what is not needed (tsugite publish --discard), or registers it. What is not registered is dropped in time.',
    },
    who: 'provider',
    retry: 'later',
  },
  HALTED_BY_OPERATOR: {
    number: 'E724',
    summary: {
      ja: 'このバージョン（{version}）は運用者が停止したため、事業者は再開できません。',
      en: 'The operator halted this version ({version}); a provider cannot resume it.',
    },
    remedy: {
      ja: '事業者が運用者に問い合わせるか、新しいバージョンを登録します。',
      en: 'The provider asks the operator, or publishes a new version.',
    },
    who: 'provider',
    retry: 'after-operator',
  },
  REQUEST_KEY_DIFFERS: {
    number: 'E725',
    summary: {
      ja: '証明書の申請の鍵（{found}）が、事業者に確認した鍵（{expected}）と異なるため、証明書を発行しませんでした。',
      en: 'No certificate was issued: the request is for the key {found}, and the provider named {expected}.',
    },
    remedy: {
      ja: '運用者が、事業者に鍵のIDをもう一度確認します。事業者の申請でない場合は却下し（tsugite-server pki refuse-request）、その事業者のトークンを無効にします。',
      en: "The operator asks the provider for its key id once more; a request that is not the provider's own is refused (tsugite-server pki refuse-request) and the provider's token revoked.",
    },
    who: 'operator',
    retry: 'after-operator',
  },
  CONSENT_WITHDRAWN: {
    number: 'E726',
    summary: {
      ja: 'お申し込み番号（{reference}）の同意は撤回されているため、使用できません。',
      en: 'The consent under the number {reference} was withdrawn and cannot be used.',
    },
    remedy: {
      ja: '事業者が、お客さまに改めて確認し、新しい番号で同意を登録します。',
      en: 'The provider asks the customer anew and registers the consent under another number.',
    },
    who: 'provider',
    retry: 'never',
    variants: {
      'other-scopes': {
        summary: {
          ja: 'お申し込み番号（{reference}）は、別の内容の同意として登録されています。',
          en: 'Another consent is registered under the number {reference}.',
        },
      },
    },
  },
  STEP_MISSING: {
    number: 'E727',
    summary: {
      ja: '前の手順（{missing}）が済んでいないため、この手順（{step}）に進めません。',
      en: 'This step ({step}) has to wait for the one before ({missing}).',
    },
    remedy: { ja: '前の手順を済ませて登録してから、やり直してください。', en: 'Finish and register the step before, then try again.' },
    who: 'operator',
    retry: 'after-operator',
    variants: {
      provider: { who: 'provider' },
      done: {
        summary: { ja: 'この手順（{step}）は、すでに済んでいます。', en: 'This step ({step}) has been taken already.' },
        remedy: { ja: '操作は不要です。', en: 'Nothing to do.' },
        who: 'nobody',
      },
    },
  },
  ERASURE_BLOCKED: {
    number: 'E728',
    summary: {
      ja: 'ご利用中の配信（{actual}件）があるため、お客さまの情報を消去できません。',
      en: "The customer's data cannot be erased while {actual} deliveries are in use.",
    },
    remedy: {
      ja: '配信をすべて廃止してから（tsugite-server target cancel）、やり直してください。',
      en: 'End every delivery first (tsugite-server target cancel), then try again.',
    },
    who: 'operator',
    retry: 'after-operator',
  },
  ORDERS_REFUSED: {
    number: 'E729',
    summary: {
      ja: '{of}件の申し込みのうち、{refused}件を受け付けられませんでした。',
      en: '{refused} of {of} orders were refused.',
    },
    remedy: {
      ja: '行ごとの理由を確認して直し、同じ表でもう一度申し込みます。受け付け済みの行は、そのまま残ります。',
      en: 'Correct what each line says and order with the same table again; the lines that were taken stay as they are.',
    },
    who: 'provider',
    retry: 'never',
  },
} as const satisfies ErrorRows;
