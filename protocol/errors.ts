/**
 * The error catalogue of all three programs: one row a remedy. Numbers are for people on the telephone, codes for machines (DOMAIN §10).
 * Rows are added freely, never renamed and never reused; what varies inside one remedy goes into `detail.kind`.
 */

export type ErrorEntry = {
  readonly number: string;
  readonly summary: { readonly ja: string; readonly en: string };
  readonly remedy: { readonly ja: string; readonly en: string };
  readonly who: 'provider' | 'operator' | 'collabCarrier' | 'customer' | 'installer' | 'nobody';
  readonly retry: 'later' | 'never' | 'after-operator';
};

export const catalogue = {
  PKG_DIGEST_MISMATCH: {
    number: 'E203',
    summary: {
      ja: '内容が配信時と異なるため、インストールを中止しました。',
      en: 'The downloaded bytes do not match the digest in the signed notice.',
    },
    remedy: {
      ja: '自動的に再取得します。繰り返す場合は事業者が登録し直します。',
      en: 'Downloaded again by itself; if it repeats, publish the package anew.',
    },
    who: 'provider',
    retry: 'later',
  },
} as const satisfies Record<string, ErrorEntry>;

export type ErrorCode = keyof typeof catalogue;

export class TsugiteError extends Error {
  readonly code: ErrorCode;
  readonly number: string;
  readonly detail: Readonly<Record<string, unknown>>;

  constructor(code: ErrorCode, detail: Readonly<Record<string, unknown>> = {}, options: { cause?: unknown } = {}) {
    super(`${catalogue[code].number} ${code}: ${catalogue[code].summary.en}`, options);
    this.name = 'TsugiteError';
    this.code = code;
    this.number = catalogue[code].number;
    this.detail = detail;
  }
}
