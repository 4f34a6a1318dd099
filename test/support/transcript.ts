/**
 * Documents whose commands are run. In a block marked `console`, a line that begins with `$ ` is a command (`\` at its end continues it), the lines
 * below are what it prints, both streams together, with `[exit N]` at the end when it did not end well. What differs from run to run reads as
 * it did when the document was written: random ids and digests stand for whatever is printed in their place, and are put into later commands.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { until } from './until.ts';

export type Step = { readonly command: string; readonly output: string; readonly line: number };

export function stepsOf(markdown: string): Step[] {
  const steps: { command: string; output: string[]; line: number }[] = [];
  let isInside = false;
  for (const [at, text] of markdown.split('\n').entries()) {
    if (text.startsWith('```')) {
      isInside = text === '```console';
      continue;
    }
    if (!isInside) continue;
    const last = steps.at(-1);
    if (text.startsWith('$ ')) steps.push({ command: text.slice(2), output: [], line: at + 1 });
    else if (last?.command.endsWith('\\') && last.output.length === 0) last.command = `${last.command}\n${text}`;
    else last?.output.push(text);
  }
  return steps.map(({ command, output, line }) => ({ command, output: output.join('\n'), line }));
}

/** What is drawn at random names the same thing wherever it stands; times and counters are only as long as they are. */
const drawn = /(?<![A-Za-z0-9])(?:[a-z2-7]{26}|[0-9a-f]{64})(?![A-Za-z0-9])/;
const counted = [
  {
    written: /20\d\d-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|\+09:00)/,
    meant: '20\\d\\d-\\d\\d-\\d\\dT\\d\\d:\\d\\d:\\d\\d(?:\\.\\d+)?(?:Z|\\+09:00)',
  },
  { written: /20\d\d-\d\d-\d\d/, meant: '20\\d\\d-\\d\\d-\\d\\d' },
  { written: /20\d\d-\d\d/, meant: '20\\d\\d-\\d\\d' },
  { written: /(?<!\d)1[789]\d{11}(?!\d)/, meant: '\\d{13}' }, // a notice's version
  { written: /(?<![0-9a-f])[0-9a-f]{28,32}(?![0-9a-f])/, meant: '[0-9a-f]{28,32}' }, // a certificate's serial
  { written: /…/, meant: '[^]*?' },
];
const variable = new RegExp([drawn, ...counted.map(({ written }) => written)].map(({ source }) => source).join('|'), 'g');
const allDrawn = new RegExp(drawn.source, 'g');

/** Remembers what stands for what between the steps of a document. */
export function makeReading() {
  const meant = new Map<string, string>();
  const inTheirPlace = (text: string): string => text.replace(allDrawn, (written) => meant.get(written) ?? written);
  return {
    commandFor: ({ command }: Step): string => inTheirPlace(command),
    /** @returns undefined when it reads as written, otherwise what was expected */
    differenceTo: ({ output }: Step, printed: string): string | undefined => {
      const groups: string[] = [];
      const patternFor = (written: string): string => {
        const other = counted.find(({ written: form }) => new RegExp(`^(?:${form.source})$`).test(written));
        if (!drawn.test(written) && other !== undefined) return other.meant;
        const known = meant.get(written);
        if (known !== undefined) return known;
        if (groups.includes(written)) return `\\${groups.indexOf(written) + 1}`;
        groups.push(written);
        return `([a-z0-9]{${written.length}})`;
      };
      const parts = output.split(variable);
      const variables = output.match(variable) ?? [];
      const source = parts.map((part, at) => escaped(part) + (at < variables.length ? patternFor(variables[at] ?? '') : '')).join('');
      const match = new RegExp(`^${source}$`).exec(printed);
      if (match === null) return inTheirPlace(output);
      for (const [at, written] of groups.entries()) meant.set(written, match[at + 1] ?? written);
      return undefined;
    },
  };
}

const escaped = (text: string): string => text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');

/** One shell for a whole document: what a command sets or starts stands for the next. */
export function aShell(cwd: string, environment: Record<string, string>) {
  const shell: ChildProcess = spawn('bash', ['--noprofile', '--norc'], {
    cwd,
    env: environment,
    stdio: ['pipe', 'pipe', 'inherit'],
    detached: true,
  });
  let printed = '';
  shell.stdout?.setEncoding('utf8').on('data', (text: string) => {
    printed += text;
  });
  return {
    run: async (command: string): Promise<string> => {
      const mark = randomBytes(8).toString('hex');
      shell.stdin?.write(`{ ${command}\n} 2>&1 </dev/null\nprintf '%s %s\\n' ${mark} $?\n`);
      const end = new RegExp(`${mark} (\\d+)\\n`);
      while (!end.test(printed)) {
        if (shell.exitCode !== null) throw new Error(`the shell ended: ${printed}`);
        await new Promise((resolve) => shell.stdout?.once('data', resolve));
      }
      const [whole = '', status] = end.exec(printed) ?? [];
      const output = printed.slice(0, printed.indexOf(whole)).replace(/\n$/, '');
      printed = '';
      return status === '0' ? output : [output, `[exit ${status}]`].filter((part) => part !== '').join('\n');
    },
    /** Ends the shell and everything that it left running. */
    stop: async (): Promise<void> => {
      const { pid } = shell;
      if (pid === undefined) return;
      process.kill(-pid, 'SIGTERM');
      await until(() => !isAnyLeft(pid), 'the end of what the shell started', 20_000);
    },
  };
}

function isAnyLeft(group: number): boolean {
  try {
    process.kill(-group, 0);
    return true;
  } catch {
    return false;
  }
}
