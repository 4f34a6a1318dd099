/** Waits for something that another process or socket brings about; polls the truth instead of sleeping for a guess. */
export async function until<Value>(look: () => Value | undefined | false, what: string, patienceMs = 8_000): Promise<Value> {
  for (const endMs = Date.now() + patienceMs; Date.now() < endMs; ) {
    const value = look();
    if (value !== undefined && value !== false) return value;
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  throw new Error(`waited in vain for: ${what}`);
}
