/** How often software was refused a connection, as the log tells it: class and count, nothing else (DOMAIN §12). */
import type { Sentence } from '../../protocol/error-catalogue/entry.ts';
import type { DeniedClass } from './denied-traffic.ts';

/** Where the connection was to lead, as people read it. */
export const deniedWords = {
  lan: { ja: '家庭内の機器', en: 'devices in the home' },
  wan: { ja: 'インターネット', en: 'the Internet' },
  gateway: { ja: 'ホームゲートウェイ', en: 'the home gateway' },
  'other-app': { ja: 'ほかのソフトウェア', en: 'other software' },
} as const satisfies Record<DeniedClass, Sentence>;

export type DeniedTally = { class: DeniedClass; count: number; lastAt: string };
type Logged = Readonly<Record<string, unknown>> & { time: string };

/** Entries that an older agent wrote, and that are not understood, are left out. Where nothing could be counted (software without a network), nothing is told. */
export function tallyDenied(entries: readonly Logged[], target: string): DeniedTally[] {
  const sums = new Map<DeniedClass, DeniedTally>();
  for (const { event, target: of, time, detail } of entries) {
    if (event !== 'permission.denied' || of !== target || typeof detail !== 'object' || detail === null) continue;
    const { class: named, count } = detail as Readonly<Record<string, unknown>>;
    if (typeof named !== 'string' || !Object.hasOwn(deniedWords, named) || typeof count !== 'number' || !(count > 0)) continue;
    const key = named as DeniedClass;
    sums.set(key, { class: key, count: (sums.get(key)?.count ?? 0) + count, lastAt: time });
  }
  return (Object.keys(deniedWords) as DeniedClass[]).flatMap((name) => sums.get(name) ?? []);
}
