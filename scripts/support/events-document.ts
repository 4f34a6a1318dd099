import { type EventEntry, events } from '../../agent/rules/events.ts';

/** docs/EVENTS.md, made from the agent's event catalogue. */
export function eventsDocument(): string {
  const rows = Object.entries<EventEntry>(events).map(([name, { level, ja, en }]) => `| \`${name}\` | ${level} | ${ja}<br>${en} |`);
  return [
    '# エージェントの動作記録 / Events of the agent',
    '',
    'Made from agent/rules/events.ts by scripts/generate-docs.ts; a test holds them to each other. Do not edit.',
    '',
    'One JSON line an event: `time, seq, event, number, code, level, target, software, version, model, state, detail, who, ja, en`. `number`, `code` and',
    '`who` are those of the error catalogue (docs/ERRORS.md), whose sentence follows the one below. `{…}` is filled from the event and its detail. `seq` has',
    'no gaps, or the gap is an entry of its own (E904). At least 1,000 entries are kept; events of level *debug* are written only when `log.level` says so.',
    '',
    '| event | level | 表示文 / message |',
    '|---|---|---|',
    ...rows,
    '',
  ].join('\n');
}
