/** What a person reads at the end of the story. */
import { type StepOutcome, seconds } from './story.ts';
import type { World } from './world.ts';

export type ControlBytes = Record<string, { total: number } & Record<string, number>>;
type Told = { ok: boolean; tookMs: number; outcomes: readonly StepOutcome[]; controlBytes: ControlBytes; world: World; keep: boolean };

export function summary(told: Told): string {
  return [
    '',
    `${told.ok ? '成功' : '失敗'} / ${told.ok ? 'every step was seen' : 'a step failed'}: ${seconds(told.tookMs)}`,
    '',
    ...timeline(told.outcomes),
    ...failures(told.outcomes),
    ...sentences(told.outcomes),
    ...bytes(told.controlBytes),
    ...addresses(told),
    '',
  ].join('\n');
}

function timeline(outcomes: readonly StepOutcome[]): string[] {
  const longest = Math.max(1, ...outcomes.map((outcome) => outcome.ms));
  return [
    '経過 / timeline',
    ...outcomes.map(
      ({ id, ms, ok }) =>
        `  ${ok ? '○' : '×'} ${id.padEnd(22)} ${seconds(ms).padStart(8)} ${'▇'.repeat(Math.max(1, Math.round((ms / longest) * 30)))}`,
    ),
    '',
  ];
}

function failures(outcomes: readonly StepOutcome[]): string[] {
  return outcomes
    .filter((outcome) => !outcome.ok)
    .flatMap(({ id, detail }) => [`${id}: ${detail.reason}`, JSON.stringify(detail, null, 2), '']);
}

function sentences(outcomes: readonly StepOutcome[]): string[] {
  const explained = outcomes.find((outcome) => outcome.id === 'ineligible-explained' && outcome.ok);
  const running = outcomes.find((outcome) => outcome.id === 'delivered' && outcome.ok)?.detail.process as
    | { pid: number; uid: number }
    | undefined;
  return [
    ...(running === undefined
      ? []
      : [
          'インストール済み / installed',
          `  demo.ipv4 1.0.0  pid ${running.pid}, uid ${running.uid}, 権限なし・専用の名前空間 / no capabilities, namespaces of its own`,
          '',
        ]),
    ...(explained === undefined
      ? []
      : ['配信しない理由 / not delivered, because', `  T8   ${explained.detail.T8}`, `  T14  ${explained.detail.T14}`, '']),
  ];
}

function bytes(controlBytes: ControlBytes): string[] {
  return Object.entries(controlBytes).flatMap(([gateway, { total, ...byPurpose }]) => [
    `制御用の通信 / control traffic of ${gateway}: ${total.toLocaleString('en')} B`,
    ...Object.entries(byPurpose)
      .filter(([, value]) => value > 0)
      .map(([purpose, value]) => `  ${purpose.padEnd(10)} ${value.toLocaleString('en').padStart(9)} B`),
    '',
  ]);
}

function addresses({ world, keep, ok }: Told): string[] {
  if (!keep || !ok) return [];
  return [
    '動作中です。終了は Ctrl-C / still running, Ctrl-C ends it',
    ...world.gateways.map((gateway) => `  ${gateway.gateway} (${gateway.model})  ${gateway.pageUrl}/t/`),
    `  API  http://127.0.0.1:${world.ports.api}/api/v1/  (token: ${world.tokenFile})`,
    '',
  ];
}
