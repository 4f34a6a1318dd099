/**
 * Where a name lies in [0, 1): always the same place for one name, and a fleet's names lie evenly. Fowler/Noll/Vo, 32 bit, which is good enough for
 * short names that nobody chooses against us.
 */
export function spreadOf(name: string): number {
  let hash = 0x811c9dc5;
  for (let at = 0; at < name.length; at += 1) hash = Math.imul(hash ^ name.charCodeAt(at), 0x01000193) >>> 0;
  return hash / 2 ** 32;
}
