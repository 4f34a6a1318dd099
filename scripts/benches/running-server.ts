/** A real server with its private, durable PostgreSQL on free ports, and nobody connected to it. Ended with `stop`, and with us. */
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { openDatabase } from '../../server/adapters/database.ts';
import type { Db } from '../../server/ports.ts';
import { startServer, stopped, tellProgram } from '../story/programs.ts';

export type RunningServer = {
  readonly folder: string;
  readonly api: string;
  /** For verbs: where the server is, and who asks. */
  readonly environment: { readonly TSUGITE_SERVER: string; readonly TSUGITE_TOKEN: string };
  readonly db: Db;
};

export async function withRunningServer<Result>(config: object, job: (server: RunningServer) => Promise<Result>): Promise<Result> {
  const folder = mkdtempSync(path.join(tmpdir(), 'tsugite-bench-'));
  chmodSync(folder, 0o711); // PostgreSQL's account passes through
  const [data, configFile, tokenFile] = [path.join(folder, 'data'), path.join(folder, 'server.json'), path.join(folder, 'token')];
  const anyPort = { port: 0 };
  writeFileSync(
    configFile,
    JSON.stringify({ people: anyPort, gateways: { https: anyPort, mqtt: anyPort }, log: { level: 'warn' }, ...config }),
  );
  await tellProgram('server', ['init', '--data', data, '--config', configFile, '--token-out', tokenFile]);
  const { child, said } = await startServer(['run', '--data', data, '--config', configFile]);
  process.once('exit', () => {
    child.kill('SIGKILL');
    rmSync(folder, { recursive: true, force: true });
  });
  const db = openDatabase({ host: path.join(data, 'postgres', 'run'), database: 'postgres', user: 'tsugite' });
  try {
    const api = String(said.api);
    const environment = { TSUGITE_SERVER: api, TSUGITE_TOKEN: readFileSync(tokenFile, 'utf8').trim() };
    return await job({ folder, api, environment, db });
  } finally {
    await db.close();
    await stopped(child, 10_000);
    rmSync(folder, { recursive: true, force: true });
  }
}
