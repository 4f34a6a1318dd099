/** `tsugite-server` run by its command line alone: what it prints, its exit code, and what it leaves behind. */
import { type ChildProcess, execFileSync, spawn, spawnSync } from 'node:child_process';
import { chmodSync, cpSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { build } from 'esbuild';
import type { Connection } from '../../server/adapters/database.ts';
import { aDebianPostgres } from './debian-postgres.ts';
import { onceARun } from './once-a-run.ts';
import { copyDatabase, isOnDebian } from './postgres.ts';
import { besideLibraries } from './run-folder.ts';

/** Bundled once a run. */
export async function serverFile(): Promise<string> {
  await onceARun('server-is-built', async () => {
    await build({
      entryPoints: { main: 'server/main.ts', 'broker-worker': 'server/broker/worker.ts' },
      outdir: besideLibraries(),
      bundle: true,
      platform: 'node',
      format: 'esm',
      target: 'node20',
      packages: 'external',
      logLevel: 'error',
    });
  });
  return path.join(besideLibraries(), 'main.js');
}

export type Ran = { code: number | null; out: string; err: string; json: Record<string, unknown> };

/** The environment of installations whose database is not their own, by data folder. */
const elsewhere = new Map<string, Record<string, string>>();

/** Where an installation's database is. */
export function databaseOf(dir: string): Connection {
  const url = elsewhere.get(dir)?.DATABASE_URL;
  return url === undefined ? { host: path.join(dir, 'postgres', 'run'), database: 'postgres', user: 'tsugite' } : { connectionString: url };
}

/** Runs a verb to its end. */
export async function runVerb(args: readonly string[], environment: Record<string, string> = {}): Promise<Ran> {
  const own = elsewhere.get(args[args.indexOf('--data') + 1] ?? '');
  const env = { ...process.env, ...own, ...environment };
  // A verb that should have been refused, `run` above all, must not hold up the tests for ever.
  const result = spawnSync(process.execPath, [await serverFile(), ...args], {
    encoding: 'utf8',
    env,
    timeout: 50_000,
    killSignal: 'SIGKILL',
  });
  const json = args.includes('--json') && result.stdout !== '' ? (JSON.parse(result.stdout) as Record<string, unknown>) : {};
  return { code: result.status, out: result.stdout, err: result.stderr, json };
}

/** Starts a verb; this process goes on meanwhile. */
export async function startVerb(args: readonly string[], environment: Record<string, string> = {}) {
  const child = spawn(process.execPath, [await serverFile(), ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, ...environment },
  });
  let out = '';
  let err = '';
  child.stdout.on('data', (bytes) => {
    out += bytes;
  });
  child.stderr.on('data', (bytes) => {
    err += bytes;
  });
  const ended = new Promise<Ran>((resolve) =>
    child.once('close', (code) =>
      resolve({ code, out, err, json: args.includes('--json') && out !== '' ? (JSON.parse(out) as Record<string, unknown>) : {} }),
    ),
  );
  return { process: child, err: () => err, ended };
}

/** A new installation whose three ports are any free ones: the copy of one that `init` made in this run, unless its database is elsewhere. */
export async function anInstallation(dir: string, environment: Record<string, string> = {}): Promise<{ token: string }> {
  if (Object.keys(environment).length > 0) return install(dir, environment);
  if (isOnDebian) {
    const postgres = await aDebianPostgres(); // ends with this worker
    elsewhere.set(dir, { DATABASE_URL: postgres.url() });
    return install(dir);
  }
  const template = await onceARun('installation', async (folder) => {
    const { token } = await install(path.join(folder, 'data'));
    writeFileSync(path.join(folder, 'token'), token);
  });
  const data = path.join(template, 'data');
  cpSync(data, dir, { recursive: true, filter: (file) => path.relative(data, file) !== 'postgres' });
  chmodSync(dir, 0o711); // PostgreSQL's account passes through
  copyDatabase(data, dir);
  return { token: readFileSync(path.join(template, 'token'), 'utf8') };
}

async function install(dir: string, environment: Record<string, string> = {}): Promise<{ token: string }> {
  const made = await runVerb(['init', '--data', dir, '--operator-name', '試験運用者', '--json'], environment);
  if (made.code !== 0) throw new Error(made.out + made.err);
  const anyPort = { port: 0 };
  writeFileSync(path.join(dir, 'config.json'), JSON.stringify({ people: anyPort, gateways: { https: anyPort, mqtt: anyPort } }));
  return { token: String(made.json.operatorToken) };
}

export type RunningServer = {
  readonly api: string;
  readonly https: string;
  readonly mqtt: string;
  readonly process: ChildProcess;
  readonly log: () => string;
  ended(): Promise<number | string>;
};

export async function startServer(dir: string, environment: Record<string, string> = {}): Promise<RunningServer> {
  const child = spawn(process.execPath, [await serverFile(), 'run', '--data', dir, '--json'], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, ...elsewhere.get(dir), ...environment },
  });
  let out = '';
  let err = '';
  const over = new Promise<number | string>((resolve) => child.once('close', (code, signal) => resolve(code ?? signal ?? 'unknown')));
  child.stderr.on('data', (bytes) => {
    err += bytes;
  });
  const started = new Promise<undefined>((resolve) =>
    child.stdout.on('data', (bytes) => {
      out += bytes;
      if (out.includes('\n')) resolve(undefined);
    }),
  );
  const early = await Promise.race([started, over]);
  if (early !== undefined) throw new Error(`the server ended with ${early}: ${out}${err}`);
  const addresses = JSON.parse(out.slice(0, out.indexOf('\n'))) as { api: string; https: string; mqtt: string };
  return { ...addresses, process: child, log: () => err, ended: () => over };
}

export async function askApi(
  api: string,
  token: string,
  method: 'GET' | 'POST',
  url: string,
  body?: object,
): Promise<{ status: number; body: Record<string, unknown> }> {
  const response = await fetch(`${api}/api/v1${url}`, {
    method,
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  return { status: response.status, body: (await response.json()) as Record<string, unknown> };
}

/** The postmaster of a data folder, if one runs. */
export function postmasterOf(dir: string): { pid: number; uid: number } | undefined {
  try {
    const pid = Number(readFileSync(path.join(dir, 'postgres', 'cluster', 'postmaster.pid'), 'utf8').split('\n')[0]);
    const uid = execFileSync('ps', ['-o', 'uid=', '-p', String(pid)], { encoding: 'utf8' });
    return { pid, uid: Number(uid) };
  } catch {
    return undefined;
  }
}
