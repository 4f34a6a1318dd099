/** The person at the terminal. Questions go to standard error: standard output is the answer's. */
import { stderr, stdin } from 'node:process';
import { createInterface } from 'node:readline/promises';
import { Writable } from 'node:stream';
import type { Terminal } from '../surroundings.ts';

/** A token or an お客さまID is a line; a list of orders is a file of its own. */
const mostCharacters = 1024 * 1024;

export function makeTerminal(): Terminal {
  return {
    isThere: stdin.isTTY === true && stderr.isTTY === true,
    ask: (question) => askOn(stderr, question),
    askSecret: async (question) => {
      stderr.write(question);
      const nowhere = new Writable({ write: (_chunk, _encoding, done) => done() });
      const answer = await askOn(nowhere, '');
      stderr.write('\n');
      return answer;
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

async function askOn(output: NodeJS.WritableStream, question: string): Promise<string> {
  const lines = createInterface({ input: stdin, output, terminal: true });
  try {
    return (await lines.question(question)).trim();
  } finally {
    lines.close();
  }
}
