/**
 * The ends of days (DOMAIN D-31): every day with events that have not acted yet, one after the other; on each, each site once. Done twice it does
 * nothing more, and after a downtime it makes up for every day.
 *
 * What would end many targets on one day waits for a second person; the sites that it would end wait with it, all others go on.
 */
import { TsugiteError } from '../../protocol/errors.ts';
import type { RandomId } from '../../protocol/fields.ts';
import type { Clock, Db, Log, Random, Sql } from '../ports.ts';
import type { ContractEvent } from '../rules/contract-events.ts';
import { type DayEnd, decideDayEnd, isEnding, type TargetMove } from '../rules/day-end.ts';
import { changesOn, type EligibilityCatalogue } from '../rules/eligibility-catalogue.ts';
import { japanDay, lastEndedDay } from '../rules/japan-day.ts';
import type { Actor } from './actor.ts';
import { appendAudit } from './audit.ts';
import { carryOut, factsOn, lockSite, openTargetsOf, saveFacts } from './contract-facts.ts';
import { oneAtATime } from './one-at-a-time.ts';
import { type ChangeWork, type Held, holdIfMuch } from './pending-changes.ts';
import { rebind } from './swap-device.ts';

const evaluationLock = 6_021_184;
const throughSetting = 'contract.evaluated-through';

export type Evaluation = {
  readonly through: string;
  readonly days: readonly string[];
  readonly sites: number;
  readonly moves: readonly TargetMove[];
  readonly held: readonly Held[];
};
export type EvaluateDays = (asked: { through?: 'today' | string | undefined; actor: Actor }) => Promise<Evaluation | 'busy'>;

type Parts = { db: Db; clock: Clock; random: Random; log: Log; catalogue: EligibilityCatalogue };
type Waiting = ContractEvent & { readonly site: RandomId; readonly day: string; readonly token: RandomId | null };

export function makeEvaluateDays(parts: Parts): EvaluateDays {
  const { db, clock, log } = parts;
  /** @throws TsugiteError INPUT_REFUSED for a day that has not begun */
  return async ({ through: asked, actor }) => {
    const nowMs = clock.nowMs();
    const through = asked === 'today' ? japanDay(nowMs) : (asked ?? lastEndedDay(nowMs));
    if (through > japanDay(nowMs)) throw new TsugiteError('INPUT_REFUSED', { faults: [{ field: 'through', fault: 'a day to come' }] });
    const done = await oneAtATime(db, evaluationLock, () => evaluate(parts, { through, actor, nowMs }));
    if (done === undefined) return 'busy';
    const { days, sites, moves, held } = done;
    if (sites > 0) log.info('contract.evaluated', { through, days, sites, moves: moves.length });
    for (const { change, actual, limit } of held) log.warn('change.held', { change, actual, limit });
    return done;
  };
}

/** An approval is a row that the evaluation finds, so a crash in between loses nothing. */
export function contractDayWork(evaluateDays: EvaluateDays): ChangeWork {
  return {
    approved: async () => {},
    declined: async () => {},
    afterApproval: async ({ subject }, actor) => {
      const done = await evaluateDays({ through: subject, actor });
      return { ended: done === 'busy' ? 0 : done.moves.filter(isEnding).length };
    },
  };
}

async function evaluate(parts: Parts, run: { through: string; actor: Actor; nowMs: number }): Promise<Evaluation> {
  const { db, catalogue } = parts;
  const { through, actor, nowMs } = run;
  const waiting = await waitingEvents(db, through);
  const days = await daysToEvaluate(db, waiting, catalogue, through);
  const held: Held[] = [];
  const heldSites = new Set<RandomId>();
  const moves: TargetMove[] = [];
  let sites = 0;
  for (const day of days) {
    const all = new Set([
      ...waiting.filter((event) => event.day === day).map(({ site }) => site),
      ...(await touchedBy(db, catalogue, day)),
    ]);
    const due = [...all].filter((site) => !heldSites.has(site)).sort();
    const { mayEnd, change } = await passGuard(parts, run, day, due);
    if (change !== undefined) held.push(change);
    for (const site of due) {
      const ended = await db.tx((sql) => endDay(sql, parts, run, { site, day, mayEnd }));
      if (ended === 'wait')
        heldSites.add(site); // its later days build on this one
      else {
        sites += 1;
        moves.push(...ended);
      }
    }
  }
  await db.tx(async (sql) => {
    await sql.query(
      `INSERT INTO settings (name, value, changed_at) VALUES ($1, to_jsonb($2::text), $3)
       ON CONFLICT (name) DO UPDATE SET value = to_jsonb(greatest(settings.value #>> '{}', $2::text)), changed_at = $3`,
      [throughSetting, through, new Date(nowMs)],
    );
    if (sites > 0 || actor.token !== undefined)
      await appendAudit(sql, { actor, action: 'contract.evaluate', subject: through, detail: { days, sites, moves: moves.length } }, nowMs);
  });
  return { through, days, sites, moves, held };
}

