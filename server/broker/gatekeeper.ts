/** The broker's hooks: asks the access rules, then the main thread, and lets nothing through before both said yes. */
import type { AedesOptions, AuthenticateError, Client } from 'aedes';
import type { Verdict } from '../ports/gateways.ts';
import { type AccessFault, decideHello, decidePublish, decideSubscribe, type Hello } from '../rules/broker-access.ts';
import type { FromWorker } from './messages.ts';
import type { Peer } from './tls-door.ts';

type Ask = (
  question: Omit<Extract<FromWorker, { kind: 'connect' }>, 'question'> | Omit<Extract<FromWorker, { kind: 'message' }>, 'question'>,
) => Promise<Verdict>;

/** MQTT 3.1.1 §3.2.2.3 */
const returnCode = { 'client-id': 2, unavailable: 3, refused: 5 } as const;

export class RefusedError extends Error {
  readonly returnCode: number;
  constructor(message: string, code: number = returnCode.refused) {
    super(message);
    this.returnCode = code;
  }
}

export function makeGatekeeper({
  peerOf,
  ask,
  onRefused,
  maxKeepaliveS,
}: {
  peerOf: (client: Client) => Peer | undefined;
  ask: Ask;
  onRefused: (peer: Peer, why: AccessFault, detail: string) => void;
  maxKeepaliveS: number;
}): Pick<AedesOptions, 'preConnect' | 'authenticate' | 'authorizePublish' | 'authorizeSubscribe'> {
  const hellos = new WeakMap<Client, Hello>();

  function refuse(peer: Peer, why: AccessFault, detail: string): RefusedError {
    onRefused(peer, why, detail);
    return new RefusedError(`${why}: ${detail}`, why === 'client-id' ? returnCode['client-id'] : returnCode.refused);
  }

  async function admit(client: Client): Promise<RefusedError | null> {
    const peer = peerOf(client);
    const hello = hellos.get(client);
    if (peer === undefined || hello === undefined) return new RefusedError('unknown peer');
    const decision = decideHello(peer.gateway, hello, maxKeepaliveS);
    if (decision.kind === 'refuse')
      return refuse(peer, decision.why, `client id ${hello.clientId.slice(0, 80)}, keep-alive ${hello.keepaliveS}`);
    const verdict = await ask({ kind: 'connect', ...peer });
    if (verdict === 'allow') return null;
    return new RefusedError(verdict, verdict === 'unavailable' ? returnCode.unavailable : returnCode.refused);
  }

  return {
    preConnect(client, { clientId, protocolVersion = 0, keepalive = 0, will }, done) {
      hellos.set(client, {
        clientId,
        protocolVersion,
        keepaliveS: keepalive,
        will: will === undefined || will === null ? undefined : { topic: will.topic, qos: will.qos ?? 0, retain: will.retain ?? false },
      });
      done(null, true);
    },

    authenticate(client, _user, _password, done) {
      admit(client).then(
        (error) => done(error as AuthenticateError | null, error === null),
        (error: unknown) => done(new RefusedError(String(error), returnCode.unavailable) as AuthenticateError, false),
      );
    },

    authorizePublish(client, packet, done) {
      const peer = client === null ? undefined : peerOf(client);
      if (peer === undefined) return done(new RefusedError('not from a gateway'));
      const decision = decidePublish(peer.gateway, packet);
      if (decision.kind === 'refuse') return done(refuse(peer, decision.why, packet.topic.slice(0, 200)));
      const payload = typeof packet.payload === 'string' ? Buffer.from(packet.payload) : packet.payload;
      // The PUBACK waits for this answer, so one gateway can never have more in flight than it may send unacknowledged.
      const { connection, gateway } = peer;
      ask({ kind: 'message', connection, gateway, what: decision.what, payload }).then(
        () => done(null),
        (error: unknown) => done(new RefusedError(String(error))),
      );
    },

    authorizeSubscribe(client, subscription, done) {
      const peer = peerOf(client);
      if (peer === undefined) return done(new RefusedError('unknown peer'));
      const decision = decideSubscribe(peer.gateway, subscription.topic);
      if (decision.kind === 'refuse') return done(refuse(peer, decision.why, `subscribe ${subscription.topic.slice(0, 200)}`));
      done(null, subscription);
    },
  };
}
