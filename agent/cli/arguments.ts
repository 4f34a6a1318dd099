import { parseArgs } from 'node:util';
import { TsugiteError } from '../../protocol/errors.ts';
import { confirmItems } from '../../protocol/messages/confirmation.ts';
import { type Ask, parseConfirmText } from '../rules/ask.ts';

export const usage = `tsugite-agent: the delivery agent on a home gateway（ホームゲートウェイ上の配信エージェント）

  tsugite-agent run                       keeps the delivered software up to date; ends by SIGTERM
  tsugite-agent enroll --invitation FILE  makes this data folder the gateway of an invitation
  tsugite-agent status                    what is installed, the line, this month's control traffic（状態）
  tsugite-agent why SOFTWARE              why it is, or is not, on this gateway（理由）
  tsugite-agent log [--since TIME] [--follow] [--software SOFTWARE] [--level warn]
                                          the log, of one software, or from a level up; TIME is 2026-11-22T00:00:00Z, or 90s, 15m, 2h, 3d ago（動作記録）

  tsugite-agent resync                    asks the server for the present notice and plans anew（再同期）
  tsugite-agent confirm ITEM=VALUE        what was seen on site: office-equipment=no|yes（現地での確認）
  tsugite-agent install --now [SOFTWARE]  does not wait for the hours, with the household's consent（すぐにインストール）
  tsugite-agent postpone [SOFTWARE]       puts a waiting update off by a day, for at most 7 days（更新の延期）
  tsugite-agent doctor                    tries sandbox, disk, clock, certificate and the way to the server（自己診断）

  --data DIR      data folder (default: TSUGITE_AGENT_DATA, or /var/lib/tsugite-agent)
  --config FILE   settings (default: TSUGITE_AGENT_CONFIG)
  --json          one JSON object on stdout
  --help

status, why, log and doctor answer with the agent stopped and the line down; resync, confirm, install and postpone ask the running agent, as root.
exit 0 done · 1 failed · 2 usage · 3 refused by a rule
`;

export const levels = ['debug', 'info', 'warn', 'error'] as const;
export type Level = (typeof levels)[number];

export type Command = { data: string | undefined; config: string | undefined; isJson: boolean } & (
  | { verb: 'help' }
  | { verb: 'run' }
  | { verb: 'enroll'; invitation: string }
  | { verb: 'status' }
  | { verb: 'why'; software: string }
  | { verb: 'ask'; ask: Ask }
  | { verb: 'doctor' }
  | { verb: 'log'; since: string | undefined; follow: boolean; software: string | undefined; level: Level | undefined }
);

/** @throws TsugiteError USAGE_WRONG */
export function parseCommand(argv: readonly string[]): Command {
  const { values, positionals } = parse(argv);
  const common = { data: values.data, config: values.config, isJson: values.json === true };
  const [verb, ...operands] = positionals;
  if (values.help === true) return { ...common, verb: 'help' };
  const takes = (count: number) => {
    if (operands.length !== count)
      throw wrong(`${verb}: ${count === 0 ? 'no operand' : `${count} operand`} expected, ${operands.length} given`);
  };
  for (const [option, of] of [
    ['invitation', 'enroll'],
    ['since', 'log'],
    ['follow', 'log'],
    ['software', 'log'],
    ['level', 'log'],
    ['now', 'install'],
  ] as const)
    if (values[option] !== undefined && verb !== of) throw wrong(`--${option} is for ${of}`);
  switch (verb) {
    case 'run':
    case 'status':
    case 'doctor':
      takes(0);
      return { ...common, verb };
    case 'enroll':
      takes(0);
      if (values.invitation === undefined) throw wrong('enroll: --invitation FILE is missing');
      return { ...common, verb, invitation: values.invitation };
    case 'why':
      takes(1);
      return { ...common, verb, software: operands[0] ?? '' };
    case 'log':
      takes(0);
      return {
        ...common,
        verb,
        since: values.since,
        follow: values.follow === true,
        software: values.software,
        level: levelOf(values.level),
      };
    case 'resync':
      takes(0);
      return { ...common, verb: 'ask', ask: { kind: 'resync' } };
    case 'confirm':
      takes(1);
      return { ...common, verb: 'ask', ask: confirmationOf(operands[0] ?? '') };
    case 'install':
      if (values.now !== true) throw wrong('install: --now is missing (everything else is installed by itself)');
      return { ...common, verb: 'ask', ask: { kind: 'install-now', software: softwareOf(operands) } };
    case 'postpone':
      return { ...common, verb: 'ask', ask: { kind: 'postpone', software: softwareOf(operands) } };
    case undefined:
      throw wrong('no verb');
    default:
      throw wrong(`unknown verb ${verb}`);
  }
}

function levelOf(text: string | undefined): Level | undefined {
  const level = levels.find((name) => name === text);
  if (text !== undefined && level === undefined) throw wrong(`--level ${text}: one of ${levels.join(', ')}`);
  return level;
}

function parse(argv: readonly string[]) {
  try {
    return parseArgs({
      args: [...argv],
      allowPositionals: true,
      options: {
        data: { type: 'string' },
        config: { type: 'string' },
        json: { type: 'boolean' },
        help: { type: 'boolean', short: 'h' },
        invitation: { type: 'string' },
        since: { type: 'string' },
        follow: { type: 'boolean', short: 'f' },
        software: { type: 'string' },
        level: { type: 'string' },
        now: { type: 'boolean' },
      },
    });
  } catch (cause) {
    throw wrong(cause instanceof Error ? cause.message : String(cause));
  }
}

function confirmationOf(text: string): Ask {
  try {
    return parseConfirmText(text);
  } catch {
    const items = Object.entries(confirmItems).map(([item, values]) => `${item}=${values.join('|')}`);
    throw wrong(`confirm ${text.slice(0, 100)}: expected ${items.join(', ')}`);
  }
}

function softwareOf(operands: readonly string[]): string | null {
  if (operands.length > 1) throw wrong('at most one SOFTWARE');
  return operands[0] ?? null;
}

/** @returns unix milliseconds  @throws TsugiteError USAGE_WRONG */
export function parseSince(text: string, nowMs: number): number {
  const [, count, unit] = /^(\d{1,6})([smhd])$/.exec(text) ?? [];
  if (count !== undefined && unit !== undefined)
    return nowMs - Number(count) * { s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 }[unit as 's' | 'm' | 'h' | 'd'];
  const time = Date.parse(text);
  if (Number.isNaN(time)) throw wrong(`--since ${text}: neither a time nor 90s, 15m, 2h, 3d`);
  return time;
}

function wrong(at: string): TsugiteError {
  return new TsugiteError('USAGE_WRONG', { at });
}
