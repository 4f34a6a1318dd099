import { createHash, type Hash } from 'node:crypto';
import { existsSync, readFileSync, rmSync, statfsSync, statSync, writeFileSync } from 'node:fs';
import { type FileHandle, open, rename } from 'node:fs/promises';
import path from 'node:path';
import { TsugiteError } from '../../protocol/errors.ts';
import type { PartFile, PartFiles, PartNote } from '../ports/network.ts';

const hashChunkBytes = 256 * 1024;

const partOf = (file: string) => `${file}.part`;
const noteOf = (file: string) => `${file}.part.json`;

/** Files on their way: `<path>.part` with a note beside it, both ours alone to read. */
export function makePartFiles(): PartFiles {
  return {
    sizeOf: (file) => statSync(partOf(file), { throwIfNoEntry: false })?.size ?? 0,
    loadNote(file) {
      return existsSync(noteOf(file)) ? readNote(noteOf(file)) : undefined;
    },
    saveNote(file, note) {
      // Lost, torn by a power cut, or not written on a full disk, it costs one more request: nothing is trusted because of it.
      try {
        writeFileSync(noteOf(file), JSON.stringify(note), { mode: 0o600 });
      } catch {
        rmSync(noteOf(file), { force: true });
      }
    },
    open: openPart,
    remove(file) {
      rmSync(partOf(file), { force: true });
      rmSync(noteOf(file), { force: true });
    },
  };
}

function readNote(file: string): PartNote | undefined {
  try {
    const { etag, day, attempts, bytes } = JSON.parse(readFileSync(file, 'utf8')) as Partial<PartNote>;
    if (typeof day !== 'string' || !Number.isSafeInteger(attempts) || !Number.isSafeInteger(bytes)) return undefined;
    return { day, attempts: attempts as number, bytes: bytes as number, ...(typeof etag === 'string' ? { etag } : {}) };
  } catch {
    return undefined;
  }
}

async function openPart(file: string): Promise<PartFile> {
  const handle = await open(partOf(file), 'a+', 0o600);
  let hash = createHash('sha256');
  let bytes = await hashExisting(handle, hash);
  let isOpen = true;

  return {
    get bytes() {
      return bytes;
    },
    async append(chunk) {
      await onDisk(file, chunk.length, () => writeWhole(handle, chunk));
      hash.update(chunk);
      bytes += chunk.length;
    },
    async restart() {
      await handle.truncate(0);
      hash = createHash('sha256');
      bytes = 0;
    },
    sha256: () => hash.copy().digest('hex'),
    async finish() {
      await onDisk(file, 0, () => handle.sync());
      await rename(partOf(file), file);
      const folder = await open(path.dirname(file), 'r');
      await folder.sync().finally(() => folder.close());
      rmSync(noteOf(file), { force: true });
    },
    async close() {
      if (!isOpen) return;
      isOpen = false;
      await handle.close();
    },
  };
}

/** After a restart the bytes on disk are what counts, so they are what is hashed. */
async function hashExisting(handle: FileHandle, hash: Hash): Promise<number> {
  const chunk = Buffer.allocUnsafe(hashChunkBytes);
  for (let at = 0; ; ) {
    const { bytesRead } = await handle.read(chunk, 0, chunk.length, at);
    if (bytesRead === 0) return at;
    hash.update(chunk.subarray(0, bytesRead));
    at += bytesRead;
  }
}

async function writeWhole(handle: FileHandle, chunk: Buffer): Promise<void> {
  for (let at = 0; at < chunk.length; ) at += (await handle.write(chunk, at)).bytesWritten;
}

async function onDisk(file: string, needBytes: number, act: () => Promise<void>): Promise<void> {
  try {
    await act();
  } catch (cause) {
    const code = (cause as NodeJS.ErrnoException).code;
    if (code === 'ENOSPC' || code === 'EDQUOT')
      throw new TsugiteError('STORE_NO_SPACE', { need: needBytes, free: freeBytes(file) }, { cause });
    throw new TsugiteError('STORE_IO', { kind: code ?? 'write' }, { cause });
  }
}

function freeBytes(file: string): number {
  const { bavail, bsize } = statfsSync(path.dirname(file));
  return bavail * bsize;
}
