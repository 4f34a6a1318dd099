/** May this customer have the service (提供条件)? DOMAIN §4, every code that fires with the sheet's own words. */
import type { ErrorCode } from '../../protocol/errors.ts';
import { type Asked, type EligibilityCatalogue, type Line, lineNames, linesOn, seriesOf, seriesOn } from './eligibility-catalogue.ts';

/** What is under contract at a site (DOMAIN §4.1). */
export type ContractFacts = {
  readonly line: Line;
  readonly access: 'DIRECT' | 'COLLAB';
  /** Exact model as registered, `PR-400KI`; null: no home gateway. */
  readonly hgwModel: string | null;
  readonly denwa: 'NONE' | 'STANDARD' | 'OFFICE_TYPE' | 'OFFICE_A';
  readonly rental: boolean;
  readonly officeEq: 'yes' | 'no' | 'unknown';
  readonly bflets: boolean;
  readonly typeChanged: 'none' | 'applied' | 'completed';
  readonly lineCancelled: boolean;
  readonly hgwCancelled: boolean;
};

export type EligibilityResult = 'ELIGIBLE' | 'HOLD' | 'INELIGIBLE' | 'TERMINATED';
export type EligibilityCode = (typeof rules)[number]['code'];
export type Fired = {
  readonly code: EligibilityCode;
  readonly result: Exclude<EligibilityResult, 'ELIGIBLE'>;
  /** The sheet's clause, in its words. */
  readonly clause: string;
  readonly detail: Readonly<Record<string, unknown>>;
};
export type Eligibility = { readonly result: EligibilityResult; readonly fired: readonly Fired[]; readonly day: string };

type Case = {
  readonly facts: ContractFacts;
  readonly lines: ReadonlySet<Line>;
  readonly series: readonly string[];
  readonly day: string;
  /** Rows that are in force still, though nothing new is ordered over them. */
  readonly closed: { readonly lines: ReadonlySet<Line>; readonly series: readonly string[] };
};
type Rule = {
  readonly code: ErrorCode;
  readonly result: Fired['result'];
  readonly clause: string;
  readonly fires: (it: Case) => boolean;
  readonly detail: (it: Case) => Readonly<Record<string, unknown>>;
};

const gigaLines: ReadonlySet<Line> = new Set(['NEXT_GIGA_SMART', 'NEXT_GIGA_LINE']);
const nextLines: ReadonlySet<Line> = new Set(['NEXT_GIGA_SMART', 'NEXT_GIGA_LINE', 'NEXT_OTHER']);

const usageClause =
  '「フレッツ 光ライトプラス」、「フレッツ 光ライト」または「フレッツ 光ネクスト」に加え（光コラボレーション事業者が提供する光アクセスサービスを含む）、「ホームゲートウェイ（現時点ではNTT東日本のPR-400シリーズ、RV-440シリーズ、RT-400シリーズ、PR-500シリーズ、RS-500シリーズ、RT-500シリーズ）」のご利用が必要';
const officeClause =
  'フレッツ 光ネクスト ギガファミリー／ギガマンション・スマートタイプ、フレッツ 光ネクスト ファミリー／マンション・ギガラインタイプとひかり電話オフィスタイプもしくはひかり電話オフィスA（エース）を同時にご契約いただき、…ビジネスフォンなどとホームゲートウェイを接続してご利用いただいている場合、…ソフトウェアの配信をすることはできません。';

/** D-24: every Hikari Denwa is one for E104, the office types too: otherwise E105 could hardly ever fire. */
const telephones: ReadonlySet<ContractFacts['denwa']> = new Set(['STANDARD', 'OFFICE_TYPE', 'OFFICE_A']);
/** D-13: 「ビジネスフォンなど」 is an open list: while nobody has looked, the delivery waits. */
const unknownEquipment = 'HOLD';
/** D-14: applied for is not enough, since the delivery could fail before the change. */
const isTypeChanged = ({ typeChanged }: ContractFacts) => typeChanged === 'completed';

/** Contracts of an office telephone on a giga line: the two conditions that E105 and E108 share. */
const hasOfficePhoneOnGiga = ({ facts }: Case) =>
  gigaLines.has(facts.line) && (facts.denwa === 'OFFICE_TYPE' || facts.denwa === 'OFFICE_A');

