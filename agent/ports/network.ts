/** Doors that the network flows use: one connection, one HTTPS exchange, one file on the way. The flows make ControlLink and PackageDownload of them. */
import type { ErrorCode } from '../../protocol/errors.ts';
import type { Identity, Purpose } from '../ports.ts';
import type { Ledger } from '../rules/ledger.ts';

export type ConnectionRequest = {
  identity: Identity;
  /** What CONNECT asks for; the broker gives a client up after one and a half times this (MQTT 3.1.1 §3.1.2.10). */
  keepaliveS: number;
  birth: Buffer;
  /** Subscribe even when the broker says that it kept the session. */
  mustSubscribe: boolean;
  /** What the broker queued for us is never to come: one message of it cannot be taken, and would be sent first at every connection, for ever. */
  forgetSession: boolean;
};

export type ConnectionEnd = {
  /** unanswered: the peer fell silent while an answer was due, as after a NAT box forgot the connection. */
  kind: 'closed-by-us' | 'unanswered' | 'failed';
  code: ErrorCode;
  detail: Readonly<Record<string, unknown>>;
};

export type ConnectionHandlers = {
  onOnline(): void;
  onAnswered(): void;
  onNotice(envelope: Buffer): Promise<void>;
  onAck(message: Buffer): void;
  /** Once, always, also when the connection never came up. */
  onEnd(end: ConnectionEnd): void;
};

/** One MQTT connection from its first packet to its last. */
export interface ControlConnection {
  publish(kind: 'report' | 'telemetry', message: Buffer): Promise<void>;
  /** Says good-bye (presence and DISCONNECT), then closes. */
  close(): Promise<void>;
}
export type OpenControlConnection = (request: ConnectionRequest, handlers: ConnectionHandlers) => ControlConnection;

export type TlsTrust = {
  serverCasPem: readonly string[];
  /** Shown when the server asks; without it we stay anonymous. */
  client?: { privateKeyPem: string; certificatePem: string };
};

export type HttpsRequest = {
  method: 'GET' | 'POST' | 'PUT';
  url: string;
  trust: TlsTrust;
  headers?: Readonly<Record<string, string>>;
  body?: Buffer;
  /** Control bytes are charged to it; a package's body is counted beside them. */
  purpose: Purpose;
  bodyIsPackage?: boolean;
};
export type HttpsAnswer = {
  status: number;
  header(name: string): string | undefined;
  /** Ends with an error when the peer breaks off or stays silent for 30 s. Leaving it early closes the connection. */
  body: AsyncIterable<Buffer>;
  /** For who does not want the body. */
  close(): void;
};
export interface HttpsClient {
  /**
   * Resolves when the answer's head is there. Redirects are answers like any other: never followed.
   *
   * @throws TsugiteError NET_NO_ROUTE · NET_NAME_UNRESOLVED · SERVER_UNREACHABLE · TLS_FAILED, also from `body`
   */
  open(request: HttpsRequest, signal?: AbortSignal): Promise<HttpsAnswer>;
}

/** What is remembered beside a part: the validator for If-Range, and what this day has cost. */
export type PartNote = { etag?: string; day: string; attempts: number; bytes: number };
export interface PartFiles {
  /** @returns size of `<path>.part`, 0 without one */
  sizeOf(path: string): number;
  loadNote(path: string): PartNote | undefined;
  saveNote(path: string, note: PartNote): void;
  /** Hashes what stands there, then appends. Only one writer a path. */
  open(path: string): Promise<PartFile>;
  /** Part and note: nothing of it is left. */
  remove(path: string): void;
}
export interface PartFile {
  readonly bytes: number;
  /** @throws TsugiteError STORE_NO_SPACE · STORE_IO */
  append(chunk: Buffer): Promise<void>;
  /** Back to no bytes. */
  restart(): Promise<void>;
  sha256(): string;
  /** Durably: synced, then renamed to its final path. */
  finish(): Promise<void>;
  close(): Promise<void>;
}

export interface LedgerStore {
  /** @returns undefined when there is none yet, or it cannot be read */
  load(): Ledger | undefined;
  save(ledger: Ledger): void;
}
