/**
 * One MQTT 3.1.1 connection to an outside broker, kept for years: opened, watched, and opened again with growing pauses. mqtt.js is new for each
 * connection and remembers nothing: what counts stands in the database.
 */
import { type IClientOptions, connect as mqttConnect } from 'mqtt';
import { describe, type ErrorCode } from '../../../protocol/errors.ts';
import type { BrokerAccess } from '../../ports/gateways.ts';
import type { Clock, Log } from '../../ports.ts';

const keepaliveS = 30;
const comeUpMs = 20_000;
const sayGoodbyeMs = 3_000;
const againFirstMs = 500;
const againMostMs = 30_000;
/** A connection that held this long was healthy: the next pause is short again. */
const healthyMs = 60_000;

export type Arrived = {
  readonly topic: string;
  readonly payload: Buffer;
  readonly qos: 0 | 1 | 2;
  readonly retain: boolean;
  /** The broker has sent it before on this session, and we did not acknowledge it. */
  readonly dup: boolean;
};

export type Connection = {
  /** @throws Error when the broker grants less than QoS 1 */
  subscribe(filters: readonly string[]): Promise<void>;
  unsubscribe(filter: string): Promise<void>;
  /** Resolves when the broker has it (QoS 1), or when it is on its way (QoS 0). */
  publish(topic: string, payload: Uint8Array, how: { qos: 0 | 1; retain: boolean }): Promise<void>;
  drop(why: string): void;
};

export type StandingConnection = {
  start(): void;
  stop(): Promise<void>;
};

type Handlers = {
  /** What has to be done on each new connection; when it fails the connection is dropped. */
  onUp(connection: Connection): Promise<void>;
  /** Acknowledged when it resolves. When it rejects the connection is dropped, so that the broker sends the message again. */
  onMessage(message: Arrived, connection: Connection): Promise<void>;
  onDown(): void;
};

export function makeStandingConnection(
  name: 'hearing' | 'speaking',
  { access, session, clock, log }: { access: BrokerAccess; session: { clientId: string; clean: boolean }; clock: Clock; log: Log },
  { onUp, onMessage, onDown }: Handlers,
): StandingConnection {
  let isStopping = false;
  let failures = 0;
  let told: string | undefined;
  let sayGoodbye: () => Promise<void> = async () => {};
  let cancelAgain = () => {};

  function open(): void {
    let why: string | undefined;
    let isUp = false;
    let upSinceMs = 0;
    const client = mqttConnect(access.url, optionsOf(access, session));
    const drop = (reason: string) => {
      why ??= reason;
      client.stream.destroy();
    };
    const cancelPatience = clock.after(comeUpMs, () => drop('no answer'));
    const closed = new Promise<void>((resolve) => void client.once('close', () => resolve()));
    sayGoodbye = async () => {
      cancelPatience();
      if (isUp) client.end(false);
      else drop('stopped');
      const cancelGoodbye = clock.after(sayGoodbyeMs, () => drop('goodbye unanswered'));
      await closed;
      cancelGoodbye();
    };

    const connection: Connection = {
      subscribe: async (filters) => {
        const granted = await client.subscribeAsync(Object.fromEntries(filters.map((filter) => [filter, { qos: 1 as const }])));
        // SUBACK may say "failure" (MQTT 3.1.1 §3.9.3), and a broker that forbids a topic may grant less than was asked.
        if (granted.some(({ qos }) => qos !== 1)) throw new Error(`subscription refused: ${filters.join(' ')}`);
      },
      unsubscribe: async (filter) => void (await client.unsubscribeAsync(filter)),
      publish: async (topic, payload, how) => void (await client.publishAsync(topic, asBuffer(payload), how)),
      drop,
    };

    client.handleMessage = ({ topic, payload, qos, retain, dup }, done) => {
      const message = { topic, payload: asBuffer(payload), qos, retain, dup };
      onMessage(message, connection).then(
        () => done(),
        // mqtt.js would neither acknowledge nor go on.
        (error: unknown) => drop(`message not taken: ${String(error)}`),
      );
    };
    client.on('error', (error) => {
      why ??= error.message;
    });
    client.once('connect', ({ sessionPresent }) => {
      cancelPatience();
      isUp = true;
      upSinceMs = clock.nowMs();
      told = undefined;
      log.info('broker.connected', { name, sessionPresent });
      onUp(connection).catch((error: unknown) => drop(String(error)));
    });
    client.once('close', () => {
      cancelPatience();
      client.end(true);
      if (isUp) onDown();
      if (isStopping) return;
      failures = isUp && clock.nowMs() - upSinceMs > healthyMs ? 1 : failures + 1;
      tell(why ?? 'closed by the broker', isUp);
      cancelAgain = clock.after(Math.min(againFirstMs * 2 ** (failures - 1), againMostMs), open);
    });
  }

  /** The same failure is told once, not at every attempt of a night. */
  function tell(why: string, wasUp: boolean): void {
    if (why === told) return;
    told = why;
    const code: ErrorCode = 'BROKER_UNAVAILABLE';
    log.warn(wasUp ? 'broker.lost' : 'broker.unreachable', { name, url: access.url, why, code, number: describe(code).number });
  }

  return {
    start: () => {
      isStopping = false;
      open();
    },
    stop: async () => {
      isStopping = true;
      cancelAgain();
      await sayGoodbye();
    },
  };
}

export function optionsOf({ url, caPem, certificate, password }: BrokerAccess, { clientId, clean }: { clientId: string; clean: boolean }) {
  const isSecure = url.startsWith('mqtts:');
  return {
    clientId,
    clean,
    protocolVersion: 4,
    keepalive: keepaliveS,
    reconnectPeriod: 0,
    connectTimeout: comeUpMs,
    resubscribe: false,
    queueQoSZero: false,
    writeCache: false,
    ...(password && { username: password.username, password: password.password }),
    ...(isSecure && {
      minVersion: 'TLSv1.3' as const,
      ...(caPem && { ca: caPem }),
      ...(certificate && { cert: certificate.certPem, key: certificate.keyPem }),
    }),
  } satisfies IClientOptions;
}

function asBuffer(bytes: Uint8Array | string): Buffer {
  return typeof bytes === 'string' ? Buffer.from(bytes) : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
