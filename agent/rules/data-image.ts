/**
 * The file system in which one app's data lie: a small ext4 image, so that what was paid for is what the kernel gives, whatever the app does with
 * it. Sizes only; adapters/app-data/ makes and mounts it.
 */

const blockBytes = 1_024;
const blocksPerGroup = 8_192;
const inodeBytes = 256;
const bytesPerInode = 4_096;
const journalBlocks = 1_024;
/** The kernel's own reserve, which `df` leaves out (ext4: 2 %, at most 4096 clusters). */
const reserveOf = (blocks: number) => Math.min(4_096, Math.floor(blocks / 50));
const stepBlocks = 64;
/** A last group too small to hold its own tables is left out by mke2fs. */
const smallestGroupBlocks = 1_024;

export const smallestImageBytes = 4 * 1024 * 1024;

/** `dataBytes` are usable bytes; what a journal and the tables take comes on top. */
export function imageBytesFor(dataBytes: number): number {
  let blocks = smallestImageBytes / blockBytes;
  while (usableBytesOf(blocks * blockBytes) < dataBytes) blocks += stepBlocks;
  return blocks * blockBytes;
}

/** What an app may fill in an image of this size, at least. */
export function usableBytesOf(imageBytes: number): number {
  const blocks = Math.floor(imageBytes / blockBytes);
  const last = (blocks - 1) % blocksPerGroup;
  if (last > 0 && last < smallestGroupBlocks) return usableBytesOf((blocks - last) * blockBytes);
  return (blocks - overheadBlocks(blocks) - reserveOf(blocks)) * blockBytes;
}

/** Boot block, journal, and in each group two bitmaps and the inode table; in some groups a copy of the superblock with room to grow. */
function overheadBlocks(blocks: number): number {
  const groups = Math.max(1, Math.ceil((blocks - 1) / blocksPerGroup));
  const inodesPerGroup = Math.ceil(Math.ceil((blocks * blockBytes) / bytesPerInode / groups) / 8) * 8;
  const tableBlocks = Math.ceil((inodesPerGroup * inodeBytes) / blockBytes);
  const growthBlocks = Math.min(256, Math.ceil(blocks / 256));
  const copies = Array.from({ length: groups }, (_, group) => group).filter(hasSuperblock).length;
  const rootFolder = 1 + 12; // itself, and lost+found
  return 1 + journalBlocks + groups * (2 + tableBlocks) + copies * (2 + growthBlocks) + rootFolder + 16;
}

/** `sparse_super`: groups 0, 1 and the powers of 3, 5 and 7. */
function hasSuperblock(group: number): boolean {
  return group <= 1 || [3, 5, 7].some((base) => isPowerOf(base, group));
}

function isPowerOf(base: number, value: number): boolean {
  let power = base;
  while (power < value) power *= base;
  return power === value;
}

/** The layout is pinned: a mke2fs of another gateway must come to the same size. */
export function mkfsArguments(path: string, imageBytes: number, uid: number): string[] {
  return [
    ...['-q', '-F', '-t', 'ext4', '-m', '0'],
    ...[
      '-b',
      String(blockBytes),
      '-g',
      String(blocksPerGroup),
      '-I',
      String(inodeBytes),
      '-N',
      String(Math.floor(imageBytes / bytesPerInode)),
    ],
    ...['-J', 'size=1'],
    ...['-O', `none,${features.join(',')}`],
    // Without discard: the blocks below were just taken from the gateway's own file system, and must stay ours.
    ...['-E', `nodiscard,lazy_itable_init=0,lazy_journal_init=0,root_owner=${uid}:${uid}`],
    path,
  ];
}
const features = [
  'has_journal',
  'ext_attr',
  'resize_inode',
  'dir_index',
  'filetype',
  'extent',
  'sparse_super',
  'large_file',
  'extra_isize',
  'metadata_csum',
] as const;

/** No program, no device and no setuid file of an app's data is ever one to the kernel. */
export const mountOptions = 'loop,nosuid,nodev,noexec,noatime,errors=remount-ro';

/** What a superblock says, unmounted. */
export type ImageFacts = { bytes: number; usedBytes: number };

/** @returns undefined when these are not the first bytes of an ext4 image of ours (ext4 "Super Block", little endian) */
export function readSuperblock(head: Uint8Array): ImageFacts | undefined {
  const at = 1_024;
  if (head.length < at + 1_024) return undefined;
  const view = new DataView(head.buffer, head.byteOffset + at, 1_024);
  if (view.getUint16(0x38, true) !== 0xef53 || view.getUint32(0x18, true) !== 0) return undefined; // magic; blocks of 1 KiB
  const [blocks, free, overhead] = [0x04, 0x0c, 0x248].map((offset) => view.getUint32(offset, true)) as [number, number, number];
  // After a resize the overhead is unknown (0) until the next mount.
  return { bytes: blocks * blockBytes, usedBytes: Math.max(0, blocks - (overhead || overheadBlocks(blocks)) - free) * blockBytes };
}

export type Resize =
  | { kind: 'none' }
  | { kind: 'grow'; toBytes: number }
  | { kind: 'shrink'; toBytes: number }
  /** More is in it than the new limit: it keeps its size, and nothing is deleted. */
  | { kind: 'too-full'; usedBytes: number };

/** @param dataBytes  the limit in force now */
export function planResize({ bytes, usedBytes }: ImageFacts, dataBytes: number): Resize {
  const toBytes = imageBytesFor(dataBytes);
  // mke2fs leaves a last group out when it is too small: such an image is as large as it can be.
  if (usableBytesOf(bytes) < dataBytes) return { kind: 'grow', toBytes };
  if (bytes <= toBytes) return { kind: 'none' };
  return usedBytes < usableBytesOf(toBytes) ? { kind: 'shrink', toBytes } : { kind: 'too-full', usedBytes };
}