const rules = [
  {
    code: 'ELIG_LINE',
    result: 'INELIGIBLE',
    clause: usageClause,
    fires: ({ facts, lines }) => !lines.has(facts.line),
    detail: ({ facts, closed }) => ({
      line: lineNames[facts.line],
      ...(closed.lines.has(facts.line) ? { kind: 'no-new-orders' } : {}),
    }),
  },
  {
    code: 'ELIG_NO_GATEWAY',
    result: 'INELIGIBLE',
    clause: usageClause,
    fires: ({ facts }) => facts.hgwModel === null,
    detail: () => ({}),
  },
  {
    code: 'ELIG_MODEL',
    result: 'INELIGIBLE',
    clause: usageClause,
    fires: ({ facts, series }) => facts.hgwModel !== null && !isOfSeries(facts.hgwModel, series),
    detail: ({ facts, series, day, closed }) => ({
      model: facts.hgwModel,
      date: day,
      series,
      ...(isOfSeries(facts.hgwModel ?? '', closed.series) ? { kind: 'no-new-orders' } : {}),
    }),
  },
  {
    code: 'ELIG_NO_PHONE_OR_RENTAL',
    result: 'INELIGIBLE',
    clause:
      'ホームゲートウェイのご利用については、フレッツ 光ネクスト ギガファミリー／ギガマンション・スマートタイプ以外では、ひかり電話またはホームゲートウェイ（レンタル）のご契約が必須となります。',
    // A line that is not eligible anyway is told E101 only: a telephone would not help.
    fires: ({ facts, lines }) => lines.has(facts.line) && facts.line !== 'NEXT_GIGA_SMART' && !telephones.has(facts.denwa) && !facts.rental,
    detail: ({ facts }) => ({ denwa: facts.denwa, rental: facts.rental }),
  },
  {
    code: 'ELIG_OFFICE_EQUIPMENT',
    result: 'INELIGIBLE',
    clause: officeClause,
    fires: (it) => hasOfficePhoneOnGiga(it) && it.facts.officeEq === 'yes',
    detail: ({ facts }) => ({ denwa: facts.denwa, officeEq: facts.officeEq }),
  },
  {
    code: 'ELIG_TYPE_CHANGE',
    result: 'HOLD',
    clause:
      'Bフレッツからフレッツ 光ネクストへ移行され、移行前から継続してひかり電話をご利用頂いているお客さまが本機能をご利用される際には、別途NTT東日本へ「ひかり電話タイプ変更」のお申し込みが必要となります。',
    fires: ({ facts }) => nextLines.has(facts.line) && facts.denwa !== 'NONE' && facts.bflets && !isTypeChanged(facts),
    detail: ({ facts }) => (facts.typeChanged === 'applied' ? { kind: 'applied' } : {}),
  },
  {
    code: 'ELIG_CONTRACT_ENDED',
    result: 'TERMINATED',
    clause: 'これらの契約を解約した場合には、本サービスを提供できなくなるため、自動的に廃止となります。',
    fires: ({ facts }) => facts.lineCancelled || facts.hgwCancelled,
    detail: ({ facts }) => ({ lineCancelled: facts.lineCancelled, hgwCancelled: facts.hgwCancelled }),
  },
  {
    code: 'ELIG_OFFICE_UNKNOWN',
    result: unknownEquipment,
    clause: officeClause,
    fires: (it) => hasOfficePhoneOnGiga(it) && it.facts.officeEq === 'unknown',
    detail: ({ facts }) => ({ denwa: facts.denwa, officeEq: facts.officeEq }),
  },
] as const satisfies readonly Rule[];

function isOfSeries(model: string, series: readonly string[]): boolean {
  const own = seriesOf(model);
  return own !== undefined && series.includes(own);
}

const worstFirst = ['TERMINATED', 'INELIGIBLE', 'HOLD'] as const;

/**
 * @param day    the day in Japan on which it is asked, `YYYY-MM-DD`: it chooses the catalogue rows in force
 * @param asked  a new order meets rows that take none any more; what was ordered before goes on
 * @returns every code that fires, not only the first: a technician needs all of them
 */
export function decideEligibility(
  facts: ContractFacts,
  catalogue: EligibilityCatalogue,
  day: string,
  asked: Asked = 'service',
): Eligibility {
  const it: Case = {
    facts,
    lines: linesOn(catalogue, day, asked),
    series: seriesOn(catalogue, day, asked),
    day,
    closed: asked === 'service' ? { lines: new Set(), series: [] } : { lines: linesOn(catalogue, day), series: seriesOn(catalogue, day) },
  };
  const fired = rules
    .filter((rule) => rule.fires(it))
    // `access` never changes a result; it sends a collab customer to its carrier (DOMAIN §10).
    .map(
      (rule): Fired => ({
        code: rule.code,
        result: rule.result,
        clause: rule.clause,
        detail: { ...rule.detail(it), access: facts.access },
      }),
    );
  return { result: worstFirst.find((result) => fired.some((one) => one.result === result)) ?? 'ELIGIBLE', fired, day };
}

/** Every rule's clause, for people who ask what is checked. */
export function eligibilityClauses(): readonly { readonly code: EligibilityCode; readonly clause: string }[] {
  return rules.map(({ code, clause }) => ({ code, clause }));
}
