/** The field report: what became of software on the gateways in a period, for its provider and for the operator. */
import type { FailureRow, GatewayRow, InstallRow, MeasurementRow, ReportHead } from '../../protocol/field-report.ts';
import type { Clock, Db } from '../ports.ts';
import { monthOf } from '../rules/field-report.ts';
import type { Actor } from './actor.ts';
import type { Listed, Page } from './page.ts';
import { makeReportMeasurements } from './report-measurements.ts';
import { makeReportOutcomes } from './report-outcomes.ts';
import { type ReportQuestion, type ReportScope, scopeOf } from './report-scope.ts';

export function makeFieldReport({ db, clock, report }: { db: Db; clock: Clock; report: { readonly minGateways: number } }) {
  const { minGateways } = report;
  const outcomes = makeReportOutcomes({ db });
  const measurements = makeReportMeasurements({ db, minGateways });
  const scope = (question: ReportQuestion, actor: Actor): Promise<ReportScope> => scopeOf(db, question, actor, clock.nowMs());

  return {
    head: async (question: ReportQuestion, actor: Actor): Promise<ReportHead> => {
      const asked = await scope(question, actor);
      return { ...asked.period, month: monthOf(question.month, clock.nowMs()), minGateways, topCodes: await outcomes.topCodes(asked) };
    },
    installs: async (question: ReportQuestion, actor: Actor, page: Page): Promise<Listed<InstallRow>> =>
      outcomes.installs(await scope(question, actor), page),
    failures: async (question: ReportQuestion, actor: Actor, page: Page): Promise<Listed<FailureRow>> =>
      outcomes.failures(await scope(question, actor), page),
    measurements: async (question: ReportQuestion, actor: Actor, page: Page): Promise<Listed<MeasurementRow>> =>
      measurements.measurements(await scope(question, actor), actor, page),
    gateways: async (question: ReportQuestion, actor: Actor): Promise<{ gateways: readonly GatewayRow[] }> => ({
      gateways: await measurements.gateways(await scope(question, actor)),
    }),
  };
}
