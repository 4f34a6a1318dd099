import { join } from 'node:path';
import * as z from 'zod/mini';
import { TsugiteError } from '../../protocol/errors.ts';
import { gatewayId, randomId, utcTime } from '../../protocol/fields.ts';
import { limits } from '../../protocol/limits.ts';
import { ownNumbers } from '../../protocol/messages/own-numbers.ts';
import type { TelemetryStore } from '../ports/telemetry.ts';
import { finishedDaysKept, type Journal } from '../rules/telemetry/day.ts';
import { makeJsonDocument } from './json-document.ts';

const column = z.array(z.int().check(z.nonnegative())).check(z.maxLength(24));
const target = z.strictObject({
  target: randomId,
  memoryPeakKiB: column,
  restarts: column,
  dataKiB: column,
  deniedConnections: column,
  own: z.exactOptional(ownNumbers),
});
const journal = z.strictObject({
  v: z.literal(1),
  gateway: gatewayId,
  days: z
    .array(
      z.strictObject({
        from: utcTime,
        agent: z.strictObject({ rssKiB: column, controlBytes: column, reconnects: column }),
        targets: z.array(target).check(z.maxLength(limits.targetsPerNotice)),
      }),
    )
    .check(z.maxLength(finishedDaysKept + 2)),
  sentUntil: z.nullable(utcTime),
});

/** `<data>/telemetry.json`: some kB, written once an hour. What cannot be read begins anew: measurements must not keep an agent from its work. */
export function makeTelemetryStore(dataDir: string, onDamage: (error: TsugiteError) => void = () => {}): TelemetryStore {
  const document = makeJsonDocument<Journal>(join(dataDir, 'telemetry.json'), (value) => journal.parse(value), { onDamage });
  return {
    load() {
      try {
        return document.load();
      } catch (error) {
        if (!(error instanceof TsugiteError)) throw error;
        onDamage(error);
        return undefined;
      }
    },
    save: (value) => document.save(value),
  };
}
