/**
 * A mount namespace that the launcher makes before it drops its uid, with numbers below one door: binds of what stands below a closed folder, such
 * as a clone under /root (0700), and mounts of images. Nothing is copied, no permission of the gateway changes, and all of it ends with the
 * process, however that ends.
 */
import { mountOptions } from './data-image.ts';

export type Doorway = { readonly door: string; readonly entries: readonly Entry[] };
type Entry = { readonly kind: 'bind' | 'image'; readonly path: string };

/** Folders that every Linux has and nobody needs while one app starts. The first that hides no path we want to show. */
const doors = ['/mnt', '/media', '/srv', '/opt'];

/** @param otherPaths  what has to be seen beside what goes through the door */
export function planDoorway(
  { closed, images }: { closed: readonly string[]; images: readonly string[] },
  otherPaths: readonly string[],
): Doorway | undefined {
  const entries = [
    ...[...new Set(closed)].map((path): Entry => ({ kind: 'bind', path })),
    ...[...new Set(images)].map((path): Entry => ({ kind: 'image', path })),
  ];
  const paths = [...entries.map(({ path }) => path), ...otherPaths];
  const door = doors.find((candidate) => !paths.some((path) => path === candidate || path.startsWith(`${candidate}/`)));
  return door === undefined ? undefined : { door, entries };
}

export function throughDoor({ door, entries }: Doorway, path: string): string {
  const index = entries.findIndex((entry) => entry.path === path);
  return index < 0 ? path : `${door}/${index}`;
}

export function doorwayOperands({ door, entries }: Doorway): string[] {
  return [door, ...entries.flatMap(({ kind, path }) => [kind, path]), '--'];
}

/** `sh -c <script> sh <operands> <command…>`, run as root in a mount namespace of its own. */
export const doorwayScript = [
  'set -e; door=$1; shift',
  'mount -t tmpfs -o mode=0711,size=64k tsugite "$door"; i=0',
  'while [ "$1" != -- ]; do',
  'if [ -d "$2" ] || [ "$1" = image ]; then mkdir "$door/$i"; else : > "$door/$i"; fi',
  'case $1 in',
  // What a repair may have made is no folder of the app's; one that holds something stays.
  `image) mount -n -t ext4 -o ${mountOptions} "$2" "$door/$i"; rmdir "$door/$i/lost+found" 2> /dev/null || : ;;`,
  '*) mount --bind "$2" "$door/$i" ;;',
  'esac; i=$((i + 1)); shift 2',
  'done; shift; exec "$@"',
].join('\n');
