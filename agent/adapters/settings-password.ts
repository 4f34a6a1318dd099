import { randomBytes, type ScryptOptions, scrypt, timingSafeEqual } from 'node:crypto';
import { join } from 'node:path';
import * as z from 'zod/mini';
import { TsugiteError } from '../../protocol/errors.ts';
import { gatewayId, utcTime } from '../../protocol/fields.ts';
import { makeFolder } from './durable-file.ts';
import { makeJsonDocument } from './json-document.ts';

/** 16 MiB for a quarter of a second: what a small gateway can spare, and a guesser pays for each try (RFC 7914; five passes make up for the small N). */
const cost = { N: 16_384, r: 8, p: 5 } as const;
const hashBytes = 32;

const saved = z.strictObject({
  v: z.literal(1),
  gateway: gatewayId,
  salt: z.string().check(z.regex(/^[0-9a-f]{32}$/)),
  hash: z.string().check(z.regex(/^[0-9a-f]{64}$/)),
  cost: z.strictObject({ N: z.int(), r: z.int(), p: z.int() }),
  setAt: utcTime,
});
type Saved = z.infer<typeof saved>;

export type PasswordStore = {
  /** Unreadable is not unset: a worn flash cell must not let the next one who comes choose the password. */
  state(): 'unset' | 'set' | 'unreadable';
  /** @param password  already normalised  @throws TsugiteError DISK_FULL · STORE_IO (the old one still counts) */
  set(password: string): Promise<void>;
  matches(password: string): Promise<boolean>;
};

/** `<data>/identity/settings-password.json`, 0600: a hash. One that belongs to another identity is another household's. */
export function makePasswordStore(dataDir: string, { gateway, nowUtc }: { gateway: string; nowUtc: () => string }): PasswordStore {
  const folder = join(dataDir, 'identity');
  const document = makeJsonDocument<Saved>(join(folder, 'settings-password.json'), (value) => saved.parse(value), { mode: 0o600 });

  function load(): Saved | undefined {
    const known = document.load();
    return known?.gateway === gateway ? known : undefined;
  }

  return {
    state() {
      try {
        return load() === undefined ? 'unset' : 'set';
      } catch (error) {
        if (error instanceof TsugiteError) return 'unreadable';
        throw error;
      }
    },
    async set(password) {
      const salt = randomBytes(16);
      const hash = await derive(password, salt, cost);
      makeFolder(folder, 0o700);
      const next = saved.parse({ v: 1, gateway, salt: salt.toString('hex'), hash: hash.toString('hex'), cost, setAt: nowUtc() });
      document.save(next);
      document.save(next); // the kept copy too: the password before must not come back with it
    },
    async matches(password) {
      const known = load();
      if (known === undefined) return false;
      const hash = await derive(password, Buffer.from(known.salt, 'hex'), known.cost);
      return timingSafeEqual(hash, Buffer.from(known.hash, 'hex'));
    },
  };
}

function derive(password: string, salt: Buffer, options: ScryptOptions): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    scrypt(password, salt, hashBytes, options, (error, key) => (error === null ? resolve(key) : reject(error)));
  });
}
