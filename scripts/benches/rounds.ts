/** Things to compare are measured in turn, round after round: what disturbs the machine then disturbs them alike. */

/** @param isKept  false in the warm-up round */
export type Contestant = (isKept: boolean) => Promise<void>;

/** @param rounds  kept ones; a round before them fills caches */
export async function inRounds(rounds: number, contestants: readonly Contestant[], say: (line: string) => void = () => {}): Promise<void> {
  for (let round = 0; round <= rounds; round += 1) {
    // Every other round the other way round: no one profits from what its neighbour leaves behind.
    for (const run of round % 2 === 0 ? contestants : [...contestants].reverse()) await run(round > 0);
    say(round === 0 ? '  warm-up round' : `  round ${round} of ${rounds}`);
  }
}

export function keep<Figures>(all: Figures[], isKept: boolean, figures: Figures): void {
  if (isKept) all.push(figures);
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((left, right) => left - right);
  const middle = sorted.length >> 1;
  if (sorted.length === 0) return Number.NaN;
  return sorted.length % 2 === 1 ? (sorted[middle] as number) : ((sorted[middle - 1] as number) + (sorted[middle] as number)) / 2;
}

/** The median of what each round gave, not the ratio of two medians: a slow moment hits both sides of one round. */
export function medianRatio(values: readonly number[], floors: readonly number[]): number {
  return median(values.map((value, round) => value / (floors[round] as number)));
}
