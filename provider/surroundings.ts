/** What the kit meets besides files and servers: the person at the terminal, and what was set for it. Tests bring their own. */
import { makeTerminal } from './adapters/terminal.ts';
import { type KitDefaults, kitDefaults } from './config.ts';

export type Terminal = {
  /** False in CI, behind a pipe and under cron: nobody can be asked. */
  readonly isThere: boolean;
  ask(question: string): Promise<string>;
  /** Shows nothing of what is typed. */
  askSecret(question: string): Promise<string>;
  /** All of standard input. */
  readInput(): Promise<string>;
};

export type Surroundings = {
  readonly terminal: Terminal;
  readonly defaults: KitDefaults;
  /** Before another try, after a line broke. */
  readonly pausesMs: readonly number[];
};

export function realSurroundings(): Surroundings {
  return { terminal: makeTerminal(), defaults: kitDefaults(), pausesMs: [1_000, 4_000, 10_000] };
}
