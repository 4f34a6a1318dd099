/** Which servers the kit is logged in to, and with which tokens: one file, for its owner alone. */
import { chmodSync, mkdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import * as z from 'zod/mini';
import { TsugiteError } from '../../protocol/errors.ts';
import { isThere, readText, replaceFile } from './files.ts';

const text = (most: number) => z.string().check(z.minLength(1), z.maxLength(most));
const holder = {
  /** As the server calls whoever holds the token. */
  name: z.string().check(z.maxLength(200)),
  role: z.string().check(z.maxLength(50)),
  provider: z.nullable(z.string().check(z.maxLength(50))),
  expires: z.nullable(z.string().check(z.maxLength(50))),
};
const schema = z.strictObject({
  v: z.literal(1),
  /** The one that counts where none is named. */
  current: z.nullable(text(2000)),
  servers: z.record(
    text(2000),
    z.strictObject({
      ...holder,
      token: text(200),
      /** Of a server whose certificate no public authority issued. */
      caPem: z.exactOptional(z.string().check(z.maxLength(64 * 1024))),
    }),
  ),
});
/** What a server says of a token; more than that may stand in the answer. */
export type Holder = z.infer<typeof holderSchema>;
const holderSchema = z.object(holder);
export type Credentials = z.infer<typeof schema>;
export type Login = Credentials['servers'][string];

const nothing: Credentials = { v: 1, current: null, servers: {} };
const fileIn = (folder: string) => join(folder, 'servers.json');

/** @throws TsugiteError SERVER_UNREACHABLE: whatever answered is no distribution server */
export function parseHolder(answer: unknown): Holder {
  const parsed = holderSchema.safeParse(answer);
  if (!parsed.success) throw new TsugiteError('SERVER_UNREACHABLE', { kind: 'not-the-api' });
  return parsed.data;
}

/** @throws TsugiteError CONFIG_INVALID (its form, or others can read it) */
export function loadCredentials(folder: string): Credentials {
  const path = fileIn(folder);
  if (!isThere(path)) return nothing;
  const mode = statSync(path).mode & 0o777;
  const fault = (what: string) => new TsugiteError('CONFIG_INVALID', { path, faults: [{ field: path, fault: what }] });
  if ((mode & 0o077) !== 0) throw fault(`others may read it (mode ${mode.toString(8)}): chmod 600, and have the tokens replaced`);
  const parsed = schema.safeParse(parseJson(readText(path)));
  if (!parsed.success) throw fault('not in the form that tsugite login writes: remove it and log in again');
  return parsed.data;
}

export function saveCredentials(folder: string, credentials: Credentials): void {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  chmodSync(folder, 0o700);
  replaceFile(fileIn(folder), `${JSON.stringify(credentials, undefined, 2)}\n`, 0o600);
}

function parseJson(content: string): unknown {
  try {
    return JSON.parse(content);
  } catch {
    return undefined;
  }
}
