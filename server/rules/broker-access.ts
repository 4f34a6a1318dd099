/** What one gateway may do at the broker: its own topics, as they were meant, nothing else (DESIGN §7). */
import type { GatewayId } from '../../protocol/fields.ts';
import { parseTopic, publishedByGateway } from '../../protocol/topics.ts';

export type Traffic = keyof typeof publishedByGateway;

export type AccessDecision<Allowed> = { kind: 'allow'; what: Allowed } | { kind: 'refuse'; why: AccessFault };
export type AccessFault = 'not-its-topic' | 'wrong-qos' | 'wrong-retain' | 'client-id' | 'keep-alive' | 'last-will' | 'protocol';

type Packet = { topic: string; qos: number; retain: boolean };

export function decidePublish(gateway: GatewayId, packet: Packet): AccessDecision<Traffic> {
  const topic = parseTopic(packet.topic);
  if (topic === undefined || topic.gateway !== gateway || !isUpward(topic.kind)) return { kind: 'refuse', why: 'not-its-topic' };
  const meant = publishedByGateway[topic.kind];
  if (packet.qos !== meant.qos) return { kind: 'refuse', why: 'wrong-qos' };
  // A retained report would be given to whoever subscribes next, and stand in memory for ever.
  if (packet.retain !== meant.retain) return { kind: 'refuse', why: 'wrong-retain' };
  return { kind: 'allow', what: topic.kind };
}

/** Wildcards are no topic of ours, so they are refused here too. */
export function decideSubscribe(gateway: GatewayId, filter: string): AccessDecision<'notice' | 'ack'> {
  const topic = parseTopic(filter);
  if (topic === undefined || topic.gateway !== gateway || (topic.kind !== 'notice' && topic.kind !== 'ack'))
    return { kind: 'refuse', why: 'not-its-topic' };
  return { kind: 'allow', what: topic.kind };
}

export type Hello = { clientId: string; protocolVersion: number; keepaliveS: number; will: Packet | undefined };

/**
 * @param maxKeepaliveS  longest silence after which the broker must still notice that a gateway is gone; 0 in CONNECT would mean never
 */
export function decideHello(gateway: GatewayId, hello: Hello, maxKeepaliveS: number): AccessDecision<'session'> {
  if (hello.protocolVersion !== 4) return { kind: 'refuse', why: 'protocol' };
  if (hello.clientId !== gateway) return { kind: 'refuse', why: 'client-id' };
  if (hello.keepaliveS < 1 || hello.keepaliveS > maxKeepaliveS) return { kind: 'refuse', why: 'keep-alive' };
  if (hello.will !== undefined) {
    const will = decidePublish(gateway, hello.will);
    if (will.kind === 'refuse' || will.what !== 'presence') return { kind: 'refuse', why: 'last-will' };
  }
  return { kind: 'allow', what: 'session' };
}

function isUpward(kind: string): kind is Traffic {
  return Object.hasOwn(publishedByGateway, kind);
}
