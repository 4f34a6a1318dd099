/** The doors of the gateways' side that only its own flows use. */
import type { KeyObject } from 'node:crypto';
import type { GatewayId, KeyId } from '../../protocol/fields.ts';
import type { Traffic } from '../rules/broker-access.ts';

/** `unavailable`: nothing is known against it, but the server cannot tell now. */
export type Verdict = 'allow' | 'refuse' | 'unavailable';
export type BrokerMessage = { connection: number; gateway: GatewayId; what: Traffic; payload: Buffer };

/** What the broker asks of the flows. Every promise settles soon: CONNACK or PUBACK of one gateway waits for it. */
export type BrokerDuties = {
  mayConnect(asked: { connection: number; gateway: GatewayId; serial: string }): Promise<Verdict>;
  take(message: BrokerMessage): Promise<void>;
  gone(connection: { connection: number; gateway: GatewayId }): Promise<void>;
  /** Called at each start of the broker, before it listens: every retained notice is handed to `publish`. */
  refill(publish: (gateway: GatewayId, envelope: Uint8Array) => void): Promise<void>;
};

/** What flows may say to gateways. Publishing is handing over: a gateway that is away gets the newest notice when it comes back. */
export interface GatewayLink {
  publishNotice(gateway: GatewayId, envelope: Uint8Array): void;
  publishAck(gateway: GatewayId, ack: Uint8Array): void;
  /** Closes the gateway's connection, if it has one here. */
  cutOff(gateway: GatewayId): void;
}

export interface Broker extends GatewayLink {
  /** @returns the port in use */
  start(duties: BrokerDuties): Promise<number>;
  stop(): Promise<void>;
}

/** What a request proves: its sender holds the private key of `publicKey`. What it claims: the name. */
export type CertificateRequest = { readonly commonName: string; readonly publicKey: KeyObject; readonly keyid: KeyId };
export type IssuedCertificate = { readonly der: Buffer; readonly pem: string };

/** The device CA at work. */
export interface CertificateMaker {
  /**
   * @param body  base64 PKCS#10, with or without line breaks (RFC 7030 §4.2.1)
   * @returns undefined when this is no request with a P-256 key, one CN and a good signature
   */
  readRequest(body: Uint8Array): Promise<CertificateRequest | undefined>;
  issue(subject: {
    gateway: GatewayId;
    publicKey: KeyObject;
    serial: string;
    notBeforeMs: number;
    notAfterMs: number;
  }): Promise<IssuedCertificate>;
  /** RFC 7030 §4.1.3: degenerate SignedData without signers (RFC 5652 §5), base64 in lines of 64. */
  certsOnly(certificates: readonly (Uint8Array | string)[]): string;
}
