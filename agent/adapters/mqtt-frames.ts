import { TsugiteError } from '../../protocol/errors.ts';

/** Control packet types, MQTT 3.1.1 §2.2.1. */
export const packetType = { connack: 2, publish: 3, puback: 4, suback: 9, pingresp: 13 } as const;

export type MqttFrame = {
  type: number;
  /** Of the whole packet, fixed header included. */
  bytes: number;
  /** Of a PUBLISH. */
  topic?: string;
};

/** The longest of our topics is far shorter; what is cut off here is no topic of ours. */
const longestTopicBytes = 200;

/**
 * Watches the bytes that come in before mqtt.js parses them: it would collect up to 256 MB for one packet whose length is only a claim. Tells each
 * packet as soon as it is complete, which is also when its bytes are charged.
 *
 * @throws TsugiteError MESSAGE_TOO_LARGE as soon as a length is announced that is above `maxBytes`
 */
export function makeFrameScanner(maxBytes: number): (chunk: Buffer) => MqttFrame[] {
  let header: number[] = [];
  let missing = 0;
  let head = Buffer.alloc(0);

  function startPacket(byte: number): MqttFrame | undefined {
    header.push(byte);
    if (header.length === 1 || (byte & 0x80) !== 0) {
      // Remaining Length has at most four bytes (§2.2.3).
      if (header.length > 4) throw new TsugiteError('MESSAGE_TOO_LARGE', { what: 'mqtt-packet', limit: maxBytes, actual: 'unbounded' });
      return undefined;
    }
    missing = header.slice(1).reduce((length, part, index) => length + (part & 0x7f) * 128 ** index, 0);
    const bytes = header.length + missing;
    if (bytes > maxBytes) throw new TsugiteError('MESSAGE_TOO_LARGE', { what: 'mqtt-packet', limit: maxBytes, actual: bytes });
    return missing === 0 ? endPacket(bytes) : undefined;
  }

  let packetBytes = 0;
  function endPacket(bytes: number): MqttFrame {
    const type = (header[0] as number) >> 4;
    const topic = type === packetType.publish ? topicOf(head) : undefined;
    header = [];
    head = Buffer.alloc(0);
    return topic === undefined ? { type, bytes } : { type, bytes, topic };
  }

  return (chunk) => {
    const frames: MqttFrame[] = [];
    for (let at = 0; at < chunk.length; ) {
      if (missing === 0) {
        const frame = startPacket(chunk[at++] as number);
        packetBytes = header.length + missing;
        if (frame !== undefined) frames.push(frame);
        continue;
      }
      const part = chunk.subarray(at, at + missing);
      if (head.length < longestTopicBytes) head = Buffer.concat([head, part.subarray(0, longestTopicBytes - head.length)]);
      missing -= part.length;
      at += part.length;
      if (missing === 0) frames.push(endPacket(packetBytes));
    }
    return frames;
  };
}

function topicOf(head: Buffer): string {
  const length = head.length < 2 ? 0 : head.readUInt16BE(0);
  return head.subarray(2, 2 + length).toString('utf8');
}
