import type { GatewayId } from '../../protocol/fields.ts';
import { parseTelemetry } from '../../protocol/messages/telemetry.ts';
import type { Clock, Db } from '../ports.ts';

/** One message a day: a little more than three months. */
const messagesKept = 100;

export type TakeTelemetry = (gateway: GatewayId, payload: Buffer) => Promise<void>;

/**
 * Keeps the newest messages of a gateway as they came, once they proved to be telemetry.
 *
 * @throws TsugiteError MESSAGE_MALFORMED · JSON_NOT_COMPACT · MESSAGE_TOO_LARGE
 */
export function makeTakeTelemetry({ db, clock }: { db: Db; clock: Clock }): TakeTelemetry {
  return async (gateway, payload) => {
    parseTelemetry(payload);
    await db.query('INSERT INTO telemetry (gateway_id, received_at, body) VALUES ($1, $2, $3)', [
      gateway,
      new Date(clock.nowMs()),
      payload,
    ]);
    await db.query(
      'DELETE FROM telemetry WHERE gateway_id = $1 AND id <= (SELECT id FROM telemetry WHERE gateway_id = $1 ORDER BY id DESC OFFSET $2 LIMIT 1)',
      [gateway, messagesKept],
    );
  };
}
