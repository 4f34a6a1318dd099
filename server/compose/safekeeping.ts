/** backup and restore on this machine, with its clock. A person reads the answer: of the log only what went wrong. */
import { systemClock } from '../adapters/clock.ts';
import { makeLog } from '../adapters/log.ts';
import { programVersion } from '../adapters/package-root.ts';
import { systemRandom } from '../adapters/random.ts';
import { type BackedUp, type BackUpOrder, backUp } from './back-up.ts';
import { type RestoredServer, type RestoreOrder, restore, verifyBackup } from './restore.ts';

export type Safekeeping = {
  backUp(order: BackUpOrder): Promise<BackedUp>;
  verifyBackup: typeof verifyBackup;
  restore(order: RestoreOrder): Promise<RestoredServer>;
};

export const safekeeping: Safekeeping = {
  backUp: (order) => backUp(order, { clock: systemClock, random: systemRandom, program: programVersion() }),
  verifyBackup,
  restore: (order) => restore(order, { clock: systemClock, log: makeLog('warn') }),
};
