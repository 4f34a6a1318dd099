/** When a software changed, and why, as the log tells it. */
import { describe, type ErrorCode, isErrorCode } from '../../../protocol/errors.ts';
import { type SoftwareState, softwareState } from '../../../protocol/messages/status.ts';
import type { Fault } from '../agent-state.ts';

export type LoggedChange = Readonly<Record<string, unknown>> & { time: string };
export type HistoryRow = { atMs: number; state: SoftwareState; version: string | undefined; reason: Fault | undefined };

/** Newest first. Entries that an older agent wrote, and that are not understood, are left out. */
export function historyOf(entries: readonly LoggedChange[], target: string, last: number): HistoryRow[] {
  return entries
    .flatMap((entry): HistoryRow[] => {
      const state = softwareState.safeParse(entry.state);
      if (entry.event !== 'state.changed' || entry.target !== target || !state.success) return [];
      const { version, code } = entry;
      return [
        {
          atMs: Date.parse(entry.time),
          state: state.data,
          version: typeof version === 'string' ? version : undefined,
          reason: typeof code === 'string' && isErrorCode(code) ? { code, detail: detailOf(entry.detail) } : undefined,
        },
      ];
    })
    .slice(-last)
    .reverse();
}

function detailOf(detail: unknown): Fault['detail'] {
  return typeof detail === 'object' && detail !== null ? (detail as Fault['detail']) : {};
}

/** Commands are for technicians: a household reads the sentence without them. */
export function withoutCommands(sentence: string): string {
  return sentence.replace(/\s*[（(][^（()）]*tsugite[^（()）]*[)）]/g, '');
}

export function plainRemedy({ code, detail }: { code: ErrorCode; detail: Fault['detail'] }, language: 'ja' | 'en'): string {
  return withoutCommands(describe(code, detail).remedy[language]);
}
