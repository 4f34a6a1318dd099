/** The folder that PostgreSQL's account can reach: `<data>/postgres`, or one under /var/lib when the data folder lies behind a closed one. */
import { createHash } from 'node:crypto';
import { chmodSync, existsSync, lstatSync, mkdirSync, realpathSync, rmSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { type Account, canReach } from './run-as.ts';

const outside = '/var/lib/tsugite';

/** @throws Error naming both folders when neither can be reached */
export function findPostgresHome(dataDir: string, account: Account): string {
  const wanted = join(realpathSync(dataDir), 'postgres');
  const isNew = lstatSync(wanted, { throwIfNoEntry: false }) === undefined;
  if (isNew) makePassage(wanted);
  const home = realpathSync(wanted);
  if (canReach(account, [['-x', home]])) return home;
  if (!isNew && home !== wanted) throw new Error(`uid ${account.uid} (${account.name}) can no longer reach ${home}`);
  if (existsSync(join(wanted, 'cluster'))) throw new Error(closed(account, wanted));

  // A socket path and a database under /root (0700) are no use to another uid, and opening /root is not ours to do.
  const other = join(outside, `postgres-${createHash('sha256').update(wanted).digest('hex').slice(0, 16)}`);
  rmSync(other, { recursive: true, force: true }); // of a data folder that was deleted: nothing links to it any more
  makePassage(outside);
  makePassage(other);
  if (!canReach(account, [['-x', other]])) throw new Error(closed(account, `${wanted} or ${other}`));
  rmSync(wanted, { recursive: true });
  symlinkSync(other, wanted);
  return other;
}

/** A folder that others may walk through but not list; the umask does not count. */
export function makePassage(path: string): void {
  mkdirSync(path, { recursive: true });
  chmodSync(path, 0o711);
}

function closed(account: Account, folders: string): string {
  return `uid ${account.uid} (${account.name}) cannot reach ${folders}: a folder above it is closed (chmod o+x, or choose another --data)`;
}
