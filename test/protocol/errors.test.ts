import { readdirSync } from 'node:fs';
import { expect, test } from 'vitest';
import {
  catalogue,
  codeOfNumber,
  describe,
  type ErrorCode,
  type ErrorEntry,
  isErrorCode,
  TsugiteError,
  whoLabels,
} from '../../protocol/errors.ts';

const entries = Object.entries<ErrorEntry>(catalogue) as [ErrorCode, ErrorEntry][];
const placeholdersOf = (text: string): string[] => [...text.matchAll(/\{([^}]*)\}/g)].map(([, name = '']) => name);
const sentencesOf = (entry: ErrorEntry) =>
  [
    entry.summary,
    entry.remedy,
    entry.collab,
    ...Object.values(entry.variants ?? {}).flatMap((variant) => [variant.summary, variant.remedy]),
    ...Object.values(entry.defaults ?? {}),
  ].filter((sentence) => sentence !== undefined);

test('each number belongs to one code', () => {
  const numbers = entries.map(([, entry]) => entry.number);
  expect(numbers.filter((number, at) => numbers.indexOf(number) !== at)).toEqual([]);
  for (const [code, entry] of entries) expect(codeOfNumber(entry.number)).toBe(code);
  expect(codeOfNumber('E000')).toBeUndefined();
});

/** The first digit of every number in a file of the catalogue. */
const ranges = {
  eligibility: 1,
  trust: 2,
  size: 3,
  network: 4,
  install: 5,
  run: 6,
  governance: 7,
  billing: 8,
  agent: 9,
  programs: 9,
  keeping: 9,
  api: 9,
};

test('no row of one range file is hidden by a row of another with the same code', async () => {
  const folder = new URL('../../protocol/error-catalogue/', import.meta.url);
  const files = readdirSync(folder).filter((file) => file !== 'entry.ts');
  const modules = await Promise.all(files.map((file) => import(new URL(file, folder).href)));
  const codes = modules.flatMap((module) => Object.values(module).flatMap((rows) => Object.keys(rows as object)));
  expect(codes.length).toBe(entries.length);
});

test('each number has its form and stands in the file of its range', async () => {
  for (const [file, digit] of Object.entries(ranges)) {
    const [rows] = Object.values(await import(`../../protocol/error-catalogue/${file}.ts`)) as [Record<string, ErrorEntry>];
    for (const [code, { number }] of Object.entries(rows)) expect(number, code).toMatch(new RegExp(`^E${digit}\\d\\d$`));
  }
});

test('each code has the form that reports may carry', () => {
  for (const [code] of entries) expect(code).toMatch(/^[A-Z][A-Z0-9_]{2,63}$/);
});

test('each row says what happened and what to do, in both languages', () => {
  for (const [code, entry] of entries)
    for (const sentence of sentencesOf(entry)) {
      expect(sentence.ja.trim(), code).not.toBe('');
      expect(sentence.en.trim(), code).not.toBe('');
      expect(sentence.en, code).not.toMatch(/[\u3000-\u9fff]/);
    }
});

test('no sentence uses a word that the service avoids, or a telephone number', () => {
  for (const [code, entry] of entries)
    for (const { ja, en } of sentencesOf(entry)) {
      expect(ja, code).not.toMatch(/導入|版|サーバ(?!ー)|メモリ(?!ー)|フォルダ(?!ー)/);
      expect(ja + en, code).not.toMatch(/\d{2,4}-\d{2,4}-\d{3,4}|0120|0800/);
      expect(ja + en, code).not.toMatch(/NTT/); // the operator's name comes from configuration
    }
});

