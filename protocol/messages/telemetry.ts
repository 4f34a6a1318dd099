/**
 * Telemetry: one message a day, hourly samples. On the wire: one version byte, one dictionary byte, then a raw DEFLATE stream (RFC 1951) of the
 * columnar JSON below. Every field is listed here, so what leaves a home can be read in one place: no customer id, no LAN contents.
 */
import { deflateRawSync, inflateRawSync } from 'node:zlib';
import * as z from 'zod/mini';
import { TsugiteError } from '../errors.ts';
import { count, positive, randomId, utcTime } from '../fields.ts';
import { toCompactJson } from '../json.ts';
import { limits } from '../limits.ts';
import { readMessage } from '../read.ts';
import { ownNumbers } from './own-numbers.ts';
import { epoch } from './report.ts';

const column = z.array(z.int()).check(z.maxLength(48));
const targetColumns = z.strictObject({
  target: randomId,
  memoryPeakKiB: column,
  restarts: column,
  dataKiB: column,
  deniedConnections: column,
  /** Samples in which the software ran. */
  up: count,
  own: z.optional(ownNumbers),
});

/**
 * Each column holds one number a sample: the first as it is, the following as difference to the one before. A sample whose `rssKiB` is 0 was not
 * taken (the gateway was off), and all its other numbers are 0.
 */
export type Telemetry = z.infer<typeof telemetrySchema>;
export const telemetrySchema = z
  .strictObject({
    v: z.literal(1),
    epoch,
    from: utcTime,
    stepS: positive,
    agent: z.strictObject({ rssKiB: column, controlBytes: column, reconnects: column }),
    targets: z.array(targetColumns).check(z.maxLength(limits.targetsPerNotice)),
  })
  .check(
    z.refine(({ agent, targets }) => columnsOf({ agent, targets }).every((one) => one.length === agent.rssKiB.length && isCount(one)), {
      message: 'columns of different lengths, or a number below zero',
    }),
    z.refine(({ agent, targets }) => targets.every(({ up }) => up <= agent.rssKiB.length), { message: 'up longer than measured' }),
    z.refine(({ targets }) => new Set(targets.map(({ target }) => target)).size === targets.length, { message: 'a target twice' }),
  );

function columnsOf({ agent, targets }: Pick<Telemetry, 'agent' | 'targets'>): readonly number[][] {
  return [...Object.values(agent), ...targets.flatMap((one) => [one.memoryPeakKiB, one.restarts, one.dataKiB, one.deniedConnections])];
}

function isCount(differences: readonly number[]): boolean {
  return fromColumn(differences).every((value) => value >= 0 && Number.isSafeInteger(value));
}

/** Numbers as they travel. */
export function toColumn(values: readonly number[]): number[] {
  return values.map((value, at) => value - (values[at - 1] ?? 0));
}

export function fromColumn(differences: readonly number[]): number[] {
  let value = 0;
  return differences.map((difference) => (value += difference));
}

const wireVersion = 1;
/** Dictionaries that both sides hold, by the second byte. Number 0 is the empty one; a dictionary is never changed once a gateway has used it. */
const dictionaries: readonly Buffer[] = [
  Buffer.alloc(0),
  Buffer.from(
    '{"v":1,"epoch":"","from":"2026-01-01T00:00:00Z","stepS":3600,"agent":{"rssKiB":[],"controlBytes":[],"reconnects":[0,0,0,0,0,0,0,0]},"targets":[{"target":"","memoryPeakKiB":[],"restarts":[0,0,0,0,0,0,0,0],"dataKiB":[],"deniedConnections":[0,0,0,0,0,0,0,0],"up":24}]}',
  ),
];

export function encodeTelemetry(telemetry: Telemetry): Buffer {
  const dictionary = dictionaries.length - 1;
  return Buffer.concat([
    Buffer.from([wireVersion, dictionary]),
    deflateRawSync(toCompactJson(telemetry), { level: 9, dictionary: dictionaries[dictionary] }),
  ]);
}

/** @throws TsugiteError MESSAGE_MALFORMED (unknown version, dictionary, or stream) · JSON_NOT_COMPACT · MESSAGE_TOO_LARGE */
export function parseTelemetry(bytes: Uint8Array): Telemetry {
  if (bytes.byteLength > limits.telemetryBytes)
    throw new TsugiteError('MESSAGE_TOO_LARGE', { what: 'telemetry', limit: limits.telemetryBytes, actual: bytes.byteLength });
  const dictionary = dictionaries[bytes[1] ?? -1];
  if (bytes[0] !== wireVersion || dictionary === undefined)
    throw new TsugiteError('MESSAGE_MALFORMED', { what: 'telemetry', faults: [{ field: 'version or dictionary', fault: 'unknown' }] });
  return readMessage(inflate(bytes.subarray(2), dictionary), { schema: telemetrySchema, capBytes: limits.payloadBytes, what: 'telemetry' });
}

function inflate(body: Uint8Array, dictionary: Buffer): Buffer {
  try {
    return inflateRawSync(body, { dictionary, maxOutputLength: limits.payloadBytes });
  } catch (cause) {
    throw new TsugiteError(
      'MESSAGE_MALFORMED',
      { what: 'telemetry', faults: [{ field: 'body', fault: 'not a bounded DEFLATE stream' }] },
      { cause },
    );
  }
}
