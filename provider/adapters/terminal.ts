/** The person at the terminal. Questions go to standard error: standard output is the answer's. */
import { stderr, stdin } from 'node:process';
import { createInterface, type Interface } from 'node:readline/promises';
import { Writable } from 'node:stream';
import type { Terminal } from '../surroundings.ts';

/** A token or an お客さまID is a line; a table of orders is larger. */
const mostCharacters = 1024 * 1024;

export function makeTerminal(): Terminal {
  return {
    isThere: stdin.isTTY === true && stderr.isTTY === true,
    ask: (question) => answerOn(stderr, (lines) => lines.question(question)),
    askSecret: (question) => {
      const nowhere = new Writable({ write: (_chunk, _encoding, done) => done() });
      return answerOn(nowhere, async (lines) => {
        stderr.write(question); // only now: before it read in raw mode, the terminal itself would show what is typed
        const answer = await lines.question('');
        stderr.write('\n');
        return answer;
      });
    },
    readInput: async () => {
      let text = '';
      for await (const chunk of stdin.setEncoding('utf8')) {
        text += chunk;
        if (text.length > mostCharacters) break;
      }
      return text;
    },
  };
}

async function answerOn(output: NodeJS.WritableStream, ask: (lines: Interface) => Promise<string>): Promise<string> {
  const lines = createInterface({ input: stdin, output, terminal: true });
  // Ctrl-C and Ctrl-D end the line, never the question: nobody has said anything then.
  const ended = new Promise<string>((resolve) => lines.once('close', () => resolve('')));
  try {
    return (await Promise.race([ask(lines), ended])).trim();
  } finally {
    lines.close();
  }
}
