/** Which refused connections people hear of, and how often: the first at once, then ever more rarely while it goes on. */
import type { Fault } from './agent-state.ts';

export type DeniedClass = 'lan' | 'wan' | 'gateway' | 'other-app';
/** Packets refused since the software was started. An address or host name is never part of it (DOMAIN §12). */
export type Denied = {
  readonly class: DeniedClass;
  readonly protocol: 'udp' | 'tcp' | 'other';
  /** Only a port that the manifest names. */
  readonly port?: number;
  readonly count: number;
};

/** Of one class: what was refused since people last heard of it. */
type Pending = { readonly denied: readonly Denied[]; readonly nextMs: number; readonly waitMs: number };
export type DeniedMemory = ReadonlyMap<DeniedClass, Pending>;

const hourMs = 3_600_000;
const dayMs = 24 * hourMs;

/** What came since the last look at the counters; they start from zero with each start of the software. */
export function newlyDenied(before: readonly Denied[], now: readonly Denied[]): Denied[] {
  return now.flatMap((denied) => {
    const count = denied.count - (before.find((other) => isSameKind(other, denied))?.count ?? 0);
    return count > 0 ? [{ ...denied, count }] : [];
  });
}

/**
 * @param fresh  since the last call
 * @param nowMs  monotonic
 * @returns the faults to tell now, one a class: at most one an hour, and after each telling twice as long a silence, up to a day
 */
export function noteDenied(memory: DeniedMemory, fresh: readonly Denied[], nowMs: number): { memory: DeniedMemory; tell: Fault[] } {
  const next = new Map(memory);
  for (const denied of fresh) {
    const known = next.get(denied.class);
    // Quiet for a day since it might have been told: the next one is news again.
    const isNews = known === undefined || nowMs >= known.nextMs + dayMs;
    const pending = isNews ? { denied: known?.denied ?? [], nextMs: nowMs, waitMs: hourMs } : known;
    next.set(denied.class, { ...pending, denied: added(pending.denied, denied) });
  }
  const tell: Fault[] = [];
  for (const [of, { denied, nextMs, waitMs }] of next) {
    if (denied.length === 0 || nowMs < nextMs) continue;
    tell.push(faultOfDenied(of, denied));
    next.set(of, { denied: [], nextMs: nowMs + waitMs, waitMs: Math.min(dayMs, waitMs * 2) });
  }
  return { memory: next, tell };
}

function faultOfDenied(of: DeniedClass, denied: readonly Denied[]): Fault {
  const [only] = denied;
  const isOne = denied.length === 1 && only !== undefined;
  return {
    code: 'APP_PERMISSION_DENIED',
    detail: {
      class: of,
      protocol: isOne ? only.protocol : 'several',
      ...(isOne && only.port !== undefined && { port: only.port }),
      count: denied.reduce((sum, { count }) => sum + count, 0),
      ...(!isOne && { kinds: denied.map(({ protocol, port, count }) => `${protocol}${port === undefined ? '' : `:${port}`} ${count}`) }),
    },
  };
}

/** Software that asks for the home network and was not given it runs without any network: nothing of it can be counted, so it is said once. */
export function findUngranted(asked: { readonly lan: readonly string[] }, granted: { readonly lan: readonly string[] }): Fault | undefined {
  const missing = asked.lan.filter((permission) => !granted.lan.includes(permission));
  if (missing.length === 0) return undefined;
  return { code: 'APP_PERMISSION_DENIED', detail: { kind: 'not-granted', class: 'lan', permissions: missing } };
}

function added(sum: readonly Denied[], one: Denied): Denied[] {
  const same = sum.find((other) => isSameKind(other, one));
  return same === undefined ? [...sum, one] : sum.map((other) => (other === same ? { ...same, count: same.count + one.count } : other));
}

function isSameKind(one: Denied, other: Denied): boolean {
  return one.class === other.class && one.protocol === other.protocol && one.port === other.port;
}
