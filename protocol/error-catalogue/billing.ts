import type { ErrorRows } from './entry.ts';

/** E8xx: billing (DOMAIN §3.3). */
export const billingErrors = {
  BILLING_MONTH_OPEN: {
    number: 'E801',
    summary: { ja: '{month}はまだ終わっていないため、締められません。', en: 'The month {month} has not ended yet and cannot be closed.' },
    remedy: { ja: '翌月になってから実行してください。', en: 'Close it once the next month has begun (Japan time).' },
    who: 'operator',
    retry: 'later',
  },
  BILLING_MONTH_CLOSED: {
    number: 'E802',
    summary: {
      ja: '{month}は締め済みのため、この日付の変更は登録できません。',
      en: 'The month {month} is closed; a change with that date cannot be entered.',
    },
    remedy: {
      ja: '運用者が、締めていない月の訂正として登録します。',
      en: 'The operator enters it as a correction in a month that is open.',
    },
    who: 'operator',
    retry: 'never',
  },
  INVOICE_ISSUER_MISSING: {
    number: 'E803',
    summary: {
      ja: '請求書の発行者の情報（{fields}）が設定されていません。',
      en: "The invoice issuer's details ({fields}) are not configured.",
    },
    remedy: {
      ja: '運用者が、設定ファイルの billing に登録番号（T＋13桁）を書きます。登録を受けていないときは none と書きます（適格請求書になりません）。',
      en: 'The operator writes the registration number (T and 13 digits) into `billing` of the configuration; an issuer that is not registered writes `none`, and the invoices say that they are no qualified invoices.',
    },
    who: 'operator',
    retry: 'after-operator',
  },
  PRICE_TABLE_MISSING: {
    number: 'E804',
    summary: { ja: '{month}に有効な料金表がありません。', en: 'No price table is in force for {month}.' },
    remedy: {
      ja: '運用者が、設定ファイルの billing.priceTables に料金表を加えます。',
      en: 'The operator adds a price table to `billing.priceTables` of the configuration.',
    },
    who: 'operator',
    retry: 'after-operator',
  },
  BILLING_CLASS_MISSING: {
    number: 'E805',
    summary: {
      ja: '{month}の初めの料金区分（メニュー・プラン）の記録がないものがあるため、締められません。',
      en: 'Something that is charged in {month} has no price class on record for its first moment; nothing was closed.',
    },
    remedy: {
      ja: '記録の不整合です。運用者が、対象（subjects）とともに保守者に連絡します。',
      en: 'The records contradict each other: the operator reports the subjects to whoever maintains the server.',
    },
    who: 'operator',
    retry: 'after-operator',
  },
  BILLING_DOCUMENT_DAMAGED: {
    number: 'E806',
    summary: {
      ja: '{path}の内容が、締めたときの記録（SHA-256）と一致しないため、保存しませんでした。',
      en: 'The bytes of {path} differ from the digest that was kept when the month was closed; the file was not kept.',
    },
    remedy: {
      ja: 'もう一度実行してください。繰り返す場合は、運用者が audit verify で確認し、バックアップから戻します。',
      en: 'Run it again; if it repeats, the operator checks with audit verify and restores from a backup.',
    },
    who: 'operator',
    retry: 'later',
  },
} as const satisfies ErrorRows;
