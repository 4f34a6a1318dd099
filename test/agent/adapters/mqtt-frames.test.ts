import fc from 'fast-check';
import mqttPacket, { type Packet } from 'mqtt-packet';
import { expect, test } from 'vitest';
import { makeFrameScanner } from '../../../agent/adapters/mqtt-frames.ts';

const connack: Packet = { cmd: 'connack', returnCode: 0, sessionPresent: false };
const pingresp: Packet = { cmd: 'pingresp' };
const puback: Packet = { cmd: 'puback', messageId: 7 };
const publish = (topic: string, bytes: number, qos: 0 | 1 = 1): Packet => ({
  cmd: 'publish',
  topic,
  payload: Buffer.alloc(bytes, 'x'),
  qos,
  dup: false,
  retain: false,
  ...(qos === 0 ? {} : { messageId: 1 }),
});

test('each packet is told once, with its length and topic, however the stream is cut', () => {
  const packets = [
    connack,
    publish('tsugite/1/gw-0001/notice', 3_000),
    pingresp,
    publish('tsugite/1/gw-0001/ack', 0, 0),
    puback,
    publish('a', 127),
    publish('b', 16_400),
  ];
  const bytes = packets.map((packet) => mqttPacket.generate(packet));
  const stream = Buffer.concat(bytes);
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 1, max: 5_000 }), { minLength: 1, maxLength: 40 }), (cuts) => {
      const scan = makeFrameScanner(20_000);
      const frames = [];
      for (let at = 0, n = 0; at < stream.length; n++) {
        const size = cuts[n % cuts.length] as number;
        frames.push(...scan(stream.subarray(at, at + size)));
        at += size;
      }
      expect(frames.map((frame) => frame.bytes)).toEqual(bytes.map((packet) => packet.length));
      expect(frames.map(({ type, topic }) => topic ?? type)).toEqual([
        2,
        'tsugite/1/gw-0001/notice',
        13,
        'tsugite/1/gw-0001/ack',
        4,
        'a',
        'b',
      ]);
    }),
    { numRuns: 50 },
  );
});

test('a length above the cap is refused when it is announced, before its bytes come', () => {
  const head = mqttPacket.generate(publish('a', 20_000)).subarray(0, 4);
  expect(() => makeFrameScanner(20_000)(head)).toThrow(
    expect.objectContaining({ code: 'MESSAGE_TOO_LARGE', detail: expect.objectContaining({ actual: 20_009 }) }),
  );
});

test('a length of more than four bytes is refused', () => {
  expect(() => makeFrameScanner(20_000)(Buffer.from([0x30, 0xff, 0xff, 0xff, 0xff, 0x7f]))).toThrow(
    expect.objectContaining({ code: 'MESSAGE_TOO_LARGE' }),
  );
});
