import { expect, test } from 'vitest';
import { noteRefusal, tellRefusal } from '../../../agent/rules/refused-notice.ts';
import { digest, toUtcTime } from '../../../protocol/fields.ts';

const sha256 = digest.parse('a'.repeat(64));
const expired = { code: 'NOTICE_EXPIRED', detail: { found: '2026-11-22T00:00:00Z' }, sha256 } as const;
const at = (minute: number) => toUtcTime(Date.UTC(2026, 10, 22, 0, minute));

test('the first is news', () => {
  expect(noteRefusal(null, expired, at(0))).toEqual({ isNews: true, refused: { ...expired, at: at(0), since: at(0), times: 1 } });
});

test('the same again is counted and no news, though its detail tells another time', () => {
  const first = noteRefusal(null, expired, at(0)).refused;
  const again = noteRefusal(first, { ...expired, detail: { found: '2026-11-22T00:05:00Z' } }, at(5));
  expect(again).toMatchObject({ isNews: false, refused: { at: at(5), since: at(0), times: 2 } });
});

test.each([
  ['other bytes', { ...expired, sha256: digest.parse('b'.repeat(64)) }],
  ['another reason for the same bytes', { ...expired, code: 'NOTICE_DOWNGRADE' } as const],
])('%s are news, and the count goes on', (_, next) => {
  const first = noteRefusal(null, expired, at(0)).refused;
  expect(noteRefusal(first, next, at(1))).toMatchObject({ isNews: true, refused: { code: next.code, times: 2, since: at(0) } });
});

test('it is told with number, remedy and who has to act', () => {
  const { refused } = noteRefusal(null, expired, at(0));
  expect(tellRefusal(refused)).toMatchObject({ number: 'E205', who: 'operator', times: 1, remedy: { ja: expect.any(String) } });
});
