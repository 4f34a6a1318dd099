/** The server's data folder: where everything lies, and who may read it. */
import { createHash, createPrivateKey, type KeyObject } from 'node:crypto';
import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { basename, join, resolve } from 'node:path';
import { TsugiteError } from '../../protocol/errors.ts';
import type { Authority } from '../ports.ts';

export type DataFolder = ReturnType<typeof dataFolder>;

export function dataFolder(dir: string) {
  const root = resolve(dir);
  const pki = join(root, 'pki');
  return {
    root,
    /** There from init's first step to its last: what it has made so far was never used and may go. */
    unfinished: join(root, 'initialising'),
    /** There from a restore's first step to its last. */
    restoring: join(root, 'restoring'),
    /** Made last by init and restore: without it nothing here is trusted to be whole. */
    marker: join(root, 'initialised'),
    postgres: join(root, 'postgres'),
    config: join(root, 'config.json'),
    lock: join(root, 'server.pid'),
    auditHeads: join(root, 'audit-heads'),
    packages: join(root, 'packages'),
    bundles: join(root, 'bundles'),
    offlineRoot: join(root, 'offline-root'),
    pki,
    noticeKey: join(pki, 'notice.key.pem'),
    providerCa: join(pki, 'provider-ca'),
    deviceCa: join(pki, 'device-ca'),
    serverCa: join(pki, 'server-ca'),
    server: join(pki, 'server'),
    /** This server's own certificate for an outside broker: there once `pki mosquitto` was asked. */
    brokerClient: join(pki, 'broker-client'),
  };
}

/** The same after a restart, and another one for every data folder and every machine, copies included. */
export function serverName(folder: DataFolder): string {
  return createHash('sha256').update(`${hostname()} ${folder.root}`).digest('hex').slice(0, 12);
}

export function isInitialised(folder: DataFolder): boolean {
  return existsSync(folder.marker);
}

/** @throws TsugiteError NOT_INITIALISED */
export function verifyInitialised(folder: DataFolder): void {
  if (!isInitialised(folder)) throw new TsugiteError('NOT_INITIALISED', { path: folder.root });
}

/**
 * Makes the folders, empty. Only what an init that was cut short left behind is ever removed: keys that were in use stay, whatever is missing beside them.
 *
 * @throws TsugiteError FILE_EXISTS when there is, or was, an installation
 */
export function beginDataFolder(folder: DataFolder): void {
  const made = [folder.pki, folder.offlineRoot, folder.packages, folder.bundles];
  const isCutShort = existsSync(folder.unfinished) && !isInitialised(folder);
  if (isCutShort) for (const path of [...made, folder.postgres]) rmSync(path, { recursive: true, force: true });
  if (isInitialised(folder) || [...made, folder.postgres].some(existsSync)) throw new TsugiteError('FILE_EXISTS', { path: folder.root });
  makeRoot(folder);
  if (!isCutShort) saveText(folder.unfinished, '');
  for (const path of made) mkdirSync(path, { mode: 0o700 });
}

/** PostgreSQL's uid passes through; nobody lists it. */
export function makeRoot(folder: DataFolder): void {
  mkdirSync(folder.root, { recursive: true });
  chmodSync(folder.root, 0o711);
}

/**
 * A new folder for a restore, or an empty one, or what a restore that was cut short has left; that goes.
 *
 * @throws TsugiteError FILE_EXISTS
 */
export function beginRestore(folder: DataFolder): void {
  const isCutShort = existsSync(folder.restoring) && !isInitialised(folder);
  const own = [folder.lock, folder.restoring].map((path) => basename(path));
  const others = existsSync(folder.root) ? readdirSync(folder.root).filter((name) => !own.includes(name)) : [];
  if (others.length > 0 && !isCutShort) throw new TsugiteError('FILE_EXISTS', { path: folder.root });
  if (!isCutShort) saveText(folder.restoring, '');
  for (const name of others) rmSync(join(folder.root, name), { recursive: true, force: true });
  for (const path of [folder.pki, folder.packages, folder.bundles]) mkdirSync(path, { mode: 0o700 });
}

export function finishDataFolder(folder: DataFolder, nowMs: number): void {
  saveText(folder.marker, `${new Date(nowMs).toISOString()}\n`);
  rmSync(folder.unfinished, { force: true });
  rmSync(folder.restoring, { force: true });
}

export function savePrivateKey(path: string, key: KeyObject): void {
  writeFileSync(path, key.export({ type: 'pkcs8', format: 'pem' }), { mode: 0o600, flag: 'wx', flush: true });
}

export function saveText(path: string, text: string, mode = 0o644): void {
  writeFileSync(path, text, { mode, flag: 'wx', flush: true });
}

/** `NAME.pem` and `NAME.key.pem`. */
export function saveAuthority(path: string, { certPem, key }: Authority): void {
  savePrivateKey(`${path}.key.pem`, key);
  saveText(`${path}.pem`, certPem);
}

/** @throws TsugiteError KEY_UNUSABLE */
export function loadAuthority(path: string): Authority {
  return { certPem: readText(`${path}.pem`), key: loadPrivateKey(`${path}.key.pem`) };
}

export function loadPrivateKey(path: string): KeyObject {
  try {
    return createPrivateKey(readText(path));
  } catch (cause) {
    if (cause instanceof TsugiteError) throw cause;
    throw new TsugiteError('KEY_UNUSABLE', { path, at: 'not a private key in PEM' }, { cause });
  }
}

export function readText(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (cause) {
    throw new TsugiteError('FILE_UNREADABLE', { path }, { cause });
  }
}
