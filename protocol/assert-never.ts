/** Ends a switch over a union: a kind added later fails to compile here until it is handled. */
export function assertNever(unexpected: never): never {
  throw new Error(`unhandled kind: ${JSON.stringify(unexpected)}`);
}
