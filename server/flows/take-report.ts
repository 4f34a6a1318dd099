/** A gateway's report: committed first, then acknowledged (DESIGN §6). What it says about a target moves that target (DOMAIN §5.2). */
import type { GatewayId, RandomId } from '../../protocol/fields.ts';
import { toCompactJson } from '../../protocol/json.ts';
import type { Ack } from '../../protocol/messages/ack.ts';
import { parseReport, type Report } from '../../protocol/messages/report.ts';
import type { GatewayLink } from '../ports/gateways.ts';
import type { Clock, Db, Log, Sql } from '../ports.ts';
import { factsConfirmed } from '../rules/confirmation.ts';
import type { EligibilityCatalogue } from '../rules/eligibility-catalogue.ts';
import { decideMark, isSentAgain } from '../rules/report-mark.ts';
import { eventOfReport, type TargetState } from '../rules/targets.ts';
import { moveTarget } from './move-target.ts';
import { settlePlanGrace } from './plan-grace.ts';
import { lockSiteOf, takeConfirmation } from './take-confirmation.ts';
import { takeResync } from './take-resync.ts';

/** One look at what stands above the mark; more than a gateway's whole outbox. */
const reportsPerLook = 10_000;

export type TakeReport = (arrived: {
  gateway: GatewayId;
  payload: Buffer;
  isFirstOnConnection: boolean;
  /** It came through an outside broker, which did not itself repeat it: if we hold it already, the gateway has sent it again. */
  mayBeSentAgain?: boolean;
  /** False when another report of this gateway waits behind: one acknowledgement serves both. */
  isAckWanted: () => boolean;
}) => Promise<{ isResyncAsked: boolean }>;

/** @throws TsugiteError MESSAGE_MALFORMED · JSON_NOT_COMPACT · MESSAGE_TOO_LARGE; then nothing was stored */
export function makeTakeReport({
  db,
  clock,
  link,
  log,
  catalogue,
}: {
  db: Db;
  clock: Clock;
  link: GatewayLink;
  log: Log;
  catalogue: EligibilityCatalogue;
}): TakeReport {
  return async ({ gateway, payload, isFirstOnConnection, mayBeSentAgain = false, isAckWanted }) => {
    const report = parseReport(payload);
    const nowMs = clock.nowMs();
    const facts = factsConfirmed(report);
    const { isNew, confirmed, upTo } = await db.tx(async (sql) => {
      // Who changes contract facts locks the site before its gateway.
      const site = facts && (await lockSiteOf(sql, gateway));
      // Publishing a notice locks in the same order, gateway before targets.
      await sql.query('SELECT 1 FROM gateways WHERE id = $1 FOR UPDATE', [gateway]);
      const inserted = await insertReport(sql, gateway, report, nowMs);
      if (inserted) await applyToTarget(sql, gateway, report, nowMs);
      if (inserted && report.kind === 'resync') await takeResync(sql, gateway, report, nowMs);
      const taken =
        inserted && facts && site ? await takeConfirmation(sql, { gateway, site, report, facts }, { catalogue, nowMs }) : undefined;
      const firstReceivedMs = mayBeSentAgain && !inserted ? await firstReceived(sql, gateway, report) : undefined;
      const upTo = await advanceMark(sql, gateway, report, { isFirstOnConnection, firstReceivedMs }, nowMs);
      return { isNew: inserted, confirmed: taken, upTo };
    });
    const { epoch, seq, kind, target, state, number } = report;
    if (isNew) log.info('report.taken', { gateway, seq, kind, target, state, number });
    if (confirmed) log.info('contract.confirmed', { gateway, seq, ...facts, moves: confirmed.length });
    if (isAckWanted() && upTo > 0) link.publishAck(gateway, toCompactJson({ v: 1, epoch, upTo } satisfies Ack));
    // One that answers our own request asks for nothing.
    return { isResyncAsked: isNew && kind === 'resync' && report.detail?.request === undefined };
  };
}

async function insertReport(sql: Sql, gateway: GatewayId, report: Report, nowMs: number): Promise<boolean> {
  const { epoch, seq, kind, at, target, deployment, software, version, state, number, code, detail } = report;
  const rows = await sql.query(
    `INSERT INTO reports (gateway_id, epoch, seq, kind, at, received_at, target_id, deployment, software_id, version, state, number, code, detail)
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14) ON CONFLICT (gateway_id, epoch, seq) DO NOTHING RETURNING id`,
    [gateway, epoch, seq, kind, new Date(at), new Date(nowMs), target, deployment, software, version, state, number, code, detail ?? {}],
  );
  return rows.length > 0;
}

