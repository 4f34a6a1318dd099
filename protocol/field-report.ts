/**
 * What became of software on the gateways over a period, as the server's API tells it and both command lines print it (DOMAIN §9.1, §8.3). No customer,
 * no site and no gateway is named in it; where a few homes alone would speak, a provider is told only how many they are.
 */

/** Of one value of each gateway: nobody's mean, and the highest. */
export type Spread = { readonly median: number; readonly p95: number; readonly highest: number };

export type InstallRow = {
  readonly key: string;
  readonly software: string;
  readonly version: string;
  readonly model: string;
  /** Targets on which it was tried in the period, and of these where it was committed. */
  readonly tried: number;
  readonly installed: number;
  /** Deployments that ended badly; a target may have several. */
  readonly failures: number;
  /** Targets that run it now. */
  readonly running: number;
};

export type FailureRow = {
  readonly key: string;
  readonly software: string;
  readonly version: string;
  readonly model: string;
  /** install: a deployment ended so. run: software that was installed met it. */
  readonly when: 'install' | 'run';
  readonly number: string;
  readonly code: string;
  readonly targets: number;
  readonly reports: number;
};

export type OwnSpread = Spread & { readonly name: string; readonly gateways: number };
export type MeasurementRow = {
  readonly key: string;
  readonly software: string;
  readonly model: string;
  readonly gateways: number;
  /** Too few gateways: what follows is null. */
  readonly isHidden: boolean;
  /** Gateways × days that were measured. */
  readonly days: number;
  readonly memoryPeakKiB: Spread | null;
  readonly dataKiB: Spread | null;
  readonly hoursUp: number | null;
  readonly restarts: number | null;
  readonly deniedConnections: number | null;
  /** What the software said of itself: of each gateway the last day in the period on which it said anything. */
  readonly own: readonly OwnSpread[] | null;
};

/** For the operator: the agents themselves. */
export type GatewayRow = {
  readonly model: string;
  readonly gateways: number;
  /** Of which so many sent telemetry in the period. */
  readonly reporting: number;
  readonly rssPeakKiB: Spread | null;
  /** Of each gateway the mean of its days. */
  readonly controlBytesPerDay: Spread | null;
  readonly reconnectsPerDay: Spread | null;
};

export type CodeRow = {
  readonly number: string;
  readonly code: string;
  readonly who: string;
  readonly remedy: { readonly ja: string; readonly en: string };
  readonly targets: number;
  readonly reports: number;
};

export type ReportHead = {
  /** Days in Japan, both within. */
  readonly from: string;
  readonly to: string;
  /** In Japan: the one whose add-on fees are looked at. */
  readonly month: string;
  /** Fewer gateways than this are not measured for a provider to see. */
  readonly minGateways: number;
  /** The most frequent, ten at most. */
  readonly topCodes: readonly CodeRow[];
};

/** Charged in the month, and runs nothing (DOMAIN D-23). The reason is E100 where the customer did not agree that the provider learns it. */
export type BilledRow = {
  readonly target: string;
  readonly software: string;
  readonly state: string;
  readonly yen: number;
  /** null: the gateway has not answered yet. */
  readonly number: string | null;
  readonly code: string | null;
  readonly who: string;
};

/** All of it, as the command lines gather it; `gateways` only for the operator. */
export type FieldReport = ReportHead & {
  readonly installs: readonly InstallRow[];
  readonly failures: readonly FailureRow[];
  readonly measurements: readonly MeasurementRow[];
  readonly billedNotInstalled: readonly BilledRow[];
  readonly gateways?: readonly GatewayRow[];
};

export type ReportQuery = { readonly provider?: string; readonly software?: string; readonly month?: string };
type Query = Readonly<Record<string, string | undefined>>;
/** The API, as both command lines reach it. */
export type ReportSource = {
  get(path: string, query?: Query): Promise<unknown>;
  list(path: string, query?: Query): Promise<unknown[]>;
};

export async function gatherFieldReport({ get, list }: ReportSource, query: ReportQuery): Promise<FieldReport> {
  const { provider, software } = query;
  const head = (await get('/report', query)) as ReportHead;
  return {
    ...head,
    installs: (await list('/report/installs', query)) as InstallRow[],
    failures: (await list('/report/failures', query)) as FailureRow[],
    measurements: (await list('/report/measurements', query)) as MeasurementRow[],
    billedNotInstalled: (await list(`/billing/months/${head.month}/not-installed`, { provider, software })) as BilledRow[],
  };
}
