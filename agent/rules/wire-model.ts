/**
 * What socket counters do not show: IP and TCP headers. Node tells how many bytes a socket carried, not in how many packets; this model adds
 * them, and is held to captures of real connections (test/agent/rules/wire-model.test.ts; the interface counter in byte-counter.root.test.ts).
 */

export type Family = 4 | 6;

export type SocketEvent = {
  readonly family: Family;
  /** Bytes of the TCP stream since the last event, TLS included. */
  readonly sentBytes: number;
  readonly receivedBytes: number;
  /** false when no answer rides back on what was sent, so that the peer has to send a packet of its own to acknowledge it. */
  readonly isAnswered: boolean;
};

/**
 * When an acknowledgement of ours can ride on what we send next, as Linux has it: it acknowledges at once after a silence (a retransmission
 * timeout, 200 ms at least), else it waits up to 40 ms for something to ride on.
 */
export function mayRide({ silentBeforeMs, untilSentMs }: { silentBeforeMs: number; untilSentMs: number }): boolean {
  return silentBeforeMs < 200 && untilSentMs < 40;
}

/** IPv4 20 or IPv6 40, TCP 20, timestamps option 12. */
export function headerBytes(family: Family): number {
  return family === 4 ? 52 : 72;
}

/** Ethernet's 1500 bytes; a PPPoE line's 1454 changes a large message by one packet. */
function segmentBytes(family: Family): number {
  return 1500 - headerBytes(family);
}

export function wireBytes({ family, sentBytes, receivedBytes, isAnswered }: SocketEvent): number {
  const sentSegments = Math.ceil(sentBytes / segmentBytes(family));
  const receivedSegments = Math.ceil(receivedBytes / segmentBytes(family));
  // TCP acknowledges every second segment; the last one of a received burst has no answer to ride on.
  const acksFromPeer = sentSegments === 0 ? 0 : Math.floor(sentSegments / 2) + (isAnswered ? 0 : sentSegments % 2);
  const acksFromUs = Math.ceil(receivedSegments / 2);
  return sentBytes + receivedBytes + (sentSegments + receivedSegments + acksFromPeer + acksFromUs) * headerBytes(family);
}

/**
 * SYN and SYN+ACK carry 8 bytes more of options than later packets; then one ACK. Two more packets are TLS's: its flights are shorter than a
 * segment, so byte counts alone show too few of them.
 */
export function openingBytes(family: Family): number {
  return 5 * headerBytes(family) + 2 * 8;
}

/** FIN and ACK each way. */
export function closingBytes(family: Family): number {
  return 4 * headerBytes(family);
}

/** A SYN that nobody answered, with the usual repeats of the first seconds. */
export function unansweredOpeningBytes(family: Family): number {
  return 3 * (headerBytes(family) + 8);
}
