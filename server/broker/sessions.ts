/**
 * What the broker remembers between two packets, in memory: retained messages, subscriptions of persistent sessions, and per session the newest
 * message of each topic that was not acknowledged yet. PostgreSQL is the truth; after a restart the server publishes its notices again.
 *
 * aedes' own memory store scans every retained topic for each SUBSCRIBE and queues without end for a gateway that is away: 10,000 gateways
 * that come back at once would cost 10⁸ comparisons, and a year away 52 notices of which only the last one counts. Topics are exact here
 * (the rules refuse wildcards), so each question is one look into a map.
 */
import { Readable } from 'node:stream';

type Stored = {
  cmd?: string;
  topic: string;
  payload: Buffer;
  qos: number;
  retain: boolean;
  brokerId?: string;
  brokerCounter?: number;
  messageId?: number | undefined;
};
type Subscription = { topic: string; qos: number; rh?: unknown; rap?: unknown; nl?: unknown };
type Named = { id: string };

export class Sessions {
  readonly #retained = new Map<string, Stored>();
  readonly #subscriptions = new Map<string, Map<string, Subscription>>();
  readonly #subscribersOf = new Map<string, Map<string, Subscription>>();
  readonly #unacknowledged = new Map<string, Map<string, Stored>>();
  readonly #wills = new Map<string, Stored>();

  async setup(): Promise<void> {}
  async destroy(): Promise<void> {}

  async storeRetained(packet: Stored): Promise<void> {
    if (packet.payload.length === 0) this.#retained.delete(packet.topic);
    else this.#retained.set(packet.topic, { ...packet });
  }

  createRetainedStreamCombi(topics: string[]): Readable {
    return Readable.from(topics.flatMap((topic) => this.#retained.get(topic) ?? []));
  }

  async addSubscriptions(client: Named, subscriptions: Subscription[]): Promise<void> {
    for (const subscription of subscriptions) {
      inner(this.#subscriptions, client.id).set(subscription.topic, { ...subscription });
      inner(this.#subscribersOf, subscription.topic).set(client.id, { ...subscription });
    }
  }

  async removeSubscriptions(client: Named, topics: string[]): Promise<void> {
    for (const topic of topics) {
      removeInner(this.#subscriptions, client.id, topic);
      removeInner(this.#subscribersOf, topic, client.id);
      removeInner(this.#unacknowledged, client.id, topic);
    }
  }

  async cleanSubscriptions(client: Named): Promise<void> {
    await this.removeSubscriptions(client, [...(this.#subscriptions.get(client.id)?.keys() ?? [])]);
    this.#unacknowledged.delete(client.id);
  }

  async subscriptionsByClient(client: Named): Promise<Subscription[]> {
    return [...(this.#subscriptions.get(client.id)?.values() ?? [])].map((subscription) => ({ ...subscription }));
  }

  async subscriptionsByTopic(topic: string): Promise<(Subscription & { clientId: string })[]> {
    const subscribers = this.#subscribersOf.get(topic);
    if (subscribers === undefined) return [];
    return [...subscribers].filter(([, { qos }]) => qos > 0).map(([clientId, subscription]) => ({ ...subscription, clientId }));
  }

  async outgoingEnqueue(subscriber: { clientId: string }, packet: Stored): Promise<void> {
    // Deleted first, so that the newest message also comes last.
    removeInner(this.#unacknowledged, subscriber.clientId, packet.topic);
    inner(this.#unacknowledged, subscriber.clientId).set(packet.topic, { ...packet, messageId: undefined });
  }

  async outgoingEnqueueCombi(subscribers: { clientId: string }[], packet: Stored): Promise<void> {
    for (const subscriber of subscribers) await this.outgoingEnqueue(subscriber, packet);
  }

  /** A packet that a newer one has replaced meanwhile is no fault: it is on the wire already, and its PUBACK will find nothing to clear. */
  async outgoingUpdate(client: Named, packet: Stored): Promise<void> {
    const kept = this.#unacknowledged.get(client.id)?.get(packet.topic);
    if (kept !== undefined && kept.brokerId === packet.brokerId && kept.brokerCounter === packet.brokerCounter)
      kept.messageId = packet.messageId;
  }

  async outgoingClearMessageId(client: Named, packet: { messageId?: number | undefined }): Promise<Stored | undefined> {
    const kept = [...(this.#unacknowledged.get(client.id)?.values() ?? [])].find(({ messageId }) => messageId === packet.messageId);
    if (kept !== undefined) removeInner(this.#unacknowledged, client.id, kept.topic);
    return kept;
  }

  outgoingStream(client: Named): Readable {
    return Readable.from([...(this.#unacknowledged.get(client.id)?.values() ?? [])]);
  }

  async putWill(client: Named, packet: Stored): Promise<void> {
    this.#wills.set(client.id, packet);
  }

  async delWill(client: Named): Promise<Stored | undefined> {
    const will = this.#wills.get(client.id);
    this.#wills.delete(client.id);
    return will;
  }

  /** Wills of other brokers that died: there are none, this broker is alone and its sessions die with it. */
  streamWill(): Readable {
    return Readable.from([]);
  }

  /** QoS 2 is refused by the access rules, so nothing half received is ever kept. */
  async incomingGetPacket(): Promise<never> {
    throw new Error('QoS 2 is not spoken here');
  }
  async incomingStorePacket(): Promise<never> {
    throw new Error('QoS 2 is not spoken here');
  }
  async incomingDelPacket(): Promise<never> {
    throw new Error('QoS 2 is not spoken here');
  }
  async cleanIncoming(): Promise<void> {}
}

function inner<Value>(map: Map<string, Map<string, Value>>, key: string): Map<string, Value> {
  const existing = map.get(key);
  if (existing !== undefined) return existing;
  const made = new Map<string, Value>();
  map.set(key, made);
  return made;
}

function removeInner<Value>(map: Map<string, Map<string, Value>>, key: string, entry: string): void {
  const entries = map.get(key);
  entries?.delete(entry);
  if (entries?.size === 0) map.delete(key);
}
