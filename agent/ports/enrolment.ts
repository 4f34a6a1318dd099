/** Doors of enrolment: the EST server, and the folder in which the gateway keeps who it is. */
import type { GatewayId } from '../../protocol/fields.ts';
import type { Identity } from '../ports.ts';
import type { TlsTrust } from './network.ts';

export type EnrolRequest = {
  gateway: GatewayId;
  https: string;
  /** Of the invitation; without it the current certificate speaks for us (simplereenroll). */
  token?: string;
  trust: TlsTrust;
  privateKeyPem: string;
};

export interface EstClient {
  /** P-256, PKCS #8 PEM. */
  makeKey(): string;
  /**
   * @returns our certificate, a leaf for exactly this key and gateway
   * @throws TsugiteError ENROLL_TOKEN_REFUSED · ENROLL_TRIES_EXCEEDED · ENROLL_REQUEST_REFUSED · GATEWAY_BLOCKED · MESSAGE_MALFORMED · NET_NO_ROUTE,
   *         NET_NAME_UNRESOLVED, SERVER_UNREACHABLE, TLS_FAILED
   */
  enrol(request: EnrolRequest): Promise<string>;
  /**
   * Shows our certificate to the server, which ends the earlier ones at its first use. A broker need not tell the server what it was shown.
   *
   * @throws TsugiteError as `enrol`
   */
  show(as: { https: string; trust: TlsTrust }): Promise<void>;
}

/** `<data>/identity/`, for root alone. */
export interface IdentityStore {
  /** @returns undefined until enrolment is complete */
  load(): Identity | undefined;
  /** There before there is a certificate: an answer that was lost on the way is asked for again with the same key. */
  loadKey(): string | undefined;
  saveKey(privateKeyPem: string): void;
  /** Only of an enrolment that never completed. */
  dropKey(): void;
  save(identity: Identity): void;
}
