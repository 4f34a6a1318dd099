/** How often somebody may ask: GCRA (ITU-T I.371, also "leaky bucket as a meter"). One number a caller, no window whose edge lets through twice as much. */

export type Rate = {
  readonly perMinute: number;
  /** So many at once after a pause. */
  readonly burst: number;
};
/** When the caller's bucket is empty again; undefined: it is. */
export type EmptyAtMs = number | undefined;
export type RateDecision = { readonly kind: 'allow'; readonly emptyAtMs: number } | { readonly kind: 'refuse'; readonly waitMs: number };

export function decideRate(emptyAt: EmptyAtMs, { perMinute, burst }: Rate, nowMs: number): RateDecision {
  const costMs = 60_000 / perMinute;
  // Further ahead than a full bucket: the clock was set back meanwhile, and nobody is to wait for that time to come again.
  const isKnown = emptyAt !== undefined && emptyAt <= nowMs + burst * costMs;
  const from = isKnown ? Math.max(emptyAt, nowMs) : nowMs;
  const waitMs = from + costMs - (nowMs + burst * costMs);
  return waitMs > 0 ? { kind: 'refuse', waitMs } : { kind: 'allow', emptyAtMs: from + costMs };
}

/** One caller by its address: of IPv6 the /64, since a household or a host has all of it (RFC 6177). */
export function addressKey(address: string): string {
  const ipv4 = /^(?:::ffff:)?(\d+\.\d+\.\d+\.\d+)$/i.exec(address)?.[1];
  if (ipv4 !== undefined) return ipv4;
  const [head = '', tail] = (address.split('%', 1)[0] ?? '').toLowerCase().split('::', 2);
  const groups = (text: string) => (text === '' ? [] : text.split(':'));
  const [front, back] = [groups(head), groups(tail ?? '')];
  const whole = tail === undefined ? front : [...front, ...Array<string>(Math.max(0, 8 - front.length - back.length)).fill('0'), ...back];
  return whole
    .slice(0, 4)
    .map((group) => group.replace(/^0+(?=.)/, ''))
    .join(':');
}
