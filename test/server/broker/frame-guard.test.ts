import fc from 'fast-check';
import { generate } from 'mqtt-packet';
import { expect, test } from 'vitest';
import { makeFrameGuard } from '../../../server/broker/frame-guard.ts';

const publish = (payloadBytes: number) =>
  generate({ cmd: 'publish', topic: 't', payload: Buffer.alloc(payloadBytes), qos: 0, dup: false, retain: false });

test('packets within the bound pass however the stream is cut into chunks', () => {
  fc.assert(
    fc.property(
      fc.array(fc.integer({ min: 0, max: 900 }), { maxLength: 6 }),
      fc.array(fc.integer({ min: 1, max: 400 }), { maxLength: 20 }),
      (sizes, cuts) => {
        const accepts = makeFrameGuard(1_000);
        let rest = Buffer.concat(sizes.map(publish));
        for (const cut of cuts) {
          expect(accepts(rest.subarray(0, cut))).toBe(true);
          rest = rest.subarray(cut);
        }
        expect(accepts(rest)).toBe(true);
      },
    ),
  );
});

test('a packet above the bound is refused at its length, before its body, however the stream is cut', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 0, max: 900 }),
      fc.integer({ min: 998, max: 70_000 }),
      fc.integer({ min: 1, max: 5 }),
      (before, tooLong, cut) => {
        const accepts = makeFrameGuard(1_000);
        accepts(publish(before));
        const head = publish(tooLong).subarray(0, 4);
        const verdicts = [accepts(head.subarray(0, cut)), accepts(head.subarray(cut))];
        expect(verdicts.at(-1)).toBe(false);
      },
    ),
  );
});

test('a length field of five bytes is no MQTT', () => {
  expect(makeFrameGuard(300_000_000)(Buffer.from([0x30, 0xff, 0xff, 0xff, 0xff, 0x01]))).toBe(false);
});
