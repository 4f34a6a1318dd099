/** report: installs, failures and measurements of the fleet. */
import type { Command } from 'commander';
import { type GatewayRow, gatherFieldReport } from '../../protocol/field-report.ts';
import { fieldReportLines } from '../../protocol/field-report-text.ts';
import type { Verbs } from './program.ts';

export function addReportVerb({ verb, answer, api }: Verbs): void {
  verb('report', 'installs and failures by model and code, memory peaks, the agents themselves（配信状況）')
    .option('--provider <id>', 'of this provider')
    .option('--software <id>', 'of this software')
    .option('--month <YYYY-MM>', 'a month in Japan (default: the last 30 days)')
    .action(async ({ provider, software, month }, command: Command) => {
      const server = api(command);
      const { gateways } = (await server.get('/report/gateways', { month })) as { gateways: GatewayRow[] };
      const report = { ...(await gatherFieldReport(server, { provider, software, month })), gateways };
      answer({ value: report, lines: fieldReportLines(report) });
    });
}
