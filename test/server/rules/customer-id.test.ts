import { expect, test } from 'vitest';
import { parseCustomerId } from '../../../server/rules/customer-id.ts';
import { japanDay } from '../../../server/rules/japan-day.ts';

test('D-26: one customer id however it is typed', () => {
  for (const text of ['CAF1234567890', 'caf 1234-567890', '　ＣＡＦ１２３４５６７８９０', 'CAF1234\u2212567890', 'caf12345ー67890'])
    expect(parseCustomerId(text)).toBe('CAF1234567890');
});

test('D-26: what cannot be a customer id is E112, as an unknown one', () => {
  for (const text of ['', ' - ', 'CAF_1', 'Á1', '1'.repeat(21), "1'; DROP TABLE customers"])
    expect(() => parseCustomerId(text)).toThrow(expect.objectContaining({ number: 'E112' }));
});

test('D-08: the day begins at midnight in Japan', () => {
  expect(japanDay(Date.parse('2026-04-30T14:59:59Z'))).toBe('2026-04-30');
  expect(japanDay(Date.parse('2026-04-30T15:00:00Z'))).toBe('2026-05-01');
});
