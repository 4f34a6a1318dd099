/**
 * How long closing a month takes (goal `month-close-s`): the operator's whole command, from its start until every provider's CSV, JSON and HTML lies
 * on the disk, for a generated fleet whose sum is known beforehand. Meanwhile somebody else asks the server, some forty times a second.
 */
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { japanMonth, monthStartMs } from '../../server/rules/japan-month.ts';
import { tellProgram } from '../story/programs.ts';
import { type Fleet, insertFleet } from '../support/billed-fleet.ts';
import { atMost, type BenchOptions, type Measurement, rounded } from './result.ts';
import { median } from './rounds.ts';
import { type RunningServer, withRunningServer } from './running-server.ts';

const targets = 100_000;
const shape = { targets, providers: 50, softwarePerProvider: 4 };
const defaultRounds = 3;
const goalSeconds = 30;
const dayMs = 86_400_000;
const betweenMs = 20;
type Round = { closeMs: number; againMs: number; slowestMs: number; files: number; targets: number; totalYen: number };

export function measureMonthClose({ rounds = defaultRounds, say }: BenchOptions): Promise<Measurement> {
  say(`server: a fleet of ${targets} targets, ${shape.providers} providers, ${shape.providers * shape.softwarePerProvider} software`);
  // A month can be closed once, so each round closes the next one.
  const months = monthsBefore(Date.now(), rounds);
  return withRunningServer({ billing: { registrationNumber: 'T1234567890123' } }, async (server) => {
    const [first = ''] = months;
    const fleet = await server.db.tx((sql) => insertFleet(sql, { ...shape, month: first }));
    const all: Round[] = [];
    for (const month of months) {
      all.push(await closeOnce(server, month));
      say(`  ${month}: ${rounded((all.at(-1) as Round).closeMs / 1000)} s`);
    }
    verifySums(all[0] as Round, fleet);
    return {
      rows: all.map(({ closeMs, againMs, slowestMs, targets: charged, files, totalYen }, index) => ({
        month: months[index] as string,
        targets: charged,
        files,
        totalYen,
        'close s': rounded(closeMs / 1000),
        'again s': rounded(againMs / 1000),
        'slowest other answer ms': rounded(slowestMs, 0),
      })),
      goals: [atMost('month-close-s', goalSeconds, median(all.map(({ closeMs }) => closeMs)) / 1000, 's')],
    };
  });
}

async function closeOnce({ environment, folder, api }: RunningServer, month: string): Promise<Round> {
  const neighbour = askAllTheTime(`${api}/api/v1/health`);
  const verb = async (out: string) => {
    const startedAt = performance.now();
    const said = await tellProgram('server', ['billing', 'close', month, '--out', path.join(folder, out)], environment);
    return { ms: performance.now() - startedAt, said };
  };
  const closed = await verb(`${month}-first`);
  const slowestMs = await neighbour.stop();
  const again = await verb(`${month}-again`);
  const { files, targets: charged, totalYen } = closed.said as { files: string[]; targets: number; totalYen: number };
  return { closeMs: closed.ms, againMs: again.ms, slowestMs, files: files.length, targets: charged, totalYen };
}

function askAllTheTime(url: string): { stop(): Promise<number> } {
  let isOver = false;
  let slowestMs = 0;
  const asking = (async () => {
    while (!isOver) {
      const startedAt = performance.now();
      // A new connection each time: one that the server ends while it is idle would look like a fault.
      await (await fetch(url, { headers: { connection: 'close' } })).arrayBuffer();
      slowestMs = Math.max(slowestMs, performance.now() - startedAt);
      await delay(betweenMs);
    }
  })();
  asking.catch(() => {}); // told where it is awaited
  return {
    stop: async () => {
      isOver = true;
      await asking;
      return slowestMs;
    },
  };
}

/** A figure of a wrong result would say nothing. */
function verifySums({ targets: charged, totalYen }: Round, fleet: Fleet): void {
  if (charged !== fleet.charged || totalYen !== fleet.totalYen || totalYen % 110 !== 0)
    throw new Error(`closed with ${charged} targets and ${totalYen} yen, not with ${fleet.charged} and ${fleet.totalYen}`);
}

/** The last months that are over, oldest first. */
function monthsBefore(nowMs: number, count: number): string[] {
  const months: string[] = [];
  for (let month = japanMonth(nowMs); months.length < count; ) {
    month = japanMonth(monthStartMs(month) - dayMs);
    months.unshift(month);
  }
  return months;
}
