/**
 * The home gateways of the service, as dated data: which models exist, which series is eligible on which day, and how much software each takes.
 *
 * The numbers of the two profiles are **invented** for emulation. No public source states CPU, memory or flash of these gateways, so nothing
 * outside an emulation may take them for facts; whoever shows them says so (`isInvented`).
 */
import { TsugiteError } from './errors.ts';

/** D-28: 「ホームゲートウェイなど」 are home gateways and nothing else in this version; another kind of box would be another series here. */
export type GatewaySeries = 'PR-400' | 'RV-440' | 'RT-400' | 'PR-500' | 'RS-500' | 'RT-500';
export type Vendor = { readonly suffix: 'KI' | 'MI' | 'NE'; readonly name: { readonly ja: string; readonly en: string } };
export type GatewayModel = { readonly model: string; readonly series: GatewaySeries; readonly vendor: Vendor };

export type GatewayProfile = {
  readonly name: 'hgw-400' | 'hgw-500';
  readonly series: readonly GatewaySeries[];
  readonly isInvented: true;
  /** One software, unpacked: strictly below (未満). */
  readonly installedBytes: number;
  /** Committed versions of all software together; the previous versions, staging and data do not count. */
  readonly storageBytes: number;
  readonly memoryBytes: number;
  readonly memoryTotalBytes: number;
  readonly software: number;
  readonly dataBytes: number;
  readonly cpuPercent: number;
  readonly pids: number;
  readonly files: number;
};

const mebibyte = 1_048_576;

export const gatewayProfiles: readonly [hgw400: GatewayProfile, hgw500: GatewayProfile] = [
  {
    name: 'hgw-400',
    series: ['PR-400', 'RV-440', 'RT-400'],
    isInvented: true,
    installedBytes: 6_000_000, // so plan 5 does not fit (E304)
    storageBytes: 12_000_000,
    memoryBytes: 64 * mebibyte,
    memoryTotalBytes: 128 * mebibyte,
    software: 3,
    dataBytes: 4 * mebibyte,
    cpuPercent: 25,
    pids: 32,
    files: 256,
  },
  {
    name: 'hgw-500',
    series: ['PR-500', 'RS-500', 'RT-500'],
    isInvented: true,
    installedBytes: 7_500_000,
    storageBytes: 24_000_000,
    memoryBytes: 96 * mebibyte,
    memoryTotalBytes: 256 * mebibyte,
    software: 5,
    dataBytes: 8 * mebibyte,
    cpuPercent: 50,
    pids: 64,
    files: 512,
  },
];

const vendors = {
  KI: { suffix: 'KI', name: { ja: '沖電気工業', en: 'OKI' } },
  MI: { suffix: 'MI', name: { ja: '三菱電機', en: 'Mitsubishi Electric' } },
  NE: { suffix: 'NE', name: { ja: '日本電気', en: 'NEC' } },
} as const satisfies Record<string, Vendor>;

/** A series of the catalogue; both days are of the calendar in Japan, `validTo` is the last one. */
export type SeriesEntry = {
  readonly series: GatewaySeries;
  readonly suffixes: readonly (keyof typeof vendors)[];
  readonly validFrom: string;
  readonly validTo?: string;
};

/** In the order of the service sheet, which names the series of its day without dates: so each is valid from the service's first day. */
export const seriesCatalogue: readonly SeriesEntry[] = [
  { series: 'PR-400', suffixes: ['KI', 'MI', 'NE'], validFrom: '2011-08-02' },
  { series: 'RV-440', suffixes: ['KI', 'MI', 'NE'], validFrom: '2011-08-02' },
  { series: 'RT-400', suffixes: ['KI', 'MI', 'NE'], validFrom: '2011-08-02' },
  { series: 'PR-500', suffixes: ['KI', 'MI'], validFrom: '2011-08-02' },
  { series: 'RS-500', suffixes: ['KI', 'MI'], validFrom: '2011-08-02' },
  { series: 'RT-500', suffixes: ['KI', 'MI'], validFrom: '2011-08-02' },
];

export const gatewayModels: readonly GatewayModel[] = seriesCatalogue.flatMap(({ series, suffixes }) =>
  suffixes.map((suffix) => ({ model: `${series}${suffix}`, series, vendor: vendors[suffix] })),
);

/** What a model name says, whether or not the catalogue has that model: SG-100KI has the form, but no row. */
export function parseModelName(text: string): { series: string; vendor: Vendor } | undefined {
  const [, series, suffix] = /^((?:PR|RT|RV|RS|SG)-\d{3})(KI|MI|NE)$/.exec(text) ?? [];
  return series !== undefined && (suffix === 'KI' || suffix === 'MI' || suffix === 'NE') ? { series, vendor: vendors[suffix] } : undefined;
}

export function findModel(text: string): GatewayModel | undefined {
  return gatewayModels.find(({ model }) => model === text);
}

/** The profile of a model, or undefined for a model that the catalogue does not list. */
export function profileOf(model: string): GatewayProfile | undefined {
  const series = findModel(model)?.series;
  return series && gatewayProfiles.find((profile) => profile.series.includes(series));
}

export function modelsOfSeries(series: GatewaySeries): readonly GatewayModel[] {
  return gatewayModels.filter((entry) => entry.series === series);
}

/** The series that are eligible on a day of the calendar in Japan (YYYY-MM-DD), in the sheet's order; E103 names them with that day. */
export function eligibleSeries(
  date: string,
  seriesEntries: readonly { series: GatewaySeries; validFrom: string; validTo?: string }[] = seriesCatalogue,
): readonly GatewaySeries[] {
  return seriesEntries
    .filter(({ validFrom, validTo }) => validFrom <= date && (validTo === undefined || date <= validTo))
    .map(({ series }) => series);
}

export type Fit = { kind: 'fits' } | { kind: 'too-large'; code: 'SIZE_OVER_LIMIT'; limitName: string; limit: number; actual: number };

/**
 * Whether a model takes a software of this size.
 *
 * @throws TsugiteError MODEL_UNKNOWN
 */
export function fitsModel(installedBytes: number, model: string): Fit {
  const profile = profileOf(model);
  if (profile === undefined) throw new TsugiteError('MODEL_UNKNOWN', { models: [model] });
  if (installedBytes < profile.installedBytes) return { kind: 'fits' };
  return { kind: 'too-large', code: 'SIZE_OVER_LIMIT', limitName: model, limit: profile.installedBytes, actual: installedBytes };
}
