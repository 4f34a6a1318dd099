/** This machine's clock. */
export function wallMs(): number {
  return Date.now();
}
