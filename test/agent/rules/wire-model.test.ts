import { describe, expect, test } from 'vitest';
import { type Family, wireBytes } from '../../../agent/rules/wire-model.ts';

// Captured with tcpdump between two network namespaces: MQTT 3.1.1 over TLS 1.3, TCP timestamps on, MTU 1500, segmentation offload off.
const recordBytes = 22;
const publishOverheadBytes = 20;
const captures: { what: string; exchange: (family: Family) => number; ipv4: number; ipv6: number }[] = [
  { what: 'ping', exchange: (family) => sent(family, 2) + received(family, 2), ipv4: 204, ipv6: 264 },
  { what: 'subscribe to a topic of 12 bytes', exchange: (family) => sent(family, 20) + received(family, 5), ipv4: 225, ipv6: 285 },
  ...[
    { bytes: 300, ipv4: 524, ipv6: 584 },
    { bytes: 600, ipv4: 824, ipv6: 884 },
    { bytes: 1_500, ipv4: 1_828, ipv6: 1_928 },
  ].map(({ bytes, ...measured }) => ({
    what: `publish up, QoS 1, ${bytes} bytes`,
    exchange: (family: Family) => sent(family, bytes + publishOverheadBytes) + received(family, 4),
    ...measured,
  })),
  ...[
    { bytes: 300, ipv4: 576, ipv6: 656 },
    { bytes: 1_500, ipv4: 1_828, ipv6: 1_928 },
    { bytes: 2_048, ipv4: 2_376, ipv6: 2_476 },
  ].map(({ bytes, ...measured }) => ({
    what: `publish down, QoS 1, ${bytes} bytes`,
    exchange: (family: Family) => received(family, bytes + publishOverheadBytes) + sent(family, 4, false),
    ...measured,
  })),
];

function sent(family: Family, bytes: number, isAnswered = true): number {
  return wireBytes({ family, sentBytes: bytes + recordBytes, receivedBytes: 0, isAnswered });
}
function received(family: Family, bytes: number): number {
  return wireBytes({ family, sentBytes: 0, receivedBytes: bytes + recordBytes, isAnswered: false });
}

describe.each(captures)('$what', ({ exchange, ipv4, ipv6 }) => {
  test.each([
    { family: 4, measured: ipv4 },
    { family: 6, measured: ipv6 },
  ] as const)('is modelled within 1 % of the capture over IPv$family', ({ family, measured }) => {
    expect(Math.abs(exchange(family) - measured) / measured).toBeLessThan(0.01);
  });
});
