/** One deployment works at a time: two unpackings at once would need twice the memory and disk, and neither would be ready sooner. */
export type Slot = { isFree(): boolean; take(): Promise<void>; giveBack(): void };

export function makeSlot(): Slot {
  let isTaken = false;
  const waiting: (() => void)[] = [];

  return {
    isFree: () => !isTaken,
    async take() {
      if (isTaken) await new Promise<void>((resolve) => waiting.push(resolve));
      isTaken = true;
    },
    giveBack() {
      isTaken = waiting.length > 0;
      waiting.shift()?.();
    },
  };
}
