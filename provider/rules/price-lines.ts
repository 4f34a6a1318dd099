/** A price before it is accepted, line by line: what once, what every month, from when on, and why. */
import type { WorkKind } from '../../protocol/price-tables.ts';
import { bytesText, yenText } from './texts.ts';
import { workNames } from './work-names.ts';

export type PricedWork = {
  readonly oneOffYen: number;
  readonly monthlyYen: number;
  /** `YYYY-MM`, in Japan. */
  readonly firstChargedMonth: string;
  readonly releases: readonly {
    readonly release: string;
    readonly software: string;
    readonly version: string;
    readonly work: WorkKind;
    readonly storedBytes: number;
    readonly installedBytes: number;
    readonly menu: number;
    readonly plan: number;
    readonly flags: readonly string[];
    readonly baseYen: number;
    readonly targetYen: number;
    readonly targets: number;
    readonly refusedModels: readonly { readonly model: string; readonly code: string; readonly limit: number; readonly actual: number }[];
  }[];
};

export function priceLines({ oneOffYen, monthlyYen, firstChargedMonth, releases }: PricedWork): string[] {
  return [
    ...releases.flatMap((one) => [
      `${one.software} ${one.version}  ${workNames[one.work]}`,
      `  メニュー${one.menu}（保管 ${bytesText(one.storedBytes)}）  月額 ${yenText(one.baseYen)}`,
      `  プラン${one.plan}（測定 ${bytesText(one.installedBytes)}）  配信対象ごと 月額 ${yenText(one.targetYen)}${one.targets > 0 ? `（現在 ${one.targets} 件）` : ''}`,
      ...one.flags.map(
        (flag) => `  ${flag}: 1M を 1,048,576 バイトと読むと、1つ下の区分になります。 / The other reading of M gives a lower class.`,
      ),
      ...one.refusedModels.map(
        ({ model, code, limit, actual }) => `  ${model} では使えません / not on ${model}: ${code}（上限 ${limit}、${actual}）`,
      ),
    ]),
    `一時費用 / once       ${yenText(oneOffYen)}`,
    `月額 / every month    ${yenText(monthlyYen)}（${firstChargedMonth} から、配信対象ごとの料金を除く / from then on, without the fees per target）`,
  ];
}
