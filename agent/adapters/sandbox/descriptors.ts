/**
 * Descriptors that this process would pass on without wanting to. Node opens its own close-on-exec, but not those that it inherited:
 * a shell's open file has been seen to arrive in an app.
 */

import { closeSync, readdirSync, readFileSync } from 'node:fs';

const closeOnExec = 0o2000000;

export function inheritableDescriptors(): number[] {
  return readdirSync('/proc/self/fd')
    .map(Number)
    .filter((descriptor) => descriptor > 2 && isInheritable(descriptor));
}

/** Safe at any time: whatever Node or its libraries opened is close-on-exec, so what is not came from whoever started this process. */
export function closeInheritedDescriptors(): void {
  for (const descriptor of inheritableDescriptors()) closeSync(descriptor);
}

function isInheritable(descriptor: number): boolean {
  try {
    const flags = /^flags:\s+([0-7]+)/m.exec(readFileSync(`/proc/self/fdinfo/${descriptor}`, 'utf8'))?.[1];
    return flags !== undefined && (Number.parseInt(flags, 8) & closeOnExec) === 0;
  } catch {
    return false; // closed since the listing, as the listing's own descriptor is
  }
}
