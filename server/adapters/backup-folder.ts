/**
 * A backup is a folder: files, `manifest.json` that lists them with their digests, and `manifest.sha256`. It grows beside its place and is renamed last,
 * so a folder of that name is a finished one. It holds keys and customer data: nobody but its owner may look inside.
 */
import { createHash } from 'node:crypto';
import { createReadStream, createWriteStream, existsSync, readdirSync, rmSync } from 'node:fs';
import { mkdir, readFile, rename, rm, statfs, writeFile } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import * as z from 'zod/mini';
import { TsugiteError } from '../../protocol/errors.ts';
import { syncFileSystem } from './sync.ts';

const manifestFile = 'manifest.json';
const digestFile = 'manifest.sha256';
const manifestBytes = 256 * 1024 * 1024;
const chunkBytes = 1024 * 1024;

const text = z.string().check(z.minLength(1), z.maxLength(500));
const digest = z.string().check(z.regex(/^[0-9a-f]{64}$/));
const count = z.int().check(z.gte(0));
/** Below the folder, and nowhere else: whoever wrote a manifest must not choose where a restore writes. */
const path = z.string().check(
  z.maxLength(1000),
  z.refine((value) => value.split('/').every((part) => part !== '' && part !== '.' && part !== '..' && !/[\0\\]/.test(part)), 'not a path'),
);
const manifestSchema = z.strictObject({
  v: z.literal(1),
  id: text,
  madeAt: z.iso.datetime(),
  program: text,
  database: z.discriminatedUnion('kind', [
    z.strictObject({ kind: z.literal('embedded'), engine: text, migrations: z.array(text) }),
    z.strictObject({ kind: z.literal('elsewhere') }),
  ]),
  /** The end of the audit log, at least, of what it holds. */
  audit: z.nullable(z.strictObject({ seq: count, hash: digest })),
  rootVersion: count,
  folders: z.array(path),
  files: z.array(z.strictObject({ path, bytes: count, sha256: digest })),
});
export type BackupManifest = z.infer<typeof manifestSchema>;
export type BackupFacts = Omit<BackupManifest, 'v' | 'folders' | 'files'>;
type Copied = { readonly bytes: number; readonly sha256: string };

export type BackupWriter = Awaited<ReturnType<typeof makeBackupFolder>>;

/**
 * @param place  absent; its folder must be there
 * @throws TsugiteError FILE_EXISTS · FILE_UNREADABLE
 */
export async function makeBackupFolder(place: string) {
  const out = resolve(place);
  if (existsSync(out)) throw new TsugiteError('FILE_EXISTS', { path: out });
  if (!existsSync(dirname(out))) throw new TsugiteError('FILE_UNREADABLE', { path: dirname(out) });
  removeAbandoned(out);
  const growing = `${out}.unfinished-${process.pid}`;
  await mkdir(growing, { mode: 0o700 });
  const folders: string[] = [];
  const files: (Copied & { path: string })[] = [];

  async function folder(below: string): Promise<void> {
    if (below === '.' || folders.includes(below)) return;
    await folder(dirname(below));
    await mkdir(join(growing, below), { mode: 0o700 });
    folders.push(below);
  }

  return {
    folder,
    /** @returns false when the file has gone meanwhile */
    copy: async (from: string, to: string): Promise<boolean> => {
      await folder(dirname(to));
      const copied = await copyFile(from, join(growing, to)).catch(goneIsNothing);
      if (copied !== undefined) files.push({ path: to, ...copied });
      return copied !== undefined;
    },
    write: async (to: string, content: string): Promise<void> => {
      await folder(dirname(to));
      await writeFile(join(growing, to), content, { mode: 0o600, flag: 'wx' });
      files.push({ path: to, bytes: Buffer.byteLength(content), sha256: createHash('sha256').update(content).digest('hex') });
    },
    /** Its content is on the disk, then it has its name, then the name is. */
    finish: async (facts: BackupFacts): Promise<{ manifest: BackupManifest; sha256: string }> => {
      const manifest = manifestSchema.parse({ v: 1, ...facts, folders, files });
      const content = `${JSON.stringify(manifest, null, 1)}\n`;
      const sha256 = createHash('sha256').update(content).digest('hex');
      await writeFile(join(growing, manifestFile), content, { mode: 0o600, flag: 'wx' });
      await writeFile(join(growing, digestFile), `${sha256}  ${manifestFile}\n`, { mode: 0o600, flag: 'wx' });
      syncFileSystem(growing);
      if (existsSync(out)) throw new TsugiteError('FILE_EXISTS', { path: out });
      await rename(growing, out);
      syncFileSystem(dirname(out));
      return { manifest, sha256 };
    },
    abandon: () => rm(growing, { recursive: true, force: true }),
  };
}

