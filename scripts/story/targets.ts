/** Orders and what became of them, as the operator sees it, and as the gateway's disk, page and log show it. */
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync, readlinkSync, type Stats, statSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import path from 'node:path';
import { get } from './look.ts';
import { isBelow, processesWhere } from './processes.ts';
import { tellProgram } from './programs.ts';
import { seen } from './story.ts';
import { api, gatewayOf, operator, type World } from './world.ts';

export type TargetRow = {
  state: string;
  codes: string[];
  version: string | null;
  committedVersion: string | null;
  purgedAt: string | null;
};

export async function order(world: World, software: string, customerId: string, consent: string): Promise<string> {
  const ordered = await operator(world, 'target', 'order', software, '--customer-id', customerId, '--consent', consent);
  return String(ordered.target);
}

export function targetReaches(
  world: World,
  target: string,
  what: string,
  withinMs: number,
  isThere: (row: TargetRow) => boolean,
): Promise<TargetRow> {
  return seen(what, withinMs, async () => {
    const row = (await api(world, `/targets/${target}`)) as TargetRow;
    return isThere(row) ? row : undefined;
  });
}

/** Version that the app itself tells over the gateway's page. After a rollback the earlier version is just being started again. */
export function versionThatAnswers(world: World, software: string): Promise<string> {
  return seen(`${software} answers`, 5000, async () => {
    const answer = await get(`${gatewayOf(world).pageUrl}/${software}/check`);
    return answer.status === 200 ? String(JSON.parse(answer.body.toString()).version) : undefined;
  });
}

/** Digest of the package that the gateway's `current` link points to. */
export function currentPackage(dataDir: string, provider: string, software: string): string {
  return path.basename(readlinkSync(path.join(dataDir, 'software', provider, software, 'current')));
}

/** What `status.json` of the home says about a software. */
export async function shownInHome(
  pageUrl: string,
  software: string,
): Promise<{ state: string; version: string; reason?: { number: string; ja: string } } | undefined> {
  const status = JSON.parse((await get(`${pageUrl}/status.json`)).body.toString());
  return status.software.find((entry: { software: string }) => entry.software === software);
}

export type LogEntry = { event: string; number?: string; version?: string; software?: string; ja: string };
export async function gatewayLog(dataDir: string): Promise<LogEntry[]> {
  const { entries } = await tellProgram('agent', ['log', '--data', dataDir]);
  return entries as LogEntry[];
}

/** A file in the data of software that runs, as the software itself sees it: its storage is mounted for nobody else. */
export function readAppData(world: World, name: string): string {
  const found = processesWhere((pid, command) => /\/app\/main\.js/.test(command) && isBelow(pid, gatewayOf(world).agentPid ?? -1))
    .map((pid) => `/proc/${pid}/root/data/${name}`)
    .find((file) => existsSync(file));
  return found === undefined ? 'not found' : readFileSync(found, 'utf8');
}

/** Every file below `folder` in which the marker's bytes stand, links not followed; the data images with whatever lies in them. */
export async function filesWith(folder: string, marker: string): Promise<string[]> {
  execFileSync('sync'); // what software has just written may still be in the memory of the machine
  const names = await readdir(folder, { recursive: true });
  return names.filter((name) => {
    const file = path.join(folder, name);
    let stats: Stats;
    try {
      stats = statSync(file);
    } catch {
      return false; // a link whose end is gone, or a file that went meanwhile
    }
    return stats.isFile() && readFileSync(file).includes(marker);
  });
}
