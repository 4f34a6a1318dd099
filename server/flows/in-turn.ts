/** Runs the jobs of one key one after the other, those of different keys side by side. `isLast` tells a job that no other waits behind it. */
export function makeInTurn<Key>(): <Result>(key: Key, job: (isLast: () => boolean) => Promise<Result>) => Promise<Result> {
  const waiting = new Map<Key, { tail: Promise<unknown>; jobs: number }>();
  return async (key, job) => {
    const line = waiting.get(key) ?? { tail: Promise.resolve(), jobs: 0 };
    waiting.set(key, line);
    line.jobs += 1;
    const run = line.tail.then(() => job(() => line.jobs === 1));
    line.tail = run.catch(() => {});
    try {
      return await run;
    } finally {
      line.jobs -= 1;
      if (line.jobs === 0) waiting.delete(key);
    }
  };
}
