/** What an answer of the package server means, and how much one package may cost. Packages are named by their digest, so bytes are never mixed up. */

export const downloadPolicy = {
  /** Within one call; the deployment calls again later, until its deadline. */
  attemptsPerCall: 5,
  attemptsPerDay: 48,
  /** Bytes of a day, in packages: a server that always breaks off or cheats cannot use up the household's line. */
  packagesPerDay: 3,
  slowWindowMs: 60_000,
  /** Fewer bytes than this in a window is slow retrieval (TUF §1.5.2): at this pace a 7 MB package would take two hours. */
  slowWindowBytes: 64_000,
  retry: { firstMs: 2_000, longestMs: 120_000 },
} as const;

export type DayNote = { readonly day: string; readonly attempts: number; readonly bytes: number };

/** @param nowMs  the wall clock is enough: it only bounds what a day costs */
export function dayOf(nowMs: number): string {
  return new Date(nowMs + 9 * 60 * 60_000).toISOString().slice(0, 10);
}

export function noteOfDay<Note extends DayNote>(note: Note | undefined, day: string): Note | DayNote {
  if (note === undefined) return { day, attempts: 0, bytes: 0 };
  return note.day === day ? note : { ...note, day, attempts: 0, bytes: 0 };
}

export function isDaySpent({ attempts, bytes }: DayNote, packageBytes: number): boolean {
  return attempts >= downloadPolicy.attemptsPerDay || bytes >= downloadPolicy.packagesPerDay * packageBytes;
}

export type AnswerHead = { status: number; contentRange: string | undefined; contentLength: string | undefined };
export type AnswerDecision =
  /** The bytes from where we stopped. */
  | { kind: 'append' }
  /** The whole file, from its first byte. */
  | { kind: 'from-start' }
  /** The server does not have the range that we want: drop the part, ask for the whole. */
  | { kind: 'drop-part' }
  | { kind: 'busy' }
  | { kind: 'refused' }
  /** The server means another file: its bytes are not even fetched. */
  | { kind: 'wrong-length'; foundBytes: number };

/**
 * @param fromByte    where our part ends
 * @param totalBytes  of the package, from the signed notice
 */
export function decideAnswer({ status, contentRange, contentLength }: AnswerHead, fromByte: number, totalBytes: number): AnswerDecision {
  if (status === 206) {
    const range = /^bytes (\d+)-(\d+)\/(\d+|\*)$/.exec(contentRange ?? '');
    if (range === null || Number(range[1]) !== fromByte || Number(range[2]) !== totalBytes - 1) return { kind: 'drop-part' };
    return range[3] === '*' || Number(range[3]) === totalBytes
      ? { kind: 'append' }
      : { kind: 'wrong-length', foundBytes: Number(range[3]) };
  }
  if (status === 200) {
    const isOther = contentLength !== undefined && Number(contentLength) !== totalBytes;
    return isOther ? { kind: 'wrong-length', foundBytes: Number(contentLength) } : { kind: 'from-start' };
  }
  if (status === 416 && fromByte > 0) return { kind: 'drop-part' };
  // 408 and 429 ask for patience like a 5xx; any other 4xx stays so when repeated, and redirects are not followed.
  return status >= 500 || status === 408 || status === 429 ? { kind: 'busy' } : { kind: 'refused' };
}
