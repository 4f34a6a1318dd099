import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { readOrderTable } from '../../../provider/rules/order-table.ts';

const faultsOf = (text: string): { field: string; fault: string }[] => {
  try {
    readOrderTable(text);
    return [];
  } catch (error) {
    return (error as { detail: { faults: { field: string; fault: string }[] } }).detail.faults;
  }
};

test('a table as a spreadsheet writes it: a mark in front, CRLF, quotes, a line break and a comma inside, an empty line', () => {
  const table =
    '\uFEFFcustomerId,consent,consentBy,consentHow,consentAt,scopes,site\r\n' +
    'CAF1,A-1,"山田, 太郎","申込書\r\n（郵送）",2026-11-20T10:00:00+09:00,delivery reasonsToProvider,s1\r\n\r\n' +
    '"CAF2",A-2,"彼の""仮""名",,,,\r\n';
  expect(readOrderTable(table)).toEqual([
    {
      line: 2,
      customerId: 'CAF1',
      reference: 'A-1',
      givenBy: '山田, 太郎',
      givenHow: '申込書\r\n（郵送）',
      givenAt: '2026-11-20T10:00:00+09:00',
      scopes: ['delivery', 'reasonsToProvider'],
      site: 's1',
    },
    { line: 5, customerId: 'CAF2', reference: 'A-2', givenBy: '彼の"仮"名' },
  ]);
});

test('Japanese headers in any order, without a last line end', () => {
  expect(readOrderTable('申込番号,お客さまID\nA-1,CAF1')).toEqual([{ line: 2, customerId: 'CAF1', reference: 'A-1' }]);
});

describe('a table that has a fault is refused whole, naming line and column', () => {
  const cases: [string, string, string, string][] = [
    ['nothing in it', '', 'line 1', 'no header'],
    ['no customer column', 'consent\nA-1\n', 'line 1', 'customerId'],
    ['an unknown column', 'customerId,phone\nCAF1,03\n', 'line 1', 'column 2 is none of'],
    ['a column twice', 'customerId,お客さまID\nCAF1,CAF1\n', 'line 1', 'twice'],
    ['no row', 'customerId\n', 'line 2', 'no orders'],
    ['a missing id', 'customerId,consent\n,A-1\n', 'line 2 customerId', 'missing'],
    ['a row that is too short', 'customerId,consent\nCAF1\n', 'line 2', '1 columns'],
    ['a customer twice', 'customerId\nCAF1\nCAF1\n', 'line 3', 'line 2'],
    ['a consent without its number', 'customerId,consent,consentBy\nCAF1,,x\n', 'line 2 consent', 'missing'],
    ['a time without an offset', 'customerId,consent,consentAt\nCAF1,A,2026-11-20T10:00:00\n', 'line 2 consentAt', 'RFC 3339'],
    ['a day that is none', 'customerId,consent,consentAt\nCAF1,A,2026-13-40T10:00:00Z\n', 'line 2 consentAt', 'RFC 3339'],
    ['an unknown scope', 'customerId,consent,scopes\nCAF1,A,everything\n', 'line 2 scopes', 'delivery'],
    ['a quote that never ends', 'customerId\n"CAF1\n', 'line 2', 'does not end'],
    ['a thousand and one rows', `customerId\n${Array.from({ length: 1001 }, (_, index) => `C${index}\n`).join('')}`, 'lines', '1000'],
  ];
  test.for(cases)('%s', ([, table, field, fault]) => {
    expect(faultsOf(table)[0]).toEqual({ field, fault: expect.stringContaining(fault) });
  });

  test('all faults are told at once, and no value of a row among them', () => {
    const faults = faultsOf('customerId,consent,consentAt\nCAFSECRET1,A,x\nCAFSECRET1,B,y\n,C,z\n');
    const fields = ['line 2 consentAt', 'line 3 consentAt', 'line 4 customerId', 'line 4 consentAt', 'line 3'];
    expect(faults.map(({ field }) => field)).toEqual(fields);
    expect(JSON.stringify(faults)).not.toContain('SECRET');
  });

  test('whatever is typed, with a header or without, is a table or a refusal that tells no id', () => {
    const parts = ['customerId', 'consent', 'SECRET1', '"', ',', '\n', '\r\n', '"SECRET2"', ' '];
    const cell = fc.oneof(fc.constantFrom(...parts), fc.string({ maxLength: 5 }));
    fc.assert(
      fc.property(fc.boolean(), fc.array(cell, { maxLength: 30 }), (hasHeader, cells) => {
        expect(JSON.stringify(faultsOf(`${hasHeader ? 'customerId,consent\n' : ''}${cells.join('')}`))).not.toContain('SECRET');
      }),
    );
  });
});
