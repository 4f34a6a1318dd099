/** 機器設定用パスワード: set at first use, no default (端末設備等規則 34条の10 ②). */
export const passwordLength = { min: 8, max: 64 } as const;

export type PasswordFault = 'short' | 'long' | 'common' | 'differ' | 'same';

/** What everybody tries first. The rest is the throttle's work. */
const common: ReadonlySet<string> = new Set([
  '12345678',
  '123456789',
  '1234567890',
  '87654321',
  '11223344',
  'password',
  'password1',
  'passw0rd',
  'qwertyui',
  'qwertyuiop',
  'asdfghjk',
  '1qaz2wsx',
  'iloveyou',
  'administrator',
  'admin123',
  'tsugite1',
  'nttnttntt',
]);

/** Full-width digits that an input method left there are the same password. */
export function normalisePassword(text: string): string {
  return text.normalize('NFKC');
}

/** @param names  of this gateway: printed on its case, hence no secret */
export function findPasswordFault(text: string, again: string, names: readonly string[]): PasswordFault | undefined {
  const password = normalisePassword(text);
  const characters = [...password].length;
  if (characters < passwordLength.min) return 'short';
  if (characters > passwordLength.max) return 'long';
  if (password !== normalisePassword(again)) return 'differ';
  const plain = password.toLowerCase();
  const isRepeated = /^(.{1,4})\1+$/su.test(plain);
  return isRepeated || common.has(plain) || names.some((name) => name.toLowerCase() === plain) ? 'common' : undefined;
}
