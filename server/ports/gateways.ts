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

/** @typeParam Duties  what it asks of the flows: a broker of our own asks before it acts, an outside one tells what it has let through */
export interface Broker<Duties = BrokerDuties> extends GatewayLink {
  /** @returns the port at which gateways reach it */
  start(duties: Duties): Promise<number>;
  stop(): Promise<void>;
}

/** What an outside broker handed on. Which connection and which certificate it came by, MQTT does not tell. */
export type OutsideMessage = {
  gateway: GatewayId;
  what: Traffic;
  payload: Buffer;
  /** Retained earlier and shown again because we subscribed; it may be weeks old. */
  isReplay: boolean;
  /** Sent to us before, by the broker, and not acknowledged by us then. */
  isRedelivered: boolean;
};

/** Only the process whose turn it is gets these calls, one after the other. */
export type OutsideDuties = {
  /** The turn begins, and ends. Between them this process is the one that hears and speaks to gateways. */
  began(): Promise<void>;
  ended(): Promise<void>;
  /** A new connection to the broker: every retained presence is shown again from here on. */
  connected(): void;
  /** @returns `again`: it could not be stored now, so it must not be acknowledged */
  take(message: OutsideMessage): Promise<'done' | 'again'>;
  /** Every retained presence has been shown: whose was not among them is not connected. */
  synchronised(): Promise<void>;
  /** Every newest notice is handed to `publish`, under the lock of its gateway. */
  refill(publish: (gateway: GatewayId, envelope: Uint8Array) => void): Promise<void>;
};

/** How this server reaches a broker that is not its own, and who it is there. */
export type BrokerAccess = {
  /** `mqtts://host:port`; `mqtt://` on the machine itself only. */
  readonly url: string;
  readonly caPem?: string;
  /** Our identity there: a client certificate, or a name with a password. */
  readonly certificate?: { readonly certPem: string; readonly keyPem: string };
  readonly password?: { readonly username: string; readonly password: string };
  /** Of the session in which the broker keeps what came while we were away. The same for every process: one of them has the turn. */
  readonly clientId: string;
};

export type OutsideBroker = {
  readonly access: BrokerAccess;
  /** Where its listener for gateways is. */
  readonly publicPort: number;
  readonly turn: Turn;
};

/** Of several server processes over one database, one at a time has the turn. */
export interface Turn {
  start(on: { began: () => void; ended: () => void }): void;
  /** Ends our turn if another process waits for it. */
  offer(): Promise<void>;
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

/** Lists of revoked gateway certificates, signed by the device CA (RFC 5280 §5). */
export interface CrlMaker {
  /** @returns PEM */
  make(list: { number: number; thisUpdateMs: number; revoked: readonly { serial: string; sinceMs: number }[] }): Promise<string>;
}
