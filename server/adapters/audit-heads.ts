/** `<data>/audit-heads`: a line a head, only ever added to. A backup carries it along; the operator may copy its last line anywhere. */
import { open, readFile } from 'node:fs/promises';
import type { AuditHeads } from '../ports/keep.ts';
import { parseAuditHead, writeAuditHead } from '../rules/audit-chain.ts';

export function openAuditHeads(path: string): AuditHeads {
  return {
    kept: async () => {
      const lines = (await readFile(path, 'utf8').catch(absent)).split('\n');
      // The last line may be torn by a power cut: it is kept again at the next start.
      return lines.flatMap((line) => {
        const [text = '', at = ''] = line.split(' ');
        const head = parseAuditHead(text);
        return head === undefined || Number.isNaN(Date.parse(at)) ? [] : [{ ...head, at: new Date(at) }];
      });
    },
    keep: async (head, atMs) => {
      const file = await open(path, 'a', 0o600);
      try {
        // Begins its own line, whatever a power cut left before it.
        await file.appendFile(`\n${writeAuditHead(head)} ${new Date(atMs).toISOString()}\n`);
        await file.sync();
      } finally {
        await file.close();
      }
    },
  };
}

function absent(error: NodeJS.ErrnoException): string {
  if (error.code === 'ENOENT') return '';
  throw error;
}
