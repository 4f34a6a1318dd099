/** A fresh ext4 of its own in a file: an old file system answers up to six times more slowly, and never twice alike. */
import { execFileSync } from 'node:child_process';
import { chmodSync, closeSync, ftruncateSync, mkdirSync, openSync } from 'node:fs';
import path from 'node:path';

export type LoopDisk = { readonly folder: string; remove(): void };

/** @param folder  an existing one that other users can enter; the image stands in it, and the file system under `disk/` */
export function makeLoopDisk(folder: string, bytes: number): LoopDisk {
  const image = path.join(folder, 'disk.img');
  const disk = path.join(folder, 'disk');
  const file = openSync(image, 'w');
  ftruncateSync(file, bytes);
  closeSync(file);
  execFileSync('mkfs.ext4', ['-q', '-F', '-E', 'lazy_itable_init=0,lazy_journal_init=0', image]);
  mkdirSync(disk);
  execFileSync('mount', ['-o', 'loop', image, disk]);
  chmodSync(disk, 0o755);
  // Lazily: an interrupted run may leave a child on it, which goes with this process.
  const remove = () => void execFileSync('umount', ['--lazy', disk]);
  process.once('exit', remove);
  return {
    folder: disk,
    remove() {
      process.removeListener('exit', remove);
      remove();
    },
  };
}