test('every placeholder is filled when the detail names it, and none is left open when it does not', () => {
  for (const [code, entry] of entries) {
    for (const kind of [undefined, ...Object.keys(entry.variants ?? {})]) {
      const names = new Set(sentencesOf(entry).flatMap(({ ja, en }) => placeholdersOf(ja + en)));
      const detail = Object.fromEntries([...names].map((name) => [name, name === 'what' ? 'x-what' : `x-${name}`]));
      const variant = kind === undefined ? {} : entry.variants?.[kind];
      const full = describe(code, kind === undefined ? { prev: '1.0.0', ...detail } : { ...detail, kind });
      const shown = variant?.summary ?? entry.summary;
      for (const name of placeholdersOf(shown.ja)) if (name !== 'kind') expect(full.ja, code).toContain(`x-${name}`);
      for (const name of placeholdersOf(shown.en)) if (name !== 'kind') expect(full.en, code).toContain(`x-${name}`);
      const empty = describe(code, kind === undefined ? {} : { kind });
      for (const text of [empty.ja, empty.en, empty.remedy.ja, empty.remedy.en]) expect(text, code).not.toMatch(/[{}]|undefined|\[object/);
    }
  }
});

test('whoever has to act has a name for people', () => {
  for (const [, entry] of entries) expect(whoLabels[entry.who].ja).not.toBe('');
});

test('an error keeps its cause and tells number, code and sentence', () => {
  const cause = new Error('EIO');
  const error = new TsugiteError('STORE_NO_SPACE', { need: 6_213_004, free: 12 }, { cause });
  expect(error.message).toBe('E305 STORE_NO_SPACE: There is not enough storage (needed: 6,213,004 bytes, free: 12 bytes).');
  expect(error).toMatchObject({
    name: 'TsugiteError',
    code: 'STORE_NO_SPACE',
    number: 'E305',
    detail: { need: 6_213_004, free: 12 },
    cause,
  });
});

test('a detail that tries to be a template is shown, not filled again', () => {
  expect(describe('ELIG_LINE', { line: '{line}$&' }).ja).toBe('ご契約の回線（{line}$&）は、本サービスの対象外です。');
});

test('a number in a sentence is written the same on every machine', () => {
  expect(describe('SIZE_OVER_LIMIT', { limit: 6_000_000, actual: 6_213_004 }).ja).toBe(
    'ソフトウェアのサイズが機種の条件（6,000,000バイト未満）を満たしていません（測定値：6,213,004バイト）。',
  );
  expect(describe('APP_MEMORY_EXCEEDED', { limit: 67_108_864, actual: 70_000_000 }).ja).toBe(
    'メモリーの使用量が上限を超えたため停止しました（上限：67,108,864バイト、使用量：70,000,000バイト）。',
  );
});

test('the thing that is missing is named in the language of the sentence', () => {
  expect(describe('NOT_FOUND', { what: 'gateway hgw-1' })).toMatchObject({
    ja: 'ゲートウェイ hgw-1が見つかりません。',
    en: 'gateway hgw-1 was not found.',
  });
  expect(describe('NOT_FOUND', { what: '/ready' }).ja).toBe('/readyが見つかりません。');
  expect(describe('NOT_FOUND').ja).toBe('指定されたものが見つかりません。');
});

test('several faults are all named', () => {
  expect(describe('CONFIG_INVALID', { faults: ['a is missing', { field: 'b', fault: 'not a port' }] }).en).toBe(
    'The configuration has faults: a is missing, b: not a port',
  );
});

test('a first installation that fails was not "brought back"', () => {
  for (const code of ['START_TIMEOUT', 'HEALTH_PROBE_FAILED'] as const) {
    expect(describe(code, { prev: '1.2.0' }).ja).toMatch(/、以前のバージョン（1\.2\.0）に戻しました。$/);
    expect(describe(code, {}).ja).toMatch(/、中止しました。$/);
  }
  expect(describe('POWER_LOST', { prev: '1.2.0' }).ja).toContain('以前のバージョンに戻しました');
  expect(describe('POWER_LOST', {}).ja).toContain('中止しました');
});

test('a customer of a collaboration carrier is sent to that carrier, and for E106 to both', () => {
  for (const number of ['E101', 'E102', 'E104', 'E106', 'E107']) {
    const code = codeOfNumber(number);
    if (code === undefined) throw new Error(number);
    expect(describe(code, { access: 'COLLAB' })).toMatchObject({ who: 'collabCarrier' });
    expect(describe(code, { access: 'COLLAB' }).remedy.ja).toContain('光コラボレーション事業者');
    expect(describe(code, { access: 'DIRECT' }).who).not.toBe('collabCarrier');
  }
  expect(describe('ELIG_TYPE_CHANGE', { access: 'COLLAB' }).remedy.ja).toContain('運用者');
  expect(describe('ELIG_MODEL', { access: 'COLLAB' }).who).toBe('operator');
});

test('the household is not told that a provider is under ethics review', () => {
  expect(describe('ETHICS_REVIEW').ja).not.toContain('倫理');
  expect(describe('ETHICS_REVIEW', { kind: 'staff' }).ja).toContain('倫理審査中');
});

test('a notice that is refused does not claim that an installation was stopped', () => {
  for (const code of ['SIGNATURE_INVALID', 'SIGNING_KEY_UNKNOWN'] as const) {
    expect(describe(code, { what: 'notice' })).toMatchObject({ who: 'operator' });
    expect(describe(code, { what: 'notice' }).ja).not.toContain('インストール');
    expect(describe(code, { kind: 'threshold' }).ja).toContain('インストールを中止しました');
  }
});

test('a word from outside is a code only when the catalogue has it', () => {
  expect(isErrorCode('PKG_DIGEST_MISMATCH')).toBe(true);
  expect(isErrorCode('constructor')).toBe(false);
});
