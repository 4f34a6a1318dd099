/** `tsugite-server token rescue`: a way in for whoever holds the machine, when every operator's token has ended or is lost. */
import { systemClock } from '../adapters/clock.ts';
import { dataFolder, verifyInitialised } from '../adapters/data-folder.ts';
import { lockDataFolder } from '../adapters/data-lock.ts';
import { makeLog } from '../adapters/log.ts';
import { systemRandom } from '../adapters/random.ts';
import type { ServerConfig } from '../config.ts';
import { type IssuedToken, makeTokens } from '../flows/tokens.ts';
import { openServerDatabase } from './database.ts';

/** Long enough to issue lasting ones with it. */
const rescueDays = 1;

/**
 * @param person  as the operating system knows whoever asks; it stands in the audit
 * @throws TsugiteError NOT_INITIALISED · ALREADY_RUNNING: a server that runs is asked by its API, or stopped first
 */
export async function rescueToken(dir: string, config: ServerConfig, person: string): Promise<IssuedToken> {
  const folder = dataFolder(dir);
  verifyInitialised(folder);
  const lock = lockDataFolder(folder.lock, folder.root);
  try {
    const database = await openServerDatabase(folder, config, { clock: systemClock, log: makeLog('warn') });
    try {
      const tokens = makeTokens({ db: database.db, clock: systemClock, random: systemRandom });
      return await tokens.create(
        { role: 'operator', label: `rescue ${person}`, days: rescueDays },
        { name: `local:${person}`, role: 'operator' },
      );
    } finally {
      await database.close();
    }
  } finally {
    lock.release();
  }
}
