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
} as const satisfies ErrorRows;
