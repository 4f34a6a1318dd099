/** A broker that is not ours (MQTT_URL), behind the port of the embedded one. Of several server processes one at a time hears and speaks. */
import type { Broker, OutsideBroker, OutsideDuties } from '../../ports/gateways.ts';
import type { Clock, Log } from '../../ports.ts';
import { makeHearing } from './hearing.ts';
import { makeKick } from './kick.ts';
import { makeSpeaking, type Speaking } from './speaking.ts';
import type { StandingConnection } from './standing-connection.ts';

/** Without a connection for this long, another process may do better. */
const offerAfterMs = 60_000;

export function makeOutsideBroker({
  access,
  publicPort,
  turn,
  clock,
  log,
}: OutsideBroker & { clock: Clock; log: Log }): Broker<OutsideDuties> {
  const outside = { access, clock, log };
  const kick = makeKick(outside);
  let speaking: Speaking | undefined;
  let hearing: StandingConnection | undefined;
  let cancelOffer = () => {};
  // Began and ended follow each other as fast as the database says so; what they start and stop must not overlap.
  let last = Promise.resolve();
  const inOrder = (what: string, work: () => Promise<void>) => {
    last = last.then(work).catch((error: unknown) => log.error('broker.turn_failed', { what, error }));
    return last;
  };

  function offerLater(): void {
    cancelOffer();
    cancelOffer = clock.after(offerAfterMs, () => {
      void turn.offer().finally(offerLater);
    });
  }

  async function begin(duties: OutsideDuties): Promise<void> {
    log.info('broker.turn_began', { clientId: access.clientId });
    offerLater();
    speaking = makeSpeaking(outside, { duties });
    hearing = makeHearing(outside, { duties, onUp: () => cancelOffer(), onDown: offerLater });
    speaking.start();
    hearing.start();
    await duties.began();
  }

  async function end(duties: OutsideDuties): Promise<void> {
    const [ears, voice] = [hearing, speaking];
    if (ears === undefined || voice === undefined) return;
    hearing = undefined;
    // Ears first: what is in work may still be answered.
    await ears.stop();
    cancelOffer();
    await duties.ended();
    await voice.stop();
    speaking = undefined;
    log.info('broker.turn_ended', { clientId: access.clientId });
  }

  let stopDuties = async () => {};
  return {
    start: async (duties) => {
      stopDuties = () => inOrder('end', () => end(duties));
      turn.start({ began: () => void inOrder('begin', () => begin(duties)), ended: () => void stopDuties() });
      return publicPort;
    },
    publishNotice: (gateway, envelope) => speaking?.publishNotice(gateway, envelope),
    publishAck: (gateway, ack) => speaking?.publishAck(gateway, ack),
    cutOff: kick,
    stop: async () => {
      await stopDuties();
      await turn.stop();
    },
  };
}
