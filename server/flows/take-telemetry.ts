import type { GatewayId } from '../../protocol/fields.ts';
import { parseTelemetry, type Telemetry } from '../../protocol/messages/telemetry.ts';
import type { Clock, Db, Log, Sql } from '../ports.ts';
import { messagesPerDay, readDay, type TelemetryDay } from '../rules/telemetry-day.ts';

export type TakeTelemetry = (gateway: GatewayId, payload: Buffer) => Promise<void>;

/**
 * Keeps of a day's telemetry what a day is asked for: peaks and sums, per gateway and per target. A gateway speaks for the targets of its own site
 * only; what it says of others is counted in the log and kept nowhere.
 *
 * @throws TsugiteError MESSAGE_MALFORMED · JSON_NOT_COMPACT · MESSAGE_TOO_LARGE; then nothing was stored
 */
export function makeTakeTelemetry({ db, clock, log }: { db: Db; clock: Clock; log: Log }): TakeTelemetry {
  return async (gateway, payload) => {
    const nowMs = clock.nowMs();
    const telemetry = parseTelemetry(payload);
    const day = readDay(telemetry, nowMs);
    const taken = await db.tx(async (sql) => {
      if (!(await isNews(sql, gateway, telemetry, day.day, nowMs))) return undefined;
      await keepGatewayDay(sql, gateway, day);
      return { own: await keepTargetDays(sql, gateway, day) };
    });
    const said = { gateway, day: day.day, bytes: payload.length, targets: day.targets.length };
    if (taken === undefined) log.info('telemetry.repeated', said);
    else log.info('telemetry.taken', { ...said, foreign: day.targets.length - taken.own });
  };
}

/** False for a message that was taken before, and for one more than a gateway can have of a day. */
async function isNews(sql: Sql, gateway: GatewayId, { epoch, from }: Telemetry, day: string, nowMs: number): Promise<boolean> {
  const rows = await sql.query(
    `INSERT INTO telemetry_messages (gateway_id, epoch, from_at, day, received_at) SELECT $1::text, $2, $3, $4::date, $5
     WHERE (SELECT count(*) FROM telemetry_messages WHERE gateway_id = $1::text AND day = $4::date) < $6 ON CONFLICT DO NOTHING RETURNING epoch`,
    [gateway, epoch, new Date(from), day, new Date(nowMs), messagesPerDay],
  );
  return rows.length > 0;
}

async function keepGatewayDay(
  sql: Sql,
  gateway: GatewayId,
  { day, hours, rssPeakKiB, controlBytes, reconnects }: TelemetryDay,
): Promise<void> {
  await sql.query(
    `INSERT INTO gateway_days AS d (gateway_id, day, model, hours, rss_peak_kib, control_bytes, reconnects)
     SELECT id, $2::date, coalesce(said_model, model), $3::smallint, $4::bigint, $5::bigint, $6::bigint FROM gateways WHERE id = $1
     ON CONFLICT (gateway_id, day) DO UPDATE SET hours = least(24, d.hours + excluded.hours), rss_peak_kib = greatest(d.rss_peak_kib, excluded.rss_peak_kib),
       control_bytes = d.control_bytes + excluded.control_bytes, reconnects = d.reconnects + excluded.reconnects`,
    [gateway, day, hours, rssPeakKiB, controlBytes, reconnects],
  );
}

/** @returns how many of them are this gateway's */
async function keepTargetDays(sql: Sql, gateway: GatewayId, { day, targets }: TelemetryDay): Promise<number> {
  const rows = await sql.query(
    `INSERT INTO target_days AS d
       (target_id, gateway_id, day, model, hours_up, memory_peak_kib, restarts, data_kib, denied_connections, own)
     SELECT t.id, g.id, $2::date, coalesce(g.said_model, g.model), s."hoursUp", s."memoryPeakKiB", s.restarts, s."dataKiB", s."deniedConnections", s.own
     FROM jsonb_to_recordset($3::jsonb) AS s (target text, "hoursUp" smallint, "memoryPeakKiB" bigint, restarts bigint, "dataKiB" bigint,
       "deniedConnections" bigint, own jsonb)
     JOIN gateways g ON g.id = $1 JOIN targets t ON t.id = s.target AND t.site_id = g.site_id
     ON CONFLICT (target_id, gateway_id, day) DO UPDATE SET hours_up = least(24, d.hours_up + excluded.hours_up),
       memory_peak_kib = greatest(d.memory_peak_kib, excluded.memory_peak_kib), restarts = d.restarts + excluded.restarts,
       data_kib = greatest(d.data_kib, excluded.data_kib), denied_connections = d.denied_connections + excluded.denied_connections,
       own = d.own || excluded.own
     RETURNING d.target_id`,
    [gateway, day, JSON.stringify(targets)],
  );
  return rows.length;
}
