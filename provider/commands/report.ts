import type { Answer } from '../../protocol/command-output.ts';
import { gatherFieldReport, type ReportSource } from '../../protocol/field-report.ts';
import { fieldReportLines } from '../../protocol/field-report-text.ts';

/** `tsugite report`: what became of one's own software on the gateways. */
export async function showReport({ software, month }: { software?: string; month?: string }, api: ReportSource): Promise<Answer> {
  const report = await gatherFieldReport(api, { ...(software !== undefined && { software }), ...(month !== undefined && { month }) });
  return { value: report, lines: fieldReportLines(report) };
}