async function firstReceived(sql: Sql, gateway: GatewayId, { epoch, seq }: Report): Promise<number | undefined> {
  const [row] = await sql.query<{ received_at: Date }>(
    'SELECT received_at FROM reports WHERE gateway_id = $1 AND epoch = $2 AND seq = $3',
    [gateway, epoch, seq],
  );
  return row?.received_at.getTime();
}

async function advanceMark(
  sql: Sql,
  gateway: GatewayId,
  { epoch, seq }: Report,
  { isFirstOnConnection, firstReceivedMs }: { isFirstOnConnection: boolean; firstReceivedMs: number | undefined },
  nowMs: number,
): Promise<number> {
  const [row] = await sql.query<{ up_to: number }>('SELECT up_to FROM report_marks WHERE gateway_id = $1 AND epoch = $2', [gateway, epoch]);
  const stored = await sql.query<{ seq: number }>(
    'SELECT seq FROM reports WHERE gateway_id = $1 AND epoch = $2 AND seq > $3 ORDER BY seq LIMIT $4',
    [gateway, epoch, row?.up_to ?? 0, reportsPerLook],
  );
  const numbers = stored.map((entry) => entry.seq);
  const isLowest = isFirstOnConnection || isSentAgain({ seq, firstReceivedMs, nowMs }, numbers);
  const upTo = decideMark(row?.up_to, { seq, isFirstOnConnection: isLowest, stored: numbers });
  if (upTo !== row?.up_to)
    await sql.query(
      `INSERT INTO report_marks (gateway_id, epoch, up_to, changed_at) VALUES ($1, $2, $3, $4)
       ON CONFLICT (gateway_id, epoch) DO UPDATE SET up_to = $3, changed_at = $4`,
      [gateway, epoch, upTo, new Date(nowMs)],
    );
  return upTo;
}

type TargetRow = { id: RandomId; state: TargetState; committed_version: string | null; wanted_version: string | null };

/** A gateway speaks for the targets of its own site only; what it says about others is kept as its claim and changes nothing. */
async function applyToTarget(sql: Sql, gateway: GatewayId, report: Report, nowMs: number): Promise<void> {
  const [target] = await sql.query<TargetRow>(
    `SELECT t.id, t.state, t.committed_version, r.version AS wanted_version
     FROM targets t JOIN gateways g ON g.site_id = t.site_id LEFT JOIN releases r ON r.id = t.release_id
     WHERE t.id = $1 AND g.id = $2 AND g.replaced_at IS NULL`,
    [report.target, gateway],
  );
  if (target === undefined) return;
  if (report.kind === 'purge') return recordPurge(sql, target, nowMs);
  if (report.kind !== 'end' && report.kind !== 'failure') return;

  if (report.state === 'committed' && report.version !== undefined) await setCommitted(sql, target.id, report.version, nowMs);
  // A late word about a version that is not wanted any more decides nothing about the one that is.
  if (report.version !== undefined && report.version !== target.wanted_version) return;
  // The running version again: a renewed signature (`release.resign`) that could not be taken. What ran, runs.
  const isRenewal = report.kind === 'end' && target.state === 'ACTIVE';
  const hasEarlier = target.committed_version !== null && (target.committed_version !== report.version || isRenewal);
  const event = eventOfReport(report.state, hasEarlier);
  if (event === undefined) return;
  await moveTarget(sql, {
    target: target.id,
    event,
    atMs: nowMs,
    by: gateway,
    codes: report.code === undefined ? [] : [report.code],
    detail: { version: report.version, state: report.state, number: report.number, ...report.detail },
  });
}

/** The purge closes an ended target: its `removed` entry leaves the next notice. One that is not ended has lost its copy with its lease. */
async function recordPurge(sql: Sql, target: TargetRow, nowMs: number): Promise<void> {
  if (target.state === 'TERMINATED')
    await sql.query('UPDATE targets SET purged_at = coalesce(purged_at, $2) WHERE id = $1', [target.id, new Date(nowMs)]);
  await setCommitted(sql, target.id, null, nowMs);
}

async function setCommitted(sql: Sql, target: RandomId, version: string | null, nowMs: number): Promise<void> {
  await sql.query('UPDATE targets SET committed_version = $2 WHERE id = $1', [target, version]);
  await settlePlanGrace(sql, target, nowMs);
}
