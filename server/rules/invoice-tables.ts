/** An invoice's lines, and each of its targets, as CSV. */
import { isPlanGrey } from '../../protocol/pricing.ts';
import { chargeRules, unitOf } from './billing-lines.ts';
import type { TargetCharge } from './billing-targets.ts';
import { byteOrderMark, csvRow } from './csv.ts';
import type { Invoice, NumberedLine } from './invoice.ts';
import { japanTime } from './japan-day.ts';

export const workLabels = { new: '新設', change: '変更', other: 'その他変更' } as const;

export function classLabel({ menu, plan, work }: Pick<NumberedLine, 'menu' | 'plan' | 'work'>): string {
  if (menu !== null) return `メニュー${menu}`;
  if (plan !== null) return `プラン${plan}`;
  return work === null ? '' : workLabels[work];
}

/** Sum of 金額 = the invoice's total: there is no row of sums to count twice. */
export function linesCsv({ number, month, recipient, lines }: Invoice): string {
  const rows = lines.map((line) =>
    csvRow([
      number,
      month,
      recipient.provider,
      recipient.name,
      line.no,
      line.rule,
      chargeRules[line.rule].ja,
      line.software,
      classLabel(line),
      line.measuredBytes,
      line.unit,
      line.registeredFrom,
      line.registeredTo,
      line.workOrder,
      line.quantity,
      line.unitYen,
      line.amountYen,
      line.taxPercent,
      line.priceTable,
      line.flags.join(' '),
    ]),
  );
  return byteOrderMark + csvRow(lineColumns) + rows.join('');
}

const lineColumns = [
  '請求書番号',
  '対象月',
  '事業者ID',
  '事業者名',
  '行',
  '規則',
  '項目',
  'ソフトウェア',
  '区分',
  '測定値（バイト）',
  '単位（M）',
  '登録・完了日時（最初）',
  '登録・完了日時（最後）',
  '工事',
  '数量',
  '単価（円・税込）',
  '金額（円・税込）',
  '税率（％）',
  '料金表',
  '注記',
];

/** The add-on fees one by one; their sum is that of the invoice's 配信対象ごと加算料. */
export const targetsCsvHead =
  byteOrderMark +
  csvRow(['配信対象', 'ソフトウェア', '拠点', '登録日時', '区分', '測定値（バイト）', '単位（M）', '加算料（円・税込）', '注記']);

export function targetRow({ targets, software, site, registeredAtMs, plan, measuredBytes, unitBytes, yen }: TargetCharge): string {
  return csvRow([
    targets.join(' '),
    software.join(' '),
    site,
    japanTime(registeredAtMs),
    `プラン${plan}`,
    measuredBytes,
    unitOf(unitBytes),
    yen,
    isPlanGrey(measuredBytes) ? 'SIZE_UNIT_GREY' : '',
  ]);
}
