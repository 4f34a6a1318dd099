/** The field report as a person reads it in a terminal; the server's verb and the provider's print the same. */

import { whoLabels } from './errors.ts';
import type { BilledRow, CodeRow, FailureRow, FieldReport, GatewayRow, InstallRow, MeasurementRow, Spread } from './field-report.ts';
import { grouped, tableLines } from './text-table.ts';

const none = '  （なし / none）';
const perWhen = { install: 'インストール', run: '動作中' } as const;

export function fieldReportLines(report: FieldReport): string[] {
  const { from, to, month, minGateways, installs, failures, measurements, billedNotInstalled, topCodes, gateways } = report;
  return [
    `${from} ～ ${to} の配信状況 / field report`,
    ...section('インストール / installs', installTable(installs)),
    ...section('失敗と異常 / failures', failureTable(failures)),
    ...section(
      '測定値（ホームゲートウェイごとの値の分布） / measured, one value a gateway',
      measurements.flatMap((row) => measured(row, minGateways)),
    ),
    ...section(`課金対象・未インストール（${month}） / billed, not installed`, billedTable(billedNotInstalled)),
    ...section('多いコードと対処 / most frequent codes', topCodes.flatMap(codeLines)),
    ...(gateways === undefined ? [] : section('ホームゲートウェイ / agents', gatewayTable(gateways))),
  ];
}

function section(title: string, lines: readonly string[]): string[] {
  return ['', title, ...(lines.length === 0 ? [none] : lines.map((line) => `  ${line}`))];
}

function installTable(rows: readonly InstallRow[]): string[] {
  const header = ['ソフトウェア', 'バージョン', '機種', '対象', '成功', '失敗（件）', '現在動作中'];
  const cells = rows.map(({ software, version, model, tried, installed, failures, running }) => [
    software,
    version,
    model,
    ...[tried, installed, failures, running].map(grouped),
  ]);
  return cells.length === 0 ? [] : tableLines([header, ...cells], [3, 4, 5, 6]);
}

function failureTable(rows: readonly FailureRow[]): string[] {
  const header = ['ソフトウェア', 'バージョン', '機種', '時期', '番号', 'コード', '対象', '件数'];
  const cells = rows.map(({ software, version, model, when, number, code, targets, reports }) => [
    software,
    version,
    model,
    perWhen[when],
    number,
    code,
    grouped(targets),
    grouped(reports),
  ]);
  return cells.length === 0 ? [] : tableLines([header, ...cells], [6, 7]);
}

function measured(row: MeasurementRow, minGateways: number): string[] {
  const { software, model, gateways, days, memoryPeakKiB, dataKiB, hoursUp, restarts, deniedConnections, own } = row;
  const title = `${software}  ${model}  ${grouped(gateways)}台、延べ${grouped(days)}日`;
  if (memoryPeakKiB === null || dataKiB === null)
    return [title, `  ${grouped(minGateways)}台に満たないため、表示しません。 / Not shown: fewer than ${grouped(minGateways)} gateways.`];
  const rows = [
    ['', '中央値', '95 %', '最大'],
    ['メモリーの最大使用量 / memory peak', ...spreadCells(memoryPeakKiB, inMebibytes)],
    ['データ領域 / data', ...spreadCells(dataKiB, inMebibytes)],
    ...(own ?? []).map(({ name, gateways: count, ...spread }) => [`${name}（${grouped(count)}台）`, ...spreadCells(spread, grouped)]),
  ];
  const sums = `動作 ${grouped(hoursUp ?? 0)} 時間、再起動 ${grouped(restarts ?? 0)} 回、遮断した通信 ${grouped(deniedConnections ?? 0)} 件 / hours up, restarts, refused connections`;
  return [title, ...tableLines(rows, [1, 2, 3]).map((line) => `  ${line}`), `  ${sums}`];
}

function billedTable(rows: readonly BilledRow[]): string[] {
  const header = ['配信対象', 'ソフトウェア', '状態', '月額（円）', '番号', 'コード', '対応'];
  const cells = rows.map(({ target, software, state, yen, number, code, who }) => [
    target,
    software,
    state,
    grouped(yen),
    number ?? '-',
    code ?? '応答待ち / no answer yet',
    labelOf(who),
  ]);
  return cells.length === 0 ? [] : tableLines([header, ...cells], [3]);
}

function labelOf(who: string): string {
  return Object.hasOwn(whoLabels, who) ? whoLabels[who as keyof typeof whoLabels].ja : who;
}

function codeLines({ number, code, who, remedy, targets, reports }: CodeRow): string[] {
  return [`${number} ${code}  ${grouped(targets)}対象、${grouped(reports)}件`, `  対処（${labelOf(who)}）: ${remedy.ja}`, `  ${remedy.en}`];
}

function gatewayTable(rows: readonly GatewayRow[]): string[] {
  const header = ['機種', '台数', '報告あり', 'メモリー（中央値／最大）', '制御用の通信 1日（中央値／最大）', '再接続 1日（最大）'];
  const cells = rows.map(({ model, gateways, reporting, rssPeakKiB, controlBytesPerDay, reconnectsPerDay }) => [
    model,
    grouped(gateways),
    grouped(reporting),
    rssPeakKiB === null ? '-' : `${inMebibytes(rssPeakKiB.median)}／${inMebibytes(rssPeakKiB.highest)}`,
    controlBytesPerDay === null ? '-' : `${inKilobytes(controlBytesPerDay.median)}／${inKilobytes(controlBytesPerDay.highest)}`,
    reconnectsPerDay === null ? '-' : grouped(reconnectsPerDay.highest),
  ]);
  return cells.length === 0 ? [] : tableLines([header, ...cells], [1, 2, 3, 4, 5]);
}

function spreadCells({ median, p95, highest }: Spread, show: (value: number) => string): string[] {
  return [median, p95, highest].map(show);
}

function inMebibytes(kib: number): string {
  return `${(kib / 1024).toFixed(1)} MiB`;
}

function inKilobytes(bytes: number): string {
  return `${(bytes / 1000).toFixed(1)} kB`;
}
