import { join } from 'node:path';
import * as z from 'zod/mini';
import type { TsugiteError } from '../../protocol/errors.ts';
import type { LedgerStore } from '../ports/network.ts';
import type { Ledger } from '../rules/ledger.ts';
import { makeJsonDocument } from './json-document.ts';

const bytes = z.int().check(z.nonnegative());
const ledger = z.strictObject({
  v: z.literal(1),
  month: z.string().check(z.regex(/^\d{4}-\d{2}$/)),
  packageBytes: bytes,
  bytes: z.strictObject({ connect: bytes, keepalive: bytes, notice: bytes, report: bytes, telemetry: bytes, fetch: bytes, retry: bytes }),
});

/** `<data>/ledger.json`. A damaged one starts anew: it must not keep a gateway from hearing a stop. */
export function makeLedgerStore(dataDir: string, onDamage: (error: unknown) => void = () => {}): LedgerStore {
  const document = makeJsonDocument<Ledger>(join(dataDir, 'ledger.json'), (value) => ledger.parse(value), {
    onDamage: (error: TsugiteError) => onDamage(error),
  });
  return {
    load() {
      try {
        return document.load();
      } catch (error) {
        onDamage(error);
        return undefined;
      }
    },
    save: (value) => document.save(value),
  };
}
