/** A gateway's flash: an ext4 image of its own, from which the power can be cut so that nothing unsynced survives. */
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** EXT4_IOC_SHUTDOWN with EXT4_GOING_FLAGS_NOLOGFLUSH: from here on nothing reaches the disk, not even what the journal holds. */
const shutDown = 'sysopen(my $x,$ARGV[0],0) or die; my $p=pack("I",2); ioctl($x,0x8004587D,$p) or die $!';

/** @param place  folder to mount it at; left out: one of its own */
export function aFlash(megabytes: number, place?: string) {
  const folder = mkdtempSync(join(tmpdir(), 'flash-'));
  const [image, at] = [join(folder, 'flash.img'), place ?? join(folder, 'at')];
  writeFileSync(image, '');
  truncateSync(image, megabytes * 1_000_000);
  execFileSync('mkfs.ext4', ['-q', '-F', image]);
  mkdirSync(at, { recursive: true });
  // A long commit interval: what is there after a cut is what somebody asked to be there.
  // Shared, so that no namespace which a program has made meanwhile keeps it when it is taken away.
  const mount = () => execFileSync('mount', ['--make-shared', '-o', 'loop,commit=600', image, at]);
  mount();
  return {
    at,
    /** Every byte of the flash, whether a file still names it or not. */
    holds(marker: string): boolean {
      execFileSync('sync', ['-f', at]);
      return readFileSync(image).includes(marker);
    },
    cutPower() {
      execFileSync('perl', ['-e', shutDown, at]);
      execFileSync('umount', [at]);
      mount();
    },
    remove() {
      execFileSync('umount', [at]);
      rmSync(folder, { recursive: true });
    },
  };
}
