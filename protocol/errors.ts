/**
 * The errors of all three programs: one row a remedy. Numbers are for people on the telephone, codes for machines (DOMAIN §10).
 * Rows are added freely, never renamed and never reused; what varies inside one remedy goes into `detail.kind`.
 * A new row is appended to the file of its range, with the next free number.
 */

import { agentErrors } from './error-catalogue/agent.ts';
import { apiErrors } from './error-catalogue/api.ts';
import { billingErrors } from './error-catalogue/billing.ts';
import { eligibilityErrors } from './error-catalogue/eligibility.ts';
import type { ErrorEntry, Retry, Sentence, Variant, Who } from './error-catalogue/entry.ts';
import { governanceErrors } from './error-catalogue/governance.ts';
import { installErrors } from './error-catalogue/install.ts';
import { keepingErrors } from './error-catalogue/keeping.ts';
import { networkErrors } from './error-catalogue/network.ts';
import { programErrors } from './error-catalogue/programs.ts';
import { runErrors } from './error-catalogue/run.ts';
import { sizeErrors } from './error-catalogue/size.ts';
import { trustErrors } from './error-catalogue/trust.ts';

export type { ErrorEntry, Retry, Sentence, Who } from './error-catalogue/entry.ts';

export const catalogue = {
  ...eligibilityErrors,
  ...trustErrors,
  ...sizeErrors,
  ...networkErrors,
  ...installErrors,
  ...runErrors,
  ...governanceErrors,
  ...billingErrors,
  ...agentErrors,
  ...programErrors,
  ...keepingErrors,
  ...apiErrors,
} as const satisfies Record<string, ErrorEntry>;

export type ErrorCode = keyof typeof catalogue;
export type ErrorDetail = Readonly<Record<string, unknown>>;

/** What the first word of `detail.what` is called (`site`, `gateway hgw-1`); any other word is shown as it is. */
const words: Readonly<Record<string, Sentence>> = {
  root: { ja: 'ルート情報', en: 'root' },
  notice: { ja: '配信情報', en: 'notice' },
  manifest: { ja: 'マニフェスト', en: 'manifest' },
  invitation: { ja: '招待', en: 'invitation' },
  package: { ja: 'パッケージ', en: 'package' },
  envelope: { ja: '署名付きの封筒', en: 'envelope' },
  provider: { ja: '事業者', en: 'provider' },
  software: { ja: 'ソフトウェア', en: 'software' },
  release: { ja: 'リリース', en: 'release' },
  customer: { ja: 'お客さま', en: 'customer' },
  site: { ja: '拠点', en: 'site' },
  gateway: { ja: 'ゲートウェイ', en: 'gateway' },
  target: { ja: '配信対象', en: 'target' },
  token: { ja: 'トークン', en: 'token' },
};

/** What a person reads; the page and the console put the operator's configured name in the place of `operator`. */
export const whoLabels = {
  provider: { ja: '事業者', en: 'provider' },
  operator: { ja: '運用者', en: 'operator' },
  collabCarrier: { ja: '光コラボレーション事業者', en: 'collaboration carrier' },
  customer: { ja: 'お客さま', en: 'customer' },
  installer: { ja: '工事業者', en: 'installer' },
  nobody: { ja: 'なし', en: 'nobody' },
} as const satisfies Record<Who, Sentence>;

export class TsugiteError extends Error {
  readonly code: ErrorCode;
  readonly number: string;
  readonly detail: ErrorDetail;

  constructor(code: ErrorCode, detail: ErrorDetail = {}, options: { cause?: unknown } = {}) {
    super(`${catalogue[code].number} ${code}: ${describe(code, detail).en}`, options);
    this.name = 'TsugiteError';
    this.code = code;
    this.number = catalogue[code].number;
    this.detail = detail;
  }
}

export type Description = Sentence & { number: string; code: ErrorCode; remedy: Sentence; who: Who; retry: Retry };

/**
 * What to tell a person: the sentences filled from `detail`, and who has to act.
 *
 * `detail.kind` (or `detail.what`) chooses a variant; without `detail.prev` (the version before) a first installation is meant;
 * `detail.access: 'COLLAB'` sends the customer to its carrier. A value `{ja, en}` is shown in the reader's language, a number with thousands separators.
 */
export function describe(code: ErrorCode, detail: ErrorDetail = {}): Description {
  const entry: ErrorEntry = catalogue[code];
  const variant = variantOf(entry, detail);
  const isCollab = detail.access === 'COLLAB' && entry.collab !== undefined;
  const summary = variant.summary ?? entry.summary;
  const remedy = (isCollab && variant.who === undefined ? entry.collab : variant.remedy) ?? entry.remedy;
  const who = isCollab ? 'collabCarrier' : (variant.who ?? entry.who);
  return {
    number: entry.number,
    code,
    ...inBoth((language) => fill(summary[language], language, entry, detail)),
    remedy: inBoth((language) => fill(remedy[language], language, entry, detail)),
    who,
    retry: variant.retry ?? entry.retry,
  };
}

const codesByNumber: ReadonlyMap<string, ErrorCode> = new Map(
  (Object.keys(catalogue) as ErrorCode[]).map((code) => [catalogue[code].number, code]),
);

export function codeOfNumber(number: string): ErrorCode | undefined {
  return codesByNumber.get(number);
}

export function isErrorCode(text: string): text is ErrorCode {
  return Object.hasOwn(catalogue, text);
}

function variantOf(entry: ErrorEntry, detail: ErrorDetail): Variant {
  for (const name of [detail.kind, detail.what])
    if (typeof name === 'string' && entry.variants && Object.hasOwn(entry.variants, name)) return entry.variants[name] ?? {};
  const isFirstInstall = detail.prev === undefined || detail.prev === null;
  return (isFirstInstall && entry.variants?.first) || {};
}

function inBoth(make: (language: 'ja' | 'en') => string): Sentence {
  return { ja: make('ja'), en: make('en') };
}

function fill(sentence: string, language: 'ja' | 'en', entry: ErrorEntry, detail: ErrorDetail): string {
  return sentence.replace(/\{(\w+)\}/g, (_, name: string) => {
    const value = detail[name] ?? entry.defaults?.[name];
    const isBytes = typeof value === 'number' && entry.inBytes?.includes(name) === true;
    const unit = isBytes ? { ja: 'バイト', en: ' bytes' }[language] : '';
    return (name === 'what' ? named(value, language) : show(value, language)) + unit;
  });
}

function named(value: unknown, language: 'ja' | 'en'): string {
  const [first = '', ...rest] = show(value, language).split(' ');
  const word = Object.hasOwn(words, first) ? words[first] : undefined;
  return [word?.[language] ?? first, ...rest].join(' ');
}

function show(value: unknown, language: 'ja' | 'en'): string {
  if (value === undefined || value === null) return { ja: '不明', en: 'unknown' }[language];
  if (Number.isSafeInteger(value)) return withThousands(String(value));
  if (Array.isArray(value)) return value.map((item) => show(item, language)).join({ ja: '、', en: ', ' }[language]);
  if (typeof value !== 'object') return String(value);
  if (language in value) return String((value as Sentence)[language]);
  return 'field' in value && 'fault' in value ? `${value.field}: ${value.fault}` : JSON.stringify(value);
}

// Not toLocaleString: its answer depends on the machine's ICU data, and the sentence has to be the same everywhere.
function withThousands(digits: string): string {
  return digits.replace(/\B(?=(\d{3})+$)/g, ',');
}
