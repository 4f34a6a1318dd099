/** `tsugite quote`: what registering would cost, asked of the server that would charge it. Nothing is uploaded and nothing is kept. */
import type { Answer } from '../../protocol/command-output.ts';
import { TsugiteError } from '../../protocol/errors.ts';
import { softwareId } from '../../protocol/fields.ts';
import type { WorkKind } from '../../protocol/price-tables.ts';
import type { ServerApi } from '../adapters/server-api.ts';
import { bytesText, yenText } from '../rules/texts.ts';
import { workNames } from '../rules/work-names.ts';
import { measureOne } from './measure.ts';

export type QuoteOptions = {
  readonly targets?: string;
  readonly work?: WorkKind;
  /** In place of inputs. */
  readonly software?: string;
  readonly stored?: string;
  readonly installed?: string;
};
type Sizes = { readonly storedBytes: number; readonly installedBytes: number };
type Item = { readonly software: string; readonly work?: WorkKind; readonly packages?: readonly Sizes[]; readonly targets?: number };
type Fees = { readonly baseYen: number; readonly targetsYen: number; readonly totalYen: number };
type Quoted = {
  readonly workMonth: string;
  readonly firstChargedMonth: string;
  readonly oneOff: {
    readonly contractYen: number;
    readonly basicWorkYen: number;
    readonly switchWorkYen: number;
    readonly totalYen: number;
  };
  readonly monthly: Fees;
  readonly now: Fees;
  readonly items: readonly {
    readonly software: string;
    readonly work: WorkKind;
    readonly oneOffYen: number;
    readonly sizes:
      | (Sizes & {
          readonly menu: number;
          readonly plan: number;
          readonly targets: number;
          readonly targetYen: number;
          readonly monthly: Fees;
          readonly otherReading: { readonly unit: string; readonly menu: number; readonly plan: number; readonly totalYen: number } | null;
        })
      | null;
  }[];
};

export async function quoteInputs(inputs: readonly string[], options: QuoteOptions, api: ServerApi): Promise<Answer> {
  const items = inputs.length > 0 ? await measured(inputs, options) : [typed(options)];
  const quoted = (await api.post('/quotes', { items })) as Quoted;
  return { value: { ...quoted }, lines: linesOf(quoted) };
}

/** Packages of one software are one release. */
async function measured(inputs: readonly string[], options: QuoteOptions): Promise<Item[]> {
  if (options.software !== undefined || options.stored !== undefined || options.installed !== undefined)
    throw new TsugiteError('USAGE_WRONG', { at: 'INPUT… | --software ID --stored BYTES --installed BYTES' });
  const bySoftware = new Map<string, Sizes[]>();
  for (const input of inputs) {
    const { manifest, storedBytes } = await measureOne(input);
    const packages = bySoftware.get(manifest.software) ?? [];
    packages.push({ storedBytes, installedBytes: manifest.payload.installedBytes });
    bySoftware.set(manifest.software, packages);
  }
  return [...bySoftware].map(([software, packages]) => ({ software, packages, ...common(options) }));
}

function typed({ software, stored, installed, ...options }: QuoteOptions): Item {
  if (!softwareId.safeParse(software).success) throw new TsugiteError('USAGE_WRONG', { at: 'INPUT… | --software ID' });
  if ((stored === undefined) !== (installed === undefined))
    throw new TsugiteError('USAGE_WRONG', { at: '--stored BYTES --installed BYTES' });
  const packages =
    stored === undefined ? undefined : [{ storedBytes: countOf('--stored', stored), installedBytes: countOf('--installed', installed) }];
  return { software: software as string, ...(packages === undefined ? {} : { packages }), ...common(options) };
}

function common({ targets, work }: QuoteOptions): Pick<Item, 'targets' | 'work'> {
  return { ...(targets === undefined ? {} : { targets: countOf('--targets', targets) }), ...(work === undefined ? {} : { work }) };
}

function countOf(option: string, text = ''): number {
  if (!/^\d{1,12}$/.test(text)) throw new TsugiteError('USAGE_WRONG', { at: `${option} ${text}` });
  return Number(text);
}

function linesOf({ oneOff, monthly, now, workMonth, firstChargedMonth, items }: Quoted): string[] {
  return [
    ...items.flatMap(({ software, work, sizes }) => [
      `${software}  ${workNames[work]}`,
      ...(sizes === null
        ? []
        : [
            `  メニュー${sizes.menu}（保管 ${bytesText(sizes.storedBytes)}）  月額 ${yenText(sizes.monthly.baseYen)}`,
            `  プラン${sizes.plan}（測定 ${bytesText(sizes.installedBytes)}）  ${yenText(sizes.targetYen)} × ${sizes.targets} 件 = 月額 ${yenText(sizes.monthly.targetsYen)}`,
            ...(sizes.otherReading === null
              ? []
              : [
                  `  ${sizes.otherReading.unit} と読むと / read as ${sizes.otherReading.unit}: メニュー${sizes.otherReading.menu}、プラン${sizes.otherReading.plan}、月額 ${yenText(sizes.otherReading.totalYen)}`,
                ]),
          ]),
    ]),
    `一時費用 / once       ${yenText(oneOff.totalYen)}（${workMonth}）  契約料 ${yenText(oneOff.contractYen)}、基本工事費 ${yenText(oneOff.basicWorkYen)}、交換機等工事費 ${yenText(oneOff.switchWorkYen)}`,
    `月額 / every month    ${yenText(monthly.totalYen)}（${firstChargedMonth} から / from then on）`,
    ...(now.totalYen > 0 ? [`現在の月額 / now      ${yenText(now.totalYen)}`] : []),
  ];
}
