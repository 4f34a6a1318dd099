import { parseArgs } from 'node:util';
import { TsugiteError } from '../../protocol/errors.ts';

export const usage = `tsugite-agent: the delivery agent on a home gateway（ホームゲートウェイ上の配信エージェント）

  tsugite-agent run                       keeps the delivered software up to date; ends by SIGTERM
  tsugite-agent enroll --invitation FILE  makes this data folder the gateway of an invitation
  tsugite-agent status                    what is installed, the line, this month's control traffic（状態）
  tsugite-agent why SOFTWARE              why it is, or is not, on this gateway（理由）
  tsugite-agent log [--since TIME] [--follow]   the log; TIME is 2026-11-22T00:00:00Z, or 90s, 15m, 2h, 3d ago（動作記録）

  --data DIR      data folder (default: TSUGITE_AGENT_DATA, or /var/lib/tsugite-agent)
  --config FILE   settings (default: TSUGITE_AGENT_CONFIG)
  --json          one JSON object on stdout
  --help

status, why and log read the disk alone: they answer with the agent stopped and the line down.
exit 0 done · 1 failed · 2 usage · 3 refused by a rule
`;

export type Command = { data: string | undefined; config: string | undefined; isJson: boolean } & (
  | { verb: 'help' }
  | { verb: 'run' }
  | { verb: 'enroll'; invitation: string }
  | { verb: 'status' }
  | { verb: 'why'; software: string }
  | { verb: 'log'; since: string | undefined; follow: boolean }
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
  ] as const)
    if (values[option] !== undefined && verb !== of) throw wrong(`--${option} is for ${of}`);
  switch (verb) {
    case 'run':
    case 'status':
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
      return { ...common, verb, since: values.since, follow: values.follow === true };
    case undefined:
      throw wrong('no verb');
    default:
      throw wrong(`unknown verb ${verb}`);
  }
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
      },
    });
  } catch (cause) {
    throw wrong(cause instanceof Error ? cause.message : String(cause));
  }
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