/** What the day would end, all sites together: allowed at once, approved already, or held. */
async function passGuard(
  { db, random, catalogue }: Parts,
  { actor, nowMs }: { actor: Actor; nowMs: number },
  day: string,
  sites: readonly RandomId[],
): Promise<{ mayEnd: ReadonlySet<RandomId>; change: Held | undefined }> {
  const approved = await approvedFor(db, day);
  const ending: RandomId[] = [];
  const proposers: RandomId[] = []; // whoever entered what ends; to ask for the evaluation is nobody's proposal
  for (const site of sites) {
    const events = await waitingAt(db, site, day);
    const fresh = (await decideAt(db, { site, day, events }, catalogue, nowMs)).moves.filter(
      (move) => isEnding(move) && !approved.has(move.target),
    );
    if (fresh.length === 0) continue;
    ending.push(...fresh.map(({ target }) => target));
    proposers.push(...events.flatMap(({ token }) => token ?? []));
  }
  if (ending.length === 0) return { mayEnd: approved, change: undefined };
  const proposal = { kind: 'contract-day', subject: day, targets: ending, proposers } as const;
  const change = await db.tx((sql) => holdIfMuch(sql, proposal, { random, actor, nowMs }));
  return { mayEnd: change === undefined ? new Set([...approved, ...ending]) : approved, change };
}

/** One site, one day, one transaction. @returns 'wait' when it would end a target that may not end now; then nothing was changed */
async function endDay(
  sql: Sql,
  { catalogue }: Parts,
  { actor, nowMs }: { actor: Actor; nowMs: number },
  { site, day, mayEnd }: { site: RandomId; day: string; mayEnd: ReadonlySet<RandomId> },
): Promise<readonly TargetMove[] | 'wait'> {
  await lockSite(sql, site);
  const events = await waitingAt(sql, site, day);
  const { facts, moves } = await decideAt(sql, { site, day, events }, catalogue, nowMs);
  if (moves.some((move) => isEnding(move) && !mayEnd.has(move.target))) return 'wait';
  if (events.length > 0) {
    // Entered late, for a day before the newest statement: it is added to what is known now.
    const effectiveOn = [day, await newestDay(sql, site)].sort().at(-1) as string;
    const statement = await saveFacts(sql, site, facts, { effectiveOn, by: actor.name, atMs: nowMs });
    await settle(sql, events, statement, actor, nowMs);
  }
  const done = await carryOut(sql, moves, { by: actor.name, atMs: nowMs, day });
  for (const event of events)
    if (event.kind === 'swap-device') await rebind(sql, { site, ...event.detail }, { by: actor.name, nowMs, catalogue });
  return done;
}

async function decideAt(
  sql: Sql,
  { site, day, events }: { site: RandomId; day: string; events: readonly Waiting[] },
  catalogue: EligibilityCatalogue,
  nowMs: number,
): Promise<DayEnd> {
  return decideDayEnd(await factsOn(sql, site, japanDay(nowMs)), events, await openTargetsOf(sql, site), catalogue, day);
}

async function settle(sql: Sql, events: readonly Waiting[], statement: number, actor: Actor, nowMs: number): Promise<void> {
  await sql.query(
    `INSERT INTO contract_events_settled (event_id, outcome, facts_id, settled_at, settled_by) SELECT id, 'applied', $2, $3, $4 FROM unnest($1::bigint[]) AS id`,
    [events.map(({ id }) => id), statement, new Date(nowMs), actor.name],
  );
}

const waitingQuery = `SELECT e.id, e.kind, e.detail, e.site_id AS site, e.effective_on AS day, e.entered_token AS token FROM contract_events e
  WHERE NOT EXISTS (SELECT 1 FROM contract_events_settled d WHERE d.event_id = e.id)`;

function waitingEvents(sql: Sql, through: string): Promise<Waiting[]> {
  return sql.query<Waiting>(`${waitingQuery} AND e.effective_on <= $1 ORDER BY e.effective_on, e.id`, [through]);
}

function waitingAt(sql: Sql, site: RandomId, day: string): Promise<Waiting[]> {
  return sql.query<Waiting>(`${waitingQuery} AND e.site_id = $1 AND e.effective_on = $2 ORDER BY e.id`, [site, day]);
}

/** Days with events, and days on which the catalogue itself changed since we last looked. */
async function daysToEvaluate(sql: Sql, waiting: readonly Waiting[], catalogue: EligibilityCatalogue, through: string): Promise<string[]> {
  const [row] = await sql.query<{ day: string }>(`SELECT value #>> '{}' AS day FROM settings WHERE name = $1`, [throughSetting]);
  const changed = row === undefined ? [] : changesOn(catalogue).filter((day) => row.day < day && day <= through);
  return [...new Set([...waiting.map(({ day }) => day), ...changed])].sort();
}

/** A line or a series that enters or leaves the catalogue is everybody's concern (D-16). */
async function touchedBy(sql: Sql, catalogue: EligibilityCatalogue, day: string): Promise<RandomId[]> {
  if (!changesOn(catalogue).includes(day)) return [];
  const rows = await sql.query<{ site: RandomId }>('SELECT DISTINCT site_id AS site FROM targets WHERE ended_at IS NULL');
  return rows.map(({ site }) => site);
}

async function approvedFor(sql: Sql, day: string): Promise<ReadonlySet<RandomId>> {
  const rows = await sql.query<{ targets: RandomId[] }>(
    `SELECT targets FROM pending_changes WHERE kind = 'contract-day' AND subject = $1 AND decision = 'approved'`,
    [day],
  );
  return new Set(rows.flatMap(({ targets }) => targets));
}

async function newestDay(sql: Sql, site: RandomId): Promise<string> {
  const [row] = await sql.query<{ day: string | null }>('SELECT max(effective_on) AS day FROM contract_facts WHERE site_id = $1', [site]);
  return row?.day ?? '';
}
