/**
 * Time on a gateway that may boot in 1970 or be told 2099. The floor is time that was proven by a signature and has run on since; the wall clock
 * is believed only above it, and never raises it.
 */
export type ClockFloor = {
  /** From the newest verified root, or the build. */
  rootMs: number;
  /** From the newest verified notice; forgotten when a notice key is lost (rules/root.ts). */
  noticeMs: number;
};

/** @param builtAtMs  no agent runs before it was built */
export function startFloor(saved: ClockFloor | undefined, builtAtMs: number): ClockFloor {
  return { rootMs: Math.max(saved?.rootMs ?? 0, builtAtMs), noticeMs: saved?.noticeMs ?? 0 };
}

/** The floor after `elapsedMs` of monotonic time. */
export function advance(floor: ClockFloor, elapsedMs: number): ClockFloor {
  const step = Math.max(0, elapsedMs);
  return { rootMs: floor.rootMs + step, noticeMs: floor.noticeMs === 0 ? 0 : floor.noticeMs + step };
}

export function raiseByRoot(floor: ClockFloor, issuedAtMs: number): ClockFloor {
  return { ...floor, rootMs: Math.max(floor.rootMs, issuedAtMs) };
}

export function raiseByNotice(floor: ClockFloor, issuedAtMs: number): ClockFloor {
  return { ...floor, noticeMs: Math.max(floor.noticeMs, issuedAtMs) };
}

export function forgetNotices(floor: ClockFloor): ClockFloor {
  return { ...floor, noticeMs: 0 };
}

export function provenMs(floor: ClockFloor): number {
  return Math.max(floor.rootMs, floor.noticeMs);
}

/** The time to decide by. What cannot be undone (deleting data) is decided by `provenMs` alone. */
export function trustedMs(floor: ClockFloor, wallMs: number): number {
  return Math.max(provenMs(floor), wallMs);
}

const dayMs = 86_400_000;

/**
 * What is wrong with the wall clock, for a person to mend. Ahead: no signed time has been seen for longer than any lease lasts, which a clock
 * that is right explains only by a gateway that was off all that while; then the first notice ends it.
 */
export function judgeWall(floor: ClockFloor, wallMs: number): 'right' | 'behind' | 'far-ahead' {
  if (wallMs < provenMs(floor) - dayMs) return 'behind';
  if (wallMs > provenMs(floor) + 400 * dayMs) return 'far-ahead';
  return 'right';
}
