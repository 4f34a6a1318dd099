import { TsugiteError } from '../../protocol/errors.ts';
import type { GatewayId } from '../../protocol/fields.ts';
import type { Log } from '../ports.ts';

export type RefuseMessage = (message: { gateway: GatewayId; what: string; payload: Buffer }, error: unknown) => void;

/** A message that cannot be understood is counted and dropped; it must never stop the ones behind it, nor this process. */
export function makeRefuseMessage({ log }: { log: Log }): RefuseMessage {
  const refused = new Map<string, number>();
  return ({ gateway, what, payload }, error) => {
    if (!(error instanceof TsugiteError)) {
      // Not stored, so not acknowledged: the gateway sends it again.
      log.error('message.not_stored', { gateway, what, error });
      return;
    }
    const count = (refused.get(error.code) ?? 0) + 1;
    refused.set(error.code, count);
    const { number, code, detail } = error;
    log.warn('message.refused', { gateway, what, bytes: payload.length, number, code, detail, count });
  };
}
