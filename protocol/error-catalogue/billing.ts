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
      ja: '運用者が、登録番号（T＋13桁）と宛名の情報を設定します。',
      en: 'The operator sets the registration number (T and 13 digits) and the names.',
    },
    who: 'operator',
    retry: 'after-operator',
  },
  PRICE_TABLE_MISSING: {
    number: 'E804',
    summary: { ja: '{month}に有効な料金表がありません。', en: 'No price table is in force for {month}.' },
    remedy: { ja: '運用者が、料金表を登録します。', en: 'The operator registers a price table for that date.' },
    who: 'operator',
    retry: 'after-operator',
  },
} as const satisfies ErrorRows;
