/** What was measured in a period, by model: memory, data, restarts, and what software said of itself; for the operator the agents too. */
import type { GatewayRow, MeasurementRow, OwnSpread, Spread } from '../../protocol/field-report.ts';
import type { Db } from '../ports.ts';
import { hideFew } from '../rules/field-report.ts';
import type { Actor } from './actor.ts';
import { type Listed, type Page, pageOf, rowsFor } from './page.ts';
import type { ReportScope } from './report-scope.ts';

type MeasuredRow = Pick<MeasurementRow, 'key' | 'software' | 'model' | 'gateways' | 'days'> & {
  readonly memory: number[];
  readonly data: number[];
  readonly hoursUp: number;
  readonly restarts: number;
  readonly deniedConnections: number;
};
type OwnRow = OwnSpreadRow & { readonly key: string };
type OwnSpreadRow = { readonly name: string; readonly gateways: number; readonly spread: number[] };

const targetDays = `target_days d JOIN targets t ON t.id = d.target_id
  WHERE d.day BETWEEN $1 AND $2 AND ($3::text IS NULL OR t.provider_id = $3) AND ($4::text IS NULL OR t.software_id = $4)`;
/** Of groups, not of days: there are millions of those. */
const key = `concat_ws(' ', software, model) COLLATE "C"`;
/** Median, 95th of a hundred, highest: each a value that was measured, none made up between two. */
const spread = (value: string) => `percentile_disc(ARRAY[0.5, 0.95, 1]) WITHIN GROUP (ORDER BY ${value})`;

export function makeReportMeasurements({ db, minGateways }: { db: Db; minGateways: number }) {
  const given = ({ provider, software, period }: ReportScope) => [period.from, period.to, provider, software];

  /** What each gateway said on the last day on which it said anything, by name. */
  function ownNumbers(scope: ReportScope, keys: readonly string[]): Promise<OwnRow[]> {
    return db.query<OwnRow>(
      `WITH last AS (
         SELECT DISTINCT ON (d.target_id, d.gateway_id) t.software_id AS software, d.model, d.own
         FROM ${targetDays} AND d.own <> '{}' ORDER BY d.target_id, d.gateway_id, d.day DESC),
       said AS (SELECT ${key} AS key, own FROM last)
       SELECT key, number.name, count(*) AS gateways, ${spread('number.value::bigint')} AS spread
       FROM said, jsonb_each_text(own) AS number (name, value) WHERE key = ANY($5)
       GROUP BY key, number.name ORDER BY key, number.name COLLATE "C"`,
      [...given(scope), keys],
    );
  }

  return {
    measurements: async (scope: ReportScope, actor: Actor, page: Page): Promise<Listed<MeasurementRow>> => {
      const rows = await db.query<MeasuredRow>(
        `WITH of_gateway AS (
           SELECT t.software_id AS software, d.model, max(d.memory_peak_kib) AS memory, max(d.data_kib) AS data, sum(d.hours_up)::bigint AS hours,
             sum(d.restarts)::bigint AS restarts, sum(d.denied_connections)::bigint AS denied, count(*) AS days
           FROM ${targetDays} GROUP BY t.software_id, d.model, d.target_id, d.gateway_id),
         of_model AS (
           SELECT software, model, count(*) AS gateways, sum(days)::bigint AS days, ${spread('memory')} AS memory, ${spread('data')} AS data,
             sum(hours)::bigint AS "hoursUp", sum(restarts)::bigint AS restarts, sum(denied)::bigint AS "deniedConnections"
           FROM of_gateway GROUP BY software, model)
         SELECT ${key} AS key, * FROM of_model WHERE $5::text IS NULL OR ${key} > $5 ORDER BY 1 LIMIT $6`,
        [...given(scope), page.after ?? null, rowsFor(page)],
      );
      const said = await ownNumbers(
        scope,
        rows.map(({ key }) => key),
      );
      const least = actor.role === 'provider' ? minGateways : 1;
      const shown = rows.map((row) =>
        hideFew(
          measurementOf(
            row,
            said.filter(({ key }) => key === row.key),
          ),
          least,
        ),
      );
      return pageOf(shown, page, 'key');
    },

    /** Of all models, a few dozen at most. */
    gateways: async ({ period }: ReportScope): Promise<GatewayRow[]> => {
      const rows = await db.query<GatewayFigures>(
        `WITH heard AS (
           SELECT gateway_id, max(rss_peak_kib) AS rss, sum(control_bytes)::bigint / count(*) AS bytes, sum(reconnects)::bigint / count(*) AS reconnects
           FROM gateway_days WHERE day BETWEEN $1 AND $2 GROUP BY gateway_id)
         SELECT coalesce(g.said_model, g.model) AS model, count(*) AS gateways, count(h.gateway_id) AS reporting, ${spread('h.rss')} AS rss,
           ${spread('h.bytes')} AS bytes, ${spread('h.reconnects')} AS reconnects
         FROM gateways g LEFT JOIN heard h ON h.gateway_id = g.id WHERE g.replaced_at IS NULL GROUP BY 1 ORDER BY 1`,
        [period.from, period.to],
      );
      return rows.map(({ model, gateways, reporting, rss, bytes, reconnects }) => ({
        model,
        gateways,
        reporting,
        rssPeakKiB: reporting === 0 ? null : spreadOf(rss),
        controlBytesPerDay: reporting === 0 ? null : spreadOf(bytes),
        reconnectsPerDay: reporting === 0 ? null : spreadOf(reconnects),
      }));
    },
  };
}

type GatewayFigures = Pick<GatewayRow, 'model' | 'gateways' | 'reporting'> & { rss: number[]; bytes: number[]; reconnects: number[] };

function measurementOf({ memory, data, ...row }: MeasuredRow, said: readonly OwnSpreadRow[]): MeasurementRow {
  return {
    ...row,
    isHidden: false,
    memoryPeakKiB: spreadOf(memory),
    dataKiB: spreadOf(data),
    own: said.map(({ name, gateways, spread: values }): OwnSpread => ({ name, gateways, ...spreadOf(values) })),
  };
}

function spreadOf([median, p95, highest]: readonly number[]): Spread {
  return { median: Number(median), p95: Number(p95), highest: Number(highest) };
}
