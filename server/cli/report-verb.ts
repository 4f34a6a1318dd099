/** report: installs, failures and measurements of the fleet. */
import type { Command } from 'commander';
import type { FailureRow, GatewayRow, InstallRow, MeasurementRow, ReportHead } from '../../protocol/field-report.ts';
import { fieldReportLines } from '../../protocol/field-report-text.ts';
import type { Verbs } from './program.ts';

export function addReportVerb({ verb, answer, api }: Verbs): void {
  verb('report', 'installs and failures by model and code, memory peaks, the agents themselves（配信状況）')
    .option('--provider <id>', 'of this provider')
    .option('--software <id>', 'of this software')
    .option('--month <YYYY-MM>', 'a month in Japan (default: the last 30 days)')
    .action(async ({ provider, software, month }, command: Command) => {
      const server = api(command);
      const query = { provider, software, month };
      const report = {
        ...((await server.get('/report', query)) as ReportHead),
        installs: (await server.list('/report/installs', query)) as InstallRow[],
        failures: (await server.list('/report/failures', query)) as FailureRow[],
        measurements: (await server.list('/report/measurements', query)) as MeasurementRow[],
        ...((await server.get('/report/gateways', { month })) as { gateways: GatewayRow[] }),
      };
      answer({ value: report, lines: fieldReportLines(report) });
    });
}
