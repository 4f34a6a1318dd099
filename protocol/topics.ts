/** Every MQTT topic, built and parsed here only (DESIGN §7). */
import { type GatewayId, gatewayId } from './fields.ts';

export type TopicKind = (typeof topicKinds)[number];
/** notice: retained, QoS 1, down · report: QoS 1, up · ack: QoS 0, down · telemetry: QoS 1, up · presence: retained, QoS 1, up, and the last will. */
export const topicKinds = ['notice', 'report', 'ack', 'telemetry', 'presence'] as const;

const prefix = 'tsugite/1';

export function topicOf(gateway: GatewayId, kind: TopicKind): string {
  return `${prefix}/${gateway}/${kind}`;
}

/** Everybody's topics of one kind: for servers only. */
export function filterOf(kind: TopicKind): string {
  return `${prefix}/+/${kind}`;
}

/** @returns undefined for anything that is not exactly one of our topics, wildcards included */
export function parseTopic(topic: string): { gateway: GatewayId; kind: TopicKind } | undefined {
  const [service, versionPart, id, kind, ...rest] = topic.split('/');
  if (`${service}/${versionPart}` !== prefix || rest.length > 0) return undefined;
  const gateway = gatewayId.safeParse(id);
  const known = topicKinds.find((name) => name === kind);
  return gateway.success && known !== undefined ? { gateway: gateway.data, kind: known } : undefined;
}

/** What a gateway may publish, and with which quality and retain flag. */
export const publishedByGateway = {
  report: { qos: 1, retain: false },
  telemetry: { qos: 1, retain: false },
  presence: { qos: 1, retain: true },
} as const satisfies Partial<Record<TopicKind, { qos: 0 | 1; retain: boolean }>>;

/** What the server publishes to a gateway, and with which quality and retain flag. */
export const publishedByServer = {
  notice: { qos: 1, retain: true },
  ack: { qos: 0, retain: false },
} as const satisfies Partial<Record<TopicKind, { qos: 0 | 1; retain: boolean }>>;
