import { describe, expect, test } from 'vitest';
import { softwareId } from '../../../protocol/fields.ts';
import { type PriceTable, sheetPrices } from '../../../protocol/price-tables.ts';
import { type Invoice, issuerOf } from '../../../server/rules/invoice.ts';
import { invoiceHtml } from '../../../server/rules/invoice-html.ts';
import { linesCsv } from '../../../server/rules/invoice-tables.ts';
import { heater, invoiceFor, jst } from '../../support/billing.ts';

const light = softwareId.parse('light.acme');
const april = jst('2026-04-10');
const invoice = invoiceFor('2026-05', {
  software: [
    { registered: april, software: light, stored: 5_100_000 },
    { registered: april, software: heater },
  ],
  targets: [
    { ready: april, count: 1_200 },
    { ready: april, software: light, installed: 1_600_000 },
  ],
  works: [
    {
      completed: jst('2026-05-20'),
      items: [
        [light, 'change'],
        [heater, 'other'],
      ],
    },
  ],
});
const textOf = (page: string) =>
  page
    .replace(/<style>.*?<\/style>/s, '')
    .replace(/<[^>]+>/g, ' ')
    .replace(/\s+/g, ' ');

test('lines stand software by software, each with its targets, and the works after them', () => {
  expect(invoice.lines.map(({ no, rule, software, plan, menu }) => [no, rule, software, menu ?? plan])).toEqual([
    [1, 'base-monthly', heater, 1],
    [2, 'target-monthly', heater, 1],
    [3, 'base-monthly', light, 2],
    [4, 'target-monthly', light, 2],
    [5, 'work-basic', null, null],
    [6, 'work-switch', heater, null],
    [7, 'work-switch', light, null],
  ]);
  expect(invoice).toMatchObject({ number: '2026-05-acme', from: '2026-05-01', to: '2026-05-31', software: 2, targets: 1_201 });
});

describe('a tax rate that changes is a new price table', () => {
  const later: PriceTable = {
    ...sheetPrices,
    name: 'sheet-2026-06',
    validFrom: '2026-06',
    taxPercent: 12,
    menuMonthlyYen: 11_200,
    basicWorkYen: 1_120,
  };
  const tables = [sheetPrices, later];
  const facts = { software: [{ registered: april }], works: [{ completed: jst('2026-05-31 23:59'), items: [[heater, 'other']] as const }] };

  test('each month has the prices of its own table', () => {
    expect(invoiceFor('2026-05', facts, { tables }).taxes).toEqual([{ taxPercent: 10, totalYen: 16_500, taxYen: 1_500 }]);
    expect(invoiceFor('2026-06', facts, { tables }).taxes).toEqual([{ taxPercent: 12, totalYen: 11_200, taxYen: 1_200 }]);
  });
  test('a late work keeps the price and rate of its completion; the tax is rounded once a rate', () => {
    const { taxes, totalYen, taxYen, lines } = invoiceFor('2026-06', facts, { tables, closed: ['2026-05'] });
    expect(taxes).toEqual([
      { taxPercent: 12, totalYen: 11_200, taxYen: 1_200 },
      { taxPercent: 10, totalYen: 5_500, taxYen: 500 },
    ]);
    expect([totalYen, taxYen]).toEqual([16_700, 1_700]);
    expect(lines.map(({ priceTable }) => priceTable)).toEqual(['sheet-2026-06', 'sheet-2019-10', 'sheet-2019-10']);
  });
  test('before the first table nothing can be charged (E804)', () => {
    expect(() => invoiceFor('2019-09', facts, { tables })).toThrow(
      expect.objectContaining({ code: 'PRICE_TABLE_MISSING', detail: { month: '2019-09' } }),
    );
  });
});

describe('the issuer', () => {
  test('without a registration number no invoice can be made (E803)', () => {
    expect(() => issuerOf({ name: '運用者' })).toThrow(
      expect.objectContaining({ code: 'INVOICE_ISSUER_MISSING', detail: { fields: ['billing.registrationNumber'] } }),
    );
  });
  test('that is not registered says so, and the paper too', () => {
    const unqualified: Invoice = { ...invoice, issuer: issuerOf({ name: '運用者', registrationNumber: 'none' }), isQualified: false };
    expect(textOf(invoiceHtml(unqualified))).toContain('請求書（適格請求書ではありません）');
    expect(textOf(invoiceHtml(unqualified))).toContain('この書類は適格請求書（インボイス）ではありません');
    expect(textOf(invoiceHtml(unqualified))).not.toContain('登録番号');
  });
});

describe('the printed invoice', () => {
  const page = invoiceHtml(invoice);

  test.each([
    ['the issuer and its registration number', '登録番号 T1234567890123'],
    ['the recipient', 'アクメ株式会社 御中'],
    ['the days that it is for', '取引期間 2026年5月1日 ～ 2026年5月31日'],
    ['the day of issue', '発行日 2026年12月1日'],
    ['what was delivered', '基本利用料 メニュー1 heater.acme'],
    ['the work', '交換機等工事費 変更 light.acme'],
    ['the total with tax by rate', '10％対象 ¥196,020 ¥17,820'],
    ['its size, unit and the grey band', '5,100,000 バイト（M = 1,000,000）※'],
    ['its place on the details', '（1,201件）は、添付の明細「2026-05-acme-targets.csv」'],
    ['that it is an emulation', 'エミュレーション環境です。NTT東日本が提供するものではありません。'],
  ])('says %s', (_, sentence) => {
    expect(textOf(page)).toContain(sentence);
  });

  test('holds no markup of anybody else, no script, and nothing from elsewhere', () => {
    const name = `"><img src=x onerror=alert(1)></title><script>alert('x')</script>`;
    const hostile = invoiceHtml({ ...invoice, recipient: { ...invoice.recipient, name } });
    const tags = hostile.match(/<[^>]*>/g) ?? [];
    expect(tags.filter((tag) => /^<(img|script|iframe|link|a|object)\b|\b(src|href|on\w+)\s*=/i.test(tag))).toEqual([]);
    expect(textOf(hostile)).toContain('&lt;img src=x onerror=alert(1)&gt;');
  });
});

describe('the CSV', () => {
  const rows = linesCsv(invoice).split('\r\n');

  test('begins with the mark that spreadsheets need, has one row a line and no row of sums', () => {
    expect(rows[0]).toMatch(/^\uFEFF請求書番号,対象月,/);
    expect(rows).toHaveLength(1 + invoice.lines.length + 1);
    const amounts = rows.slice(1, -1).map((row) => Number(row.split(',')[16]));
    expect(amounts.reduce((sum, yen) => sum + yen, 0)).toBe(invoice.totalYen);
  });
  test('shows rule, class, size, unit, time and flag of each line', () => {
    expect(rows[3]).toBe(
      '2026-05-acme,2026-05,acme,アクメ株式会社,3,base-monthly,基本利用料,light.acme,メニュー2,5100000,MB,2026-04-10T12:00:00.000+09:00,2026-04-10T12:00:00.000+09:00,,1,22000,22000,10,sheet-2019-10,SIZE_UNIT_GREY',
    );
  });
  test('a name that begins like a formula is text', () => {
    expect(linesCsv({ ...invoice, recipient: { ...invoice.recipient, name: '=cmd|calc' } })).toContain(`,"'=cmd|calc",`);
  });
});