/**
 * @param sha256  of the manifest, when it was kept: without it a backup shows damage, but not what somebody changed on purpose
 * @throws TsugiteError BACKUP_UNUSABLE
 */
export async function openBackup(place: string, sha256?: string) {
  const folder = resolve(place);
  const unusable = (at: string | undefined, more = {}) => new TsugiteError('BACKUP_UNUSABLE', { path: folder, ...(at && { at }), ...more });
  const content = await readBounded(join(folder, manifestFile), manifestBytes).catch(() => undefined);
  const told = await readBounded(join(folder, digestFile), 1_000).catch(() => undefined);
  if (content === undefined || told === undefined || folder.includes('.unfinished-')) throw unusable(undefined, { kind: 'incomplete' });
  const found = createHash('sha256').update(content).digest('hex');
  if (found !== told.slice(0, 64)) throw unusable(manifestFile);
  if (sha256 !== undefined && sha256 !== found) throw unusable(manifestFile, { expected: sha256, found });
  const parsed = parse(content);
  if (parsed === undefined) throw unusable(manifestFile, { kind: 'newer' });

  return {
    folder,
    manifest: parsed,
    sha256: found,
    totalBytes: parsed.files.reduce((sum, { bytes }) => sum + bytes, 0),
    /** Copies, or only reads, one file of the list, and proves that it is what was backed up. */
    take: async (file: BackupManifest['files'][number], to?: string): Promise<void> => {
      const copied = await copyFile(join(folder, file.path), to).catch((cause: NodeJS.ErrnoException) => {
        throw cause.code === 'ENOENT' ? unusable(file.path) : cause;
      });
      if (copied.sha256 !== file.sha256) throw unusable(file.path, { expected: file.sha256, found: copied.sha256 });
    },
  };
}
export type Backup = Awaited<ReturnType<typeof openBackup>>;

/** @throws TsugiteError DISK_FULL when `path`'s file system has less room than that, and a little more */
export async function verifyRoom(path: string, bytes: number): Promise<void> {
  const { bavail, bsize } = await statfs(path);
  const limit = Math.ceil(bytes * 1.02) + 64 * 1024 * 1024;
  if (bavail * bsize < limit) throw new TsugiteError('DISK_FULL', { path, limit, actual: bavail * bsize });
}

function parse(content: string): BackupManifest | undefined {
  try {
    return manifestSchema.parse(JSON.parse(content));
  } catch {
    return undefined;
  }
}

/** In a bounded piece of memory, hashing on the way. */
async function copyFile(from: string, to: string | undefined): Promise<Copied> {
  const hash = createHash('sha256');
  let bytes = 0;
  const meter = new Transform({
    transform: (chunk: Buffer, _, done) => {
      bytes += chunk.length;
      hash.update(chunk);
      done(null, to === undefined ? undefined : chunk);
    },
  });
  const source = createReadStream(from, { highWaterMark: chunkBytes });
  try {
    if (to === undefined) {
      meter.resume();
      await pipeline(source, meter);
    } else await pipeline(source, meter, createWriteStream(to, { flags: 'wx', mode: 0o600 }));
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (to !== undefined && code !== 'EEXIST') await rm(to, { force: true });
    if (code === 'ENOSPC' || code === 'EDQUOT') throw new TsugiteError('DISK_FULL', { path: to }, { cause: error });
    if (code === 'EACCES' || code === 'EPERM') throw new TsugiteError('FILE_UNREADABLE', { path: from }, { cause: error });
    throw error;
  }
  return { bytes, sha256: hash.digest('hex') };
}

function goneIsNothing(error: NodeJS.ErrnoException): undefined {
  if (error.code !== 'ENOENT') throw error;
}

async function readBounded(file: string, limit: number): Promise<string> {
  const content = await readFile(file);
  if (content.length > limit) throw new Error('too large');
  return content.toString('utf8');
}

/** What a killed backup to the same place left: the process that made it is gone. */
function removeAbandoned(out: string): void {
  for (const name of readdirSync(dirname(out))) {
    const [, pid] = name.startsWith(`${basename(out)}.`) ? (/\.unfinished-(\d+)$/.exec(name) ?? []) : [];
    if (pid !== undefined && !existsSync(`/proc/${pid}`)) rmSync(join(dirname(out), name), { recursive: true, force: true });
  }
}
