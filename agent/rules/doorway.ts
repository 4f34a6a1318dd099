/**
 * A way for another uid into folders that stand below a closed one, such as a clone under /root (0700): the launcher makes a mount namespace,
 * binds each path to a number below one door, and only then drops its uid. Nothing is copied, no permission of the gateway changes, and the
 * binds end with the process.
 */

export type Doorway = { readonly door: string; readonly paths: readonly string[] };

/** Folders that every Linux has and nobody needs while one app starts. The first that hides no path we want to show. */
const doors = ['/mnt', '/media', '/srv', '/opt'];

export function planDoorway(closedPaths: readonly string[], otherPaths: readonly string[]): Doorway | undefined {
  const paths = [...new Set(closedPaths)];
  const door = doors.find((candidate) => ![...paths, ...otherPaths].some((path) => path === candidate || path.startsWith(`${candidate}/`)));
  return door === undefined ? undefined : { door, paths };
}

export function throughDoor({ door, paths }: Doorway, path: string): string {
  const index = paths.indexOf(path);
  return index < 0 ? path : `${door}/${index}`;
}

/** `sh -c <script> sh <door> <paths…> -- <command…>`, run as root in a mount namespace of its own. */
export const doorwayScript = [
  'set -e; door=$1; shift',
  'mount -t tmpfs -o mode=0711,size=64k tsugite "$door"; i=0',
  'while [ "$1" != -- ]; do',
  'if [ -d "$1" ]; then mkdir "$door/$i"; else : > "$door/$i"; fi',
  'mount --bind "$1" "$door/$i"; i=$((i + 1)); shift',
  'done; shift; exec "$@"',
].join('\n');
