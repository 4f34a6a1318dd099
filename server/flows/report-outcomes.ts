/** Installs and failures of a period, by model, version and code: from what gateways reported of the targets of their own site. */
import { describe, isErrorCode } from '../../protocol/errors.ts';
import type { CodeRow, FailureRow, InstallRow } from '../../protocol/field-report.ts';
import type { Db } from '../ports.ts';
import { momentsOf } from '../rules/field-report.ts';
import { type Listed, type Page, pageOf, rowsFor } from './page.ts';
import type { ReportScope } from './report-scope.ts';

const topCodes = 10;

/** A report about a target counts for the gateway of the target's own site; whatever else was claimed is no outcome. */
const outcomes = `outcomes AS (
  SELECT t.software_id AS software, r.version, coalesce(g.said_model, g.model) AS model, r.target_id AS target, r.kind, r.state, r.code, r.number
  FROM reports r JOIN gateways g ON g.id = r.gateway_id JOIN targets t ON t.id = r.target_id AND t.site_id = g.site_id
  WHERE r.target_id IS NOT NULL AND r.kind IN ('end', 'failure', 'supervisor') AND r.received_at >= $1 AND r.received_at < $2
    AND ($3::text IS NULL OR t.provider_id = $3) AND ($4::text IS NULL OR t.software_id = $4))`;

export function makeReportOutcomes({ db }: { db: Db }) {
  const given = ({ provider, software, period }: ReportScope) => {
    const { fromAt, untilAt } = momentsOf(period);
    return [fromAt, untilAt, provider, software];
  };
  const paged = (scope: ReportScope, page: Page) => [...given(scope), page.after ?? null, rowsFor(page)];

  return {
    installs: async (scope: ReportScope, page: Page): Promise<Listed<InstallRow>> => {
      const rows = await db.query<InstallRow>(
        `WITH ${outcomes}, tried AS (
           SELECT software, version, model, count(DISTINCT target) AS tried,
             count(DISTINCT target) FILTER (WHERE state = 'committed') AS installed, count(*) FILTER (WHERE kind = 'failure') AS failures
           FROM outcomes WHERE version IS NOT NULL AND (state = 'committed' OR kind = 'failure') GROUP BY software, version, model),
         running AS (
           SELECT t.software_id AS software, t.committed_version AS version, coalesce(g.said_model, g.model) AS model, count(*) AS running
           FROM targets t JOIN gateways g ON g.site_id = t.site_id AND g.replaced_at IS NULL
           WHERE t.committed_version IS NOT NULL AND t.ended_at IS NULL AND ($3::text IS NULL OR t.provider_id = $3)
             AND ($4::text IS NULL OR t.software_id = $4) GROUP BY 1, 2, 3),
         keyed AS (
           SELECT concat_ws(' ', software, version, model) COLLATE "C" AS key, software, version, model, coalesce(tried, 0) AS tried,
             coalesce(installed, 0) AS installed, coalesce(failures, 0) AS failures, coalesce(running, 0) AS running
           FROM tried FULL JOIN running USING (software, version, model))
         SELECT * FROM keyed WHERE $5::text IS NULL OR key > $5 ORDER BY key LIMIT $6`,
        paged(scope, page),
      );
      return pageOf(rows, page, 'key');
    },

    failures: async (scope: ReportScope, page: Page): Promise<Listed<FailureRow>> => {
      const rows = await db.query<FailureRow>(
        `WITH ${outcomes}, counted AS (
           SELECT software, coalesce(version, '-') AS version, model, CASE kind WHEN 'failure' THEN 'install' ELSE 'run' END AS "when",
             coalesce(max(number), '-') AS number, code, count(DISTINCT target) AS targets, count(*) AS reports
           FROM outcomes WHERE kind IN ('failure', 'supervisor') AND code IS NOT NULL GROUP BY 1, 2, 3, 4, 6),
         keyed AS (SELECT concat_ws(' ', software, version, model, "when", code) COLLATE "C" AS key, * FROM counted)
         SELECT * FROM keyed WHERE $5::text IS NULL OR key > $5 ORDER BY key LIMIT $6`,
        paged(scope, page),
      );
      return pageOf(rows, page, 'key');
    },

    topCodes: async (scope: ReportScope): Promise<CodeRow[]> => {
      const rows = await db.query<Pick<CodeRow, 'number' | 'code' | 'targets' | 'reports'>>(
        `WITH ${outcomes}
         SELECT coalesce(max(number), '-') AS number, code, count(DISTINCT target) AS targets, count(*) AS reports
         FROM outcomes WHERE kind IN ('failure', 'supervisor') AND code IS NOT NULL GROUP BY code ORDER BY targets DESC, reports DESC, code LIMIT $5`,
        [...given(scope), topCodes],
      );
      return rows.map(({ number, code, targets, reports }) => ({ ...whoActs(code), number, code, targets, reports }));
    },
  };
}

/** A code of a newer agent is told by its name. */
function whoActs(code: string): Pick<CodeRow, 'who' | 'remedy'> {
  if (!isErrorCode(code)) return { who: 'operator', remedy: { ja: '', en: '' } };
  const { who, remedy } = describe(code);
  return { who, remedy };
}
