/** Runs a story step by step, tells it as it goes, and keeps what each step saw. */
import { performance } from 'node:perf_hooks';

export type Detail = Record<string, unknown>;
export type StepOutcome = { id: string; ok: boolean; ms: number; detail: Detail };
export type Step<World> = {
  id: string;
  /** What is about to happen, for the person who watches. */
  tells: string;
  /** Acts, then looks from outside. Throws when what it sees is not what must be. */
  run(world: World): Promise<Detail>;
};

/** Thrown by a step that looked and saw something else than it must. */
export class NotSeen extends Error {
  readonly detail: Detail;
  constructor(what: string, detail: Detail = {}) {
    super(what);
    this.name = 'NotSeen';
    this.detail = detail;
  }
}

/** Stops at the first step that fails: what follows would only repeat its reason. */
export async function tell<World>(steps: readonly Step<World>[], world: World, write: (text: string) => void): Promise<StepOutcome[]> {
  const outcomes: StepOutcome[] = [];
  for (const step of steps) {
    write(`  ${step.id.padEnd(22)} ${step.tells} … `);
    const outcome = await runStep(step, world);
    outcomes.push(outcome);
    write(`${outcome.ok ? 'ok' : 'FAILED'} ${seconds(outcome.ms)}\n`);
    if (!outcome.ok) break;
  }
  return outcomes;
}

async function runStep<World>(step: Step<World>, world: World): Promise<StepOutcome> {
  const startMs = performance.now();
  const after = () => Math.round(performance.now() - startMs);
  try {
    return { id: step.id, ok: true, detail: await step.run(world), ms: after() };
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    return { id: step.id, ok: false, detail: { reason, ...(error instanceof NotSeen ? error.detail : {}) }, ms: after() };
  }
}

export const seconds = (ms: number): string => `${(ms / 1000).toFixed(2)} s`;

/**
 * Looks again and again until `look` sees it, at most `withinMs`. Only for what another process brings about; the last failure is the reason.
 */
export async function seen<Value>(
  what: string,
  withinMs: number,
  look: () => Promise<Value | undefined> | Value | undefined,
): Promise<Value> {
  const endMs = performance.now() + withinMs;
  let why = '';
  while (performance.now() < endMs) {
    try {
      const value = await look();
      if (value !== undefined) return value;
    } catch (error) {
      why = error instanceof Error ? `: ${error.message}` : '';
    }
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new NotSeen(`not seen within ${seconds(withinMs)}: ${what}${why}`);
}
