/** Writes the payload synchronously: an asynchronous write a file costs ten times as much on small files, and nobody else waits here. */
import { closeSync, mkdirSync, openSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { TsugiteError } from '../../protocol/errors.ts';
import type { PayloadSink } from '../../protocol/package/payload-reader.ts';

/** @param folder  fresh and empty; every name is new (`wx`), so nothing is ever written through something that was there */
export function makeStagingSink(folder: string): PayloadSink {
  return {
    folder: (name) => onDisk(() => mkdirSync(join(folder, name), { mode: 0o755 })),
    file: ({ name, isExecutable }) => {
      const descriptor = onDisk(() => openSync(join(folder, name), 'wx', isExecutable ? 0o755 : 0o644));
      return {
        write: (bytes) =>
          onDisk(() => {
            for (let at = 0; at < bytes.length; ) at += writeSync(descriptor, bytes, at);
          }),
        end: () => onDisk(() => closeSync(descriptor)),
      };
    },
  };
}

/** The file systems of a gateway fill up and break; the package is not to blame for either. */
function onDisk<Result>(job: () => Result): Result {
  try {
    return job();
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    const isFull = code === 'ENOSPC' || code === 'EDQUOT';
    throw new TsugiteError(isFull ? 'DISK_FULL' : 'STORE_IO', { errno: code, kind: 'staging' }, { cause });
  }
}
