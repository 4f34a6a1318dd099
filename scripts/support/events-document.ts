import { events as agentEvents } from '../../agent/rules/events.ts';
import { events as serverEvents } from '../../server/rules/events.ts';

type Entry = { readonly level: string; readonly ja: string; readonly en: string };

/** docs/EVENTS.md, made from the event catalogues of the agent and the server. */
export function eventsDocument(): string {
  return [
    '# 動作記録 / Events',
    '',
    'Made from agent/rules/events.ts and server/rules/events.ts by scripts/generate-docs.ts; tests hold them to each other. Do not edit.',
    '',
    '## エージェント / The agent',
    '',
    'One JSON line an event: `time, seq, event, number, code, level, target, software, version, model, state, detail, who, ja, en`. `number`, `code` and',
    '`who` are those of the error catalogue (docs/ERRORS.md), whose sentence follows the one below. `{…}` is filled from the event and its detail. `seq` has',
    'no gaps, or the gap is an entry of its own (E904). At least 1,000 entries are kept; events of level *debug* are written only when `log.level` says so.',
    '',
    ...table(agentEvents),
    '',
    '## サーバー / The server',
    '',
    'One JSON line an event on stderr: `time, level, event` and the fields that the event has; an `error` as its message and stack. Never a secret, never an',
    'お客さまID. What was asked of the API stands there as its route, not as its address.',
    '',
    ...table(serverEvents),
    '',
  ].join('\n');
}

function table(events: Readonly<Record<string, Entry>>): string[] {
  const rows = Object.entries(events).map(([name, { level, ja, en }]) => `| \`${name}\` | ${level} | ${ja}<br>${en} |`);
  return ['| event | level | 表示文 / message |', '|---|---|---|', ...rows];
}
