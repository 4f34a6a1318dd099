import type { AppPorts } from './request.ts';

/**
 * Gives each app a port for its own origin and remembers it: were a port given to another app later, the browser would hand it what the first
 * one stored. Only when all are used up, the oldest port of an app that is gone is given anew.
 *
 * @param known      as remembered, in the order in which they were given
 * @param prefixes   of the apps that have pages now
 * @returns `known` itself when nothing changes
 */
export function assignAppPorts(known: AppPorts, prefixes: readonly string[], { from, count }: { from: number; count: number }): AppPorts {
  const row = Array.from({ length: count }, (_, index) => from + index);
  const missing = prefixes.filter((prefix) => !row.includes(known[prefix] ?? -1));
  if (missing.length === 0) return known;
  const kept = Object.entries(known).filter(([prefix, port]) => row.includes(port) && !missing.includes(prefix));
  for (const prefix of missing) {
    const free = row.find((port) => !kept.some(([, taken]) => taken === port));
    const oldest = kept.findIndex(([name]) => !prefixes.includes(name));
    if (free !== undefined) kept.push([prefix, free]);
    else if (oldest >= 0) kept.push([prefix, (kept.splice(oldest, 1)[0] as [string, number])[1]]);
  }
  return Object.fromEntries(kept);
}
