/** What the main thread and the broker's worker thread say to each other. Payloads are copied: neither side sees the other's memory. */
import type { GatewayId } from '../../protocol/fields.ts';
import type { Verdict } from '../ports/gateways.ts';
import type { AccessFault, Traffic } from '../rules/broker-access.ts';

export type BrokerSettings = {
  readonly listen: { readonly host: string; readonly port: number };
  readonly tls: { readonly key: string; readonly cert: string; readonly clientCas: readonly string[] };
  readonly maxKeepaliveS: number;
  readonly maxConnections: number;
};

export type ToWorker =
  | { kind: 'listen' }
  | { kind: 'publish'; gateway: GatewayId; what: 'notice' | 'ack'; payload: Uint8Array }
  | { kind: 'answer'; question: number; verdict: Verdict }
  | { kind: 'cut-off'; gateway: GatewayId }
  | { kind: 'stop' };

/** `connect` and `message` wait for an `answer` to their question: CONNACK and PUBACK go out only after it. */
export type FromWorker =
  | { kind: 'ready' }
  | { kind: 'listening'; port: number }
  | { kind: 'connect'; question: number; connection: number; gateway: GatewayId; serial: string }
  | { kind: 'message'; question: number; connection: number; gateway: GatewayId; what: Traffic; payload: Uint8Array }
  | { kind: 'gone'; connection: number; gateway: GatewayId }
  | {
      kind: 'refused';
      gateway: GatewayId | null;
      why: AccessFault | 'packet-too-large' | 'no-certificate' | 'tls' | 'broken';
      detail: string;
    };
