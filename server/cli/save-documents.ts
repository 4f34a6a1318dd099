/** The papers of closed months, brought to a folder: each is whole and as it was closed, or is not there. */
import { createHash } from 'node:crypto';
import { createReadStream, createWriteStream, existsSync, mkdirSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { TsugiteError } from '../../protocol/errors.ts';
import type { ApiClient } from './api-client.ts';

export type Invoice = {
  readonly provider: string;
  readonly number: string;
  readonly totalYen: number;
  readonly taxYen: number;
  readonly software: number;
  readonly targets: number;
  readonly lines: number;
  readonly documents: readonly { readonly kind: string; readonly file: string; readonly bytes: number; readonly sha256: string }[];
};

/**
 * Safe to do twice: what lies there already, with the same bytes, stays.
 *
 * @returns the paths, in the order of the invoices
 * @throws TsugiteError FILE_EXISTS (another file has that name; nothing is overwritten) · FILE_UNREADABLE · BILLING_DOCUMENT_DAMAGED
 */
export async function saveDocuments(api: ApiClient, month: string, invoices: readonly Invoice[], folder: string): Promise<string[]> {
  const paths: string[] = [];
  makeFolder(folder);
  for (const { provider, documents } of invoices)
    for (const { kind, file, sha256 } of documents) {
      const path = join(folder, file);
      if (!existsSync(path)) await fetchOne(api, `/billing/months/${month}/invoices/${provider}/${kind}`, path, sha256);
      else if ((await digestOf(path)) !== sha256) throw new TsugiteError('FILE_EXISTS', { path });
      paths.push(path);
    }
  return paths;
}

async function fetchOne(api: ApiClient, from: string, path: string, sha256: string): Promise<void> {
  const partial = `${path}.part`;
  const hash = createHash('sha256');
  const hashing = new Transform({
    transform(bytes: Buffer, _encoding, done) {
      hash.update(bytes);
      done(null, bytes);
    },
  });
  try {
    const body = await api.download(from);
    await pipeline(body, hashing, createWriteStream(partial, { mode: 0o640, flush: true })).catch(faultOf(path));
    const found = hash.digest('hex');
    if (found !== sha256) throw new TsugiteError('BILLING_DOCUMENT_DAMAGED', { path, expected: sha256, found });
    renameSync(partial, path);
  } finally {
    rmSync(partial, { force: true });
  }
}

async function digestOf(path: string): Promise<string> {
  const hash = createHash('sha256');
  await pipeline(createReadStream(path), hash).catch(faultOf(path));
  return hash.digest('hex');
}

function makeFolder(folder: string): void {
  try {
    mkdirSync(folder, { recursive: true, mode: 0o750 });
  } catch (cause) {
    throw new TsugiteError('FILE_UNREADABLE', { path: folder }, { cause });
  }
}

function faultOf(path: string): (cause: Error) => never {
  return (cause) => {
    throw new TsugiteError('FILE_UNREADABLE', { path }, { cause });
  };
}
