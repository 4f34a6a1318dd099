/** A gateway's side of MQTT for tests: a real mqtt.js client that remembers what it was sent. */
import mqtt, { type IClientOptions, type MqttClient } from 'mqtt';

export type Heard = { topic: string; payload: Buffer; retain: boolean };

export type TestClient = {
  readonly client: MqttClient;
  readonly heard: Heard[];
  /** Whether the broker had kept this client's session. */
  readonly sessionPresent: boolean;
  /** Resolves with the first message of this topic that `isWanted`, heard already or still to come. */
  hears(topic: string, isWanted?: (payload: Buffer) => boolean): Promise<Heard>;
  publish(topic: string, payload: string | Buffer, options?: { qos?: 0 | 1 | 2; retain?: boolean }): Promise<void>;
  subscribe(topics: Record<string, { qos: 0 | 1 | 2 }>): Promise<void>;
  /** Resolves when the connection is closed, by whichever side. */
  closed(): Promise<void>;
  end(): Promise<void>;
  /** Breaks the connection without DISCONNECT, so that the last will is published. */
  breakOff(): Promise<void>;
};

/** @throws the error of CONNACK or TLS when the broker refuses */
export async function connectMqtt(
  port: number,
  identity: { certPem: string; keyPem: string },
  serverCaPem: string,
  options: IClientOptions,
): Promise<TestClient> {
  const client = mqtt.connect({
    protocol: 'mqtts',
    host: '127.0.0.1',
    port,
    ca: serverCaPem,
    cert: identity.certPem,
    key: identity.keyPem,
    protocolVersion: 4,
    reconnectPeriod: 0,
    keepalive: 60,
    writeCache: false,
    ...options,
  });
  const heard: Heard[] = [];
  const waiting = new Set<() => void>();
  client.on('message', (topic, payload, packet) => {
    heard.push({ topic, payload, retain: packet.retain });
    for (const look of [...waiting]) look();
  });
  let isClosed = false;
  client.on('close', () => {
    isClosed = true;
  });
  const sessionPresent = await new Promise<boolean>((resolve, reject) => {
    client.once('connect', (packet) => resolve(packet.sessionPresent));
    client.once('error', reject);
    client.once('close', () => reject(new Error('closed before CONNACK')));
  }).catch((error: unknown) => {
    client.on('error', () => {});
    client.end(true);
    throw error;
  });
  client.on('error', () => {});
  return {
    client,
    heard,
    sessionPresent,
    hears: (topic, isWanted = () => true) =>
      new Promise((resolve) => {
        const look = () => {
          const found = heard.find((message) => message.topic === topic && isWanted(message.payload));
          if (found === undefined) return;
          waiting.delete(look);
          resolve(found);
        };
        waiting.add(look);
        look();
      }),
    publish: async (topic, payload, { qos = 1, retain = false } = {}) => {
      await client.publishAsync(topic, payload, { qos, retain });
    },
    subscribe: async (topics) => {
      await client.subscribeAsync(topics);
    },
    closed: async () => {
      if (!isClosed) await closing(client);
    },
    end: async () => {
      await client.endAsync();
    },
    breakOff: async () => {
      const closed = isClosed ? undefined : closing(client);
      client.stream.destroy();
      await closed;
    },
  };
}

function closing(client: MqttClient): Promise<void> {
  return new Promise((resolve) => {
    client.once('close', () => resolve());
  });
}
