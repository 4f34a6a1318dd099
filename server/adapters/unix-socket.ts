import { chmodSync, lstatSync, rmSync } from 'node:fs';
import { TsugiteError } from '../../protocol/errors.ts';

/**
 * Listens at a unix socket for its group alone. What a killed server left there goes first; the data folder's lock says that no other one of ours runs.
 *
 * @throws TsugiteError FILE_EXISTS when something else stands there
 */
export async function listenAtSocket(path: string, listen: (path: string) => Promise<unknown>): Promise<void> {
  const found = lstatSync(path, { throwIfNoEntry: false });
  if (found !== undefined && !found.isSocket()) throw new TsugiteError('FILE_EXISTS', { path });
  rmSync(path, { force: true });
  await listen(path);
  chmodSync(path, 0o660);
}
