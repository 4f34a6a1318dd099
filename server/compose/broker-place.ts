/** Of several servers over one database one at most has its own broker: a gateway that is connected to the one would not hear what the other says. */
import { TsugiteError } from '../../protocol/errors.ts';
import type { Connection } from '../adapters/database.ts';
import { makeTurn } from '../adapters/turn.ts';
import type { Clock, Log } from '../ports.ts';

/** One that was just killed has lost its place by then. */
const patienceMs = 5_000;
/** After a database that was away for a moment. */
const absenceMs = 60_000;

export type BrokerPlace = {
  /** Resolves when another server has taken the place. */
  readonly lost: Promise<Error>;
  stop(): Promise<void>;
};

/** @throws TsugiteError BROKER_NOT_SHARED */
export async function takeBrokerPlace(parts: { connection: Connection; clock: Clock; log: Log }): Promise<BrokerPlace> {
  const { clock } = parts;
  const turn = makeTurn(parts);
  let cancel = () => {};
  let isOurs = (_: boolean) => {};
  let lose = (_: Error) => {};
  const lost = new Promise<Error>((resolve) => {
    lose = resolve;
  });
  const taken = new Promise<boolean>((resolve) => {
    isOurs = resolve;
    cancel = clock.after(patienceMs, () => resolve(false));
  });
  turn.start({
    began: () => {
      cancel();
      isOurs(true);
    },
    ended: () => {
      cancel = clock.after(absenceMs, () => lose(new TsugiteError('BROKER_NOT_SHARED')));
    },
  });
  if (!(await taken)) {
    await turn.stop();
    throw new TsugiteError('BROKER_NOT_SHARED');
  }
  return {
    lost,
    stop: async () => {
      cancel();
      await turn.stop();
    },
  };
}
