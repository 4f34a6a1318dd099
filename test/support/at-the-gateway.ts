/** What somebody sees who stands at an emulated gateway: its disk, its page, and what its agent answers. */
import path from 'node:path';
import type { EmulatedGateway } from '../../provider/emulator/index.ts';
import { get } from '../../scripts/story/look.ts';
import { tellProgram } from '../../scripts/story/programs.ts';
import { seen } from '../../scripts/story/story.ts';
import { treeOf } from './tree.ts';

/** What a refusal must leave alone: packages, installed software, staging, downloads. What an app prints, and what the kernel notes in its data image, goes on by itself. */
export function installedOn({ dataDir }: EmulatedGateway): Record<string, string> {
  return Object.assign(
    {},
    ...['store', 'software', 'staging', 'download'].map((name) =>
      without('data.img', without('output.log', treeOf(path.join(dataDir, name), name))),
    ),
  );
}

/** What was trusted, but for the time that was noted. */
export function trustOn({ dataDir }: EmulatedGateway): Record<string, string> {
  return without('clock', treeOf(path.join(dataDir, 'trust')));
}

function without(text: string, tree: Record<string, string>): Record<string, string> {
  return Object.fromEntries(Object.entries(tree).filter(([name]) => !name.includes(text)));
}

/** What a household reads at once, and what a technician opens. */
export async function pageOf(gateway: EmulatedGateway, address: string): Promise<[household: string, technician: string]> {
  const text = (await get(gateway.pageUrl + address)).body.toString();
  const opened = /<details>.*?<\/details>/gs;
  return [text.replace(opened, ''), (text.match(opened) ?? []).join('')];
}

export type Why = {
  reason: { number: string; code: string; ja: string } | null;
  next: { ja: string };
  ladder: { rung: string; ok: boolean; number?: string }[];
  notices: { accepted: { version: number } | null; refused: { number: string; code: string } | null };
};

export async function whyOf({ dataDir }: EmulatedGateway, software: string): Promise<Why> {
  return (await tellProgram('agent', ['why', software, '--data', dataDir])) as unknown as Why;
}

export function whySeen(gateway: EmulatedGateway, software: string, isIt: (reason: NonNullable<Why['reason']>) => boolean): Promise<Why> {
  return seen(`why ${software}`, 25_000, async () => {
    const why = await whyOf(gateway, software);
    if (why.reason !== null && isIt(why.reason)) return why;
    throw new Error(JSON.stringify(why.reason));
  });
}

type Status = {
  isAgentRunning: boolean;
  refusedNotice: { number: string; code: string } | null;
  software: { software: string; version: string; state: string; reason?: { number: string; code: string } }[];
};

export async function statusOf({ dataDir }: EmulatedGateway): Promise<Status> {
  return (await tellProgram('agent', ['status', '--data', dataDir])) as unknown as Status;
}

export type LogEntry = { seq: number; event: string; number?: string; software?: string } & Record<string, unknown>;

export async function logOf({ dataDir }: EmulatedGateway): Promise<LogEntry[]> {
  const { entries } = (await tellProgram('agent', ['log', '--data', dataDir])) as { entries: LogEntry[] };
  return entries;
}

/** The newest entry of the gateway's log with this number, as soon as there is one. */
export function logged(gateway: EmulatedGateway, number: string): Promise<LogEntry> {
  return seen(`${number} in the log`, 15_000, async () => (await logOf(gateway)).findLast((entry) => entry.number === number));
}
