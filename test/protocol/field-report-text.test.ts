import { expect, test } from 'vitest';
import type { FieldReport, MeasurementRow } from '../../protocol/field-report.ts';
import { fieldReportLines } from '../../protocol/field-report-text.ts';
import { tableLines } from '../../protocol/text-table.ts';

const spread = { median: 31_204, p95: 38_912, highest: 41_004 };
const measured: MeasurementRow = {
  key: 'heater.acme PR-400KI',
  software: 'heater.acme',
  model: 'PR-400KI',
  gateways: 1_040,
  isHidden: false,
  days: 30_100,
  memoryPeakKiB: spread,
  dataKiB: { median: 212, p95: 640, highest: 1_020 },
  hoursUp: 720_000,
  restarts: 3,
  deniedConnections: 0,
  own: [{ name: 'devices', gateways: 1_000, median: 3, p95: 7, highest: 1_200 }],
};
const hidden: MeasurementRow = {
  ...measured,
  model: 'PR-500KI',
  gateways: 4,
  days: 100,
  isHidden: true,
  memoryPeakKiB: null,
  dataKiB: null,
  hoursUp: null,
  restarts: null,
  deniedConnections: null,
  own: null,
};
const report: FieldReport = {
  from: '2026-10-24',
  to: '2026-11-22',
  month: '2026-11',
  minGateways: 10,
  topCodes: [
    {
      number: 'E504',
      code: 'HEALTH_PROBE_FAILED',
      who: 'provider',
      remedy: { ja: '事業者が直します。', en: 'The provider mends it.' },
      targets: 12,
      reports: 15,
    },
  ],
  installs: [
    { key: '', software: 'heater.acme', version: '1.0.0', model: 'PR-400KI', tried: 1_052, installed: 1_040, failures: 15, running: 1_038 },
  ],
  failures: [
    {
      key: '',
      software: 'heater.acme',
      version: '1.0.0',
      model: 'PR-400KI',
      when: 'install',
      number: 'E504',
      code: 'HEALTH_PROBE_FAILED',
      targets: 12,
      reports: 15,
    },
  ],
  measurements: [measured, hidden],
  billedNotInstalled: [
    {
      target: 't2vh5nx7rkq3mzc6wyd4bj3gpa',
      software: 'heater.acme',
      state: 'FAILED',
      yen: 110,
      number: 'E305',
      code: 'STORE_NO_SPACE',
      who: 'operator',
    },
    { target: 'k3v7q2m5x8b4n6c9d1f0g2h4', software: 'heater.acme', state: 'READY', yen: 1_100, number: null, code: null, who: 'operator' },
  ],
};

test('a provider reads installs, failures, measurements, and what to do', () => {
  expect(fieldReportLines(report).join('\n')).toBe(`2026-10-24 ～ 2026-11-22 の配信状況 / field report

インストール / installs
  ソフトウェア  バージョン  機種       対象   成功  失敗（件）  現在動作中
  heater.acme   1.0.0       PR-400KI  1,052  1,040          15       1,038

失敗と異常 / failures
  ソフトウェア  バージョン  機種      時期          番号  コード               対象  件数
  heater.acme   1.0.0       PR-400KI  インストール  E504  HEALTH_PROBE_FAILED    12    15

測定値（ホームゲートウェイごとの値の分布） / measured, one value a gateway
  heater.acme  PR-400KI  1,040台、延べ30,100日
                                          中央値      95 %      最大
    メモリーの最大使用量 / memory peak  30.5 MiB  38.0 MiB  40.0 MiB
    データ領域 / data                    0.2 MiB   0.6 MiB   1.0 MiB
    devices（1,000台）                         3         7     1,200
    動作 720,000 時間、再起動 3 回、遮断した通信 0 件 / hours up, restarts, refused connections
  heater.acme  PR-500KI  4台、延べ100日
    10台に満たないため、表示しません。 / Not shown: fewer than 10 gateways.

課金対象・未インストール（2026-11） / billed, not installed
  配信対象                    ソフトウェア  状態    月額（円）  番号  コード                    対応
  t2vh5nx7rkq3mzc6wyd4bj3gpa  heater.acme   FAILED         110  E305  STORE_NO_SPACE            運用者
  k3v7q2m5x8b4n6c9d1f0g2h4    heater.acme   READY        1,100  -     応答待ち / no answer yet  運用者

多いコードと対処 / most frequent codes
  E504 HEALTH_PROBE_FAILED  12対象、15件
    対処（事業者）: 事業者が直します。
    The provider mends it.`);
});

test('the operator reads of the agents too, also of models from which nothing was heard', () => {
  const gateways = [
    {
      model: 'PR-400KI',
      gateways: 52,
      reporting: 40,
      rssPeakKiB: { median: 55_900, p95: 57_100, highest: 58_020 },
      controlBytesPerDay: { median: 12_300, p95: 15_900, highest: 40_120 },
      reconnectsPerDay: { median: 0, p95: 1, highest: 6 },
    },
    { model: 'RT-500MI', gateways: 1, reporting: 0, rssPeakKiB: null, controlBytesPerDay: null, reconnectsPerDay: null },
  ];
  expect(
    fieldReportLines({ ...report, gateways })
      .slice(-4)
      .join('\n'),
  ).toBe(`ホームゲートウェイ / agents
  機種      台数  報告あり  メモリー（中央値／最大）  制御用の通信 1日（中央値／最大）  再接続 1日（最大）
  PR-400KI    52        40        54.6 MiB／56.7 MiB                  12.3 kB／40.1 kB                   6
  RT-500MI     1         0                         -                                 -                   -`);
});

test('nothing heard is said, not left out', () => {
  const lines = fieldReportLines({ ...report, topCodes: [], installs: [], failures: [], measurements: [], billedNotInstalled: [] });
  expect(lines.filter((line) => line === '  （なし / none）').length).toBe(5);
});

test('a table stands in its columns, whatever their script', () => {
  expect(
    tableLines(
      [
        ['名', 'n'],
        ['abc', '10'],
        ['ab', '9'],
      ],
      [1],
    ),
  ).toEqual(['名    n', 'abc  10', 'ab    9']);
  expect(tableLines([])).toEqual([]);
});
