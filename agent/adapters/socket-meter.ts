import type { Socket } from 'node:net';
import type { Clock } from '../ports.ts';
import type * as WireModel from '../rules/wire-model.ts';

/** Wire bytes of one connection, told in portions so that each can be charged to what it was for. IP-layer bytes, headers included. */
export type SocketMeter = {
  /**
   * What we sent since the last call, and the opening and closing of the connection when they happened in between.
   *
   * @param isAnswered  false when what was sent gets no answer that TCP's acknowledgement could ride on
   */
  takeSent(isAnswered: boolean): number;
  /** @param atMostBytes  of the TCP stream; the rest stays for the next call */
  takeReceived(atMostBytes?: number): number;
  /** Something is about to be sent, on which the last acknowledgement may ride. */
  sending(): void;
};

/** @param raw  the TCP socket below TLS: its counters are of encrypted bytes, and stay readable after it closed */
export function meterSocket(raw: Socket, model: typeof WireModel, clock: Clock): SocketMeter {
  let family: WireModel.Family = 4;
  let headerOnlyBytes = 0;
  let hasOpened = false;
  let sent = 0;
  let received = 0;
  let lastReceivedAtMs = Number.NEGATIVE_INFINITY;
  let silentBeforeMs = 0;

  raw.once('connect', () => {
    hasOpened = true;
    family = raw.remoteFamily === 'IPv6' ? 6 : 4;
    headerOnlyBytes += model.openingBytes(family);
  });
  raw.once('close', () => {
    headerOnlyBytes += hasOpened ? model.closingBytes(family) : 0;
  });
  raw.on('error', (error: NodeJS.ErrnoException) => {
    if (!hasOpened && (error.code === 'ETIMEDOUT' || error.code === 'ECONNREFUSED'))
      headerOnlyBytes += model.unansweredOpeningBytes(family);
  });

  return {
    takeSent(isAnswered) {
      const sentBytes = raw.bytesWritten - sent;
      sent += sentBytes;
      const wireBytes = Math.max(0, headerOnlyBytes + model.wireBytes({ family, sentBytes, receivedBytes: 0, isAnswered }));
      headerOnlyBytes = 0;
      return wireBytes;
    },
    takeReceived(atMostBytes = Number.POSITIVE_INFINITY) {
      const receivedBytes = Math.min(atMostBytes, raw.bytesRead - received);
      received += receivedBytes;
      if (receivedBytes > 0) {
        silentBeforeMs = clock.monotonicMs() - lastReceivedAtMs;
        lastReceivedAtMs = clock.monotonicMs();
      }
      return model.wireBytes({ family, sentBytes: 0, receivedBytes, isAnswered: true });
    },
    sending() {
      if (model.mayRide({ silentBeforeMs, untilSentMs: clock.monotonicMs() - lastReceivedAtMs }))
        headerOnlyBytes -= model.headerBytes(family);
      silentBeforeMs = Number.POSITIVE_INFINITY;
    },
  };
}
