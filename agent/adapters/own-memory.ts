/** Resident memory of this process, as the kernel counts it. */
export function ownRssBytes(): number {
  return process.memoryUsage.rss();
}
