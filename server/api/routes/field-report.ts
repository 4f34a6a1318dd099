/** What became of software on the gateways, for its provider and the operator: counts and measurements, never a home. */
import * as z from 'zod/mini';
import { providerId, softwareId } from '../../../protocol/fields.ts';
import type { Role } from '../../flows/actor.ts';
import type { makeFieldReport } from '../../flows/field-report.ts';
import { day, month } from '../fields.ts';
import { type Route, route } from '../route.ts';
import { both, code, maybe } from '../shapes.ts';
import { shown } from '../shown.ts';

const readers: readonly Role[] = ['operator', 'provider', 'viewer'];
const count = z.int().check(z.gte(0));
const query = z.strictObject({
  software: z.optional(softwareId),
  provider: z.optional(providerId),
  /** A month in Japan; left out: the last 30 days. */
  month: z.optional(month),
});
/** Of the last row seen. */
const key = z.string().check(z.regex(/^[\x21-\x7e ]{1,300}$/));
const spread = { median: z.int(), p95: z.int(), highest: z.int() };
const named = { key: z.string(), software: softwareId, model: z.string() };

const install = z.strictObject({ ...named, version: z.string(), tried: count, installed: count, failures: count, running: count });
const failure = z.strictObject({
  ...named,
  version: z.string(),
  when: z.enum(['install', 'run']),
  number: z.string(),
  code,
  targets: count,
  reports: count,
});
const measurement = z.strictObject({
  ...named,
  gateways: count,
  isHidden: z.boolean(),
  days: count,
  memoryPeakKiB: maybe(z.strictObject(spread)),
  dataKiB: maybe(z.strictObject(spread)),
  hoursUp: maybe(count),
  restarts: maybe(count),
  deniedConnections: maybe(count),
  own: maybe(z.array(z.strictObject({ name: z.string(), gateways: count, ...spread }))),
});
const gateway = z.strictObject({
  model: z.string(),
  gateways: count,
  reporting: count,
  rssPeakKiB: maybe(z.strictObject(spread)),
  controlBytesPerDay: maybe(z.strictObject(spread)),
  reconnectsPerDay: maybe(z.strictObject(spread)),
});
const head = z.strictObject({
  from: day,
  to: day,
  month,
  minGateways: count,
  topCodes: z.array(z.strictObject({ number: z.string(), code, who: z.string(), remedy: both, targets: count, reports: count })),
});

export function fieldReportRoutes({ report }: { report: ReturnType<typeof makeFieldReport> }): Route[] {
  const exampleKey = `${shown.software} ${shown.version} ${shown.model}`;
  return [
    route({
      method: 'GET',
      path: '/report',
      roles: readers,
      summary: 'Which days a report is about, and its ten most frequent codes',
      query,
      answer: head,
      example: { answer: { from: '2026-10-24', to: shown.day, month: '2026-11', minGateways: 10, topCodes: [] } },
      handle: ({ query: question, actor }) => report.head(question, actor),
    }),
    route({
      method: 'GET',
      path: '/report/installs',
      roles: readers,
      summary: 'Installs by software, version and model, and how many run it now',
      query,
      list: key,
      answer: install,
      example: {
        answer: {
          key: exampleKey,
          software: shown.software,
          version: shown.version,
          model: shown.model,
          tried: 1,
          installed: 1,
          failures: 0,
          running: 1,
        },
      },
      handle: ({ query: question, actor, page }) => report.installs(question, actor, page),
    }),
    route({
      method: 'GET',
      path: '/report/failures',
      roles: readers,
      summary: 'Failures by software, version, model and code: of installs, and of what ran',
      query,
      list: key,
      answer: failure,
      example: {
        answer: {
          key: `${exampleKey} install HEALTH_PROBE_FAILED`,
          software: shown.software,
          version: shown.version,
          model: shown.model,
          when: 'install',
          number: 'E504',
          code: 'HEALTH_PROBE_FAILED',
          targets: 1,
          reports: 2,
        },
      },
      handle: ({ query: question, actor, page }) => report.failures(question, actor, page),
    }),
    route({
      method: 'GET',
      path: '/report/measurements',
      roles: readers,
      summary: 'Memory peaks, data, restarts and own numbers by software and model; hidden from a provider while too few gateways speak',
      query,
      list: key,
      answer: measurement,
      example: {
        answer: {
          key: `${shown.software} ${shown.model}`,
          software: shown.software,
          model: shown.model,
          gateways: 40,
          isHidden: false,
          days: 1_160,
          memoryPeakKiB: { median: 31_204, p95: 38_912, highest: 41_004 },
          dataKiB: { median: 212, p95: 640, highest: 1_020 },
          hoursUp: 27_700,
          restarts: 3,
          deniedConnections: 0,
          own: [{ name: 'devices', gateways: 40, median: 3, p95: 7, highest: 9 }],
        },
      },
      handle: ({ query: question, actor, page }) => report.measurements(question, actor, page),
    }),
    route({
      method: 'GET',
      path: '/report/gateways',
      roles: ['operator', 'viewer'],
      summary: 'The agents by model: memory, control bytes and reconnects a day',
      query: z.pick(query, { month: true }),
      answer: z.strictObject({ gateways: z.array(gateway) }),
      example: {
        answer: {
          gateways: [
            {
              model: shown.model,
              gateways: 52,
              reporting: 40,
              rssPeakKiB: { median: 55_900, p95: 57_100, highest: 58_020 },
              controlBytesPerDay: { median: 12_300, p95: 15_900, highest: 40_120 },
              reconnectsPerDay: { median: 0, p95: 1, highest: 6 },
            },
          ],
        },
      },
      handle: ({ query: question, actor }) => report.gateways(question, actor),
    }),
  ];
}
