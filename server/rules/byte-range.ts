/** RFC 9110 §14: one byte range of a file, or the whole of it. Several ranges at once are answered with the whole file, as §14.2 allows. */

export type RangeDecision =
  | { readonly kind: 'whole' }
  | { readonly kind: 'part'; readonly start: number; readonly end: number }
  | { readonly kind: 'unsatisfiable' };

/**
 * @param ifRange  §13.1.5: a strong ETag; when it is not this file's, or a date, the range does not count
 * @returns both ends inclusive and inside the file
 */
export function decideRange(range: string | undefined, ifRange: string | undefined, etag: string, bytes: number): RangeDecision {
  if (range === undefined || (ifRange !== undefined && ifRange !== etag)) return { kind: 'whole' };
  const [, first, last] = /^bytes=(\d{0,15})-(\d{0,15})$/.exec(range.trim()) ?? [];
  if (first === undefined || last === undefined || (first === '' && last === '')) return { kind: 'whole' };
  if (first === '') {
    const suffix = Math.min(Number(last), bytes);
    return suffix === 0 ? { kind: 'unsatisfiable' } : { kind: 'part', start: bytes - suffix, end: bytes - 1 };
  }
  const start = Number(first);
  if (last !== '' && Number(last) < start) return { kind: 'whole' }; // §14.1.1: invalid, so it is ignored
  if (start >= bytes) return { kind: 'unsatisfiable' };
  return { kind: 'part', start, end: last === '' ? bytes - 1 : Math.min(Number(last), bytes - 1) };
}
