/** scripts/bench server: what one server process on this machine does. Each part brings up what it needs and measures by itself. */
import { measureMonthClose } from './month-close.ts';
import type { Bench } from './result.ts';

const parts: readonly Bench[] = [measureMonthClose];

export const measureServer: Bench = async (options) => {
  const measured = [];
  for (const part of parts) measured.push(await part(options));
  return {
    rows: measured.flatMap(({ rows }) => rows),
    goals: measured.flatMap(({ goals }) => goals),
  };
};
