import { closeSync, linkSync, openSync, renameSync, rmSync } from 'node:fs';
import net from 'node:net';
import { join } from 'node:path';
import { TsugiteError } from '../../protocol/errors.ts';
import type { FolderLock } from '../ports/disk.ts';
import { isErrno } from './durable-file.ts';

const name = 'agent.lock';

/**
 * One agent a data folder: a listening unix socket in it. The kernel ends it with its process, so a lock that was left behind is told from one
 * that is held by trying to connect; no pid could say that across pid namespaces, and none can be reused.
 */
export function makeFolderLock(dataDir: string): FolderLock {
  let server: net.Server | undefined;
  let folder: number | undefined;

  return {
    async take() {
      folder = openSync(dataDir, 'r');
      // A socket path holds 107 bytes; through the open folder it is short wherever the data are.
      const at = `/proc/self/fd/${folder}`;
      const own = `${name}.${process.pid}`;
      rmSync(join(at, own), { force: true });
      server = await listen(join(at, own));
      try {
        await takeName(at, own, dataDir);
      } catch (error) {
        server.close();
        throw error;
      } finally {
        rmSync(join(at, own), { force: true });
      }
    },
    release() {
      rmSync(join(dataDir, name), { force: true });
      server?.close();
      if (folder !== undefined) closeSync(folder);
    },
  };
}

/** True while an agent holds the folder. */
export async function isLocked(dataDir: string): Promise<boolean> {
  let folder: number;
  try {
    folder = openSync(dataDir, 'r');
  } catch {
    return false;
  }
  const answered = await answers(`/proc/self/fd/${folder}/${name}`);
  closeSync(folder);
  return answered;
}

async function takeName(at: string, own: string, dataDir: string): Promise<void> {
  for (let tries = 0; tries < 5; tries++) {
    try {
      linkSync(join(at, own), join(at, name));
      return;
    } catch (error) {
      if (!isErrno(error, 'EEXIST')) throw error;
    }
    if (await answers(join(at, name))) break;
    await removeStale(at, own);
  }
  throw new TsugiteError('ALREADY_RUNNING', { path: dataDir });
}

/** By a rename, which only one of two starting agents can do; should it have caught a lock that was just taken, it is given back. */
async function removeStale(at: string, own: string): Promise<void> {
  const stale = join(at, `${own}.stale`);
  try {
    renameSync(join(at, name), stale);
    if (await answers(stale)) linkSync(stale, join(at, name));
  } catch (error) {
    if (!isErrno(error, 'ENOENT') && !isErrno(error, 'EEXIST')) throw error;
  }
  rmSync(stale, { force: true });
}

function listen(path: string): Promise<net.Server> {
  return new Promise((resolve, reject) => {
    const server = net.createServer((socket) => socket.destroy());
    server.once('error', reject);
    server.listen(path, () => {
      server.unref();
      resolve(server);
    });
  });
}

function answers(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = net.connect(path);
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
  });
}
