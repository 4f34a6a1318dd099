/** The doors of the server: what its flows need from the outside world. Adapters open them, test/support fakes them. */
import type { KeyObject } from 'node:crypto';
import type { Readable } from 'node:stream';
import type { Envelope } from '../protocol/dsse.ts';
import type { Digest, KeyId, ProviderId, RandomId } from '../protocol/fields.ts';
import type { PackageFile } from '../protocol/package/verify-package.ts';
import type { OutsideBroker } from './ports/gateways.ts';
import type { EligibilityCatalogue } from './rules/eligibility-catalogue.ts';
import type { EventAt } from './rules/events.ts';

/** Statements with `$1` parameters. bigint comes as a number (a value beyond 2^53 throws), timestamptz as Date, date as 'YYYY-MM-DD', bytea as Buffer. */
export interface Sql {
  query<R extends object = Record<string, unknown>>(text: string, params?: readonly unknown[]): Promise<R[]>;
}

export interface Db extends Sql {
  /** All or nothing, READ COMMITTED; may run `work` again after a deadlock or serialization failure, so `work` does nothing else than SQL. */
  tx<T>(work: (sql: Sql) => Promise<T>): Promise<T>;
  /**
   * All that `work` does through this Db, however deep inside, as one transaction: each `tx` in it becomes a part that can fail alone. What it does
   * must come one after the other. May run `work` again, as `tx` may.
   */
  together<T>(work: (sql: Sql) => Promise<T>): Promise<T>;
  /** LISTEN on a connection of its own, taken up again after a loss. Delivery is a hint: what counts stands in a table. */
  listen(channel: NoticeChannel, heard: (payload: string) => void): Promise<{ close(): Promise<void> }>;
  close(): Promise<void>;
}

/** Payload: the id of a gateway whose notice_due_at was set in the transaction that notified; empty: look at the whole table. */
export type NoticeChannel = 'tsugite_notice_due';

export interface Clock {
  nowMs(): number;
  /** @returns a function that cancels */
  after(ms: number, run: () => void): () => void;
}

export interface Random {
  bytes(count: number): Buffer;
  /** 26 lower-case base32 characters, 130 bits: ids of targets, requests, orders. */
  id(): RandomId;
}

type Fields = Readonly<Record<string, unknown>>;
/** `event` is a name of rules/events.ts. Never a secret, never an お客さまID. */
export interface Log {
  info(event: EventAt<'info'>, fields?: Fields): void;
  warn(event: EventAt<'warn'>, fields?: Fields): void;
  error(event: EventAt<'error'>, fields?: Fields): void;
}

/** Package files by digest, immutable once there. */
export interface PackageFiles {
  /** Gives a finished, synced upload its name for good; may be done twice, and the same digest twice is one file. `drop` the upload afterwards. */
  adopt(upload: Upload): Promise<void>;
  /** Streams an upload to disk, hashing; cut as soon as it is not below `limitBytes` (SIZE_OVER_MENU). The file is synced before this returns. */
  receive(body: Readable, limitBytes: number): Promise<Upload>;
  drop(upload: Upload): Promise<void>;
  /** Opens an upload for reading at any place, while `look` runs. */
  inspect<T>(upload: Upload, look: (file: PackageFile) => Promise<T>): Promise<T>;
  /** The same for a file that is kept. */
  inspectKept<T>(sha256: Digest, look: (file: PackageFile) => Promise<T>): Promise<T>;
  /** Deletes a file for good; it may be gone already. The caller knows that no row names it. */
  remove(sha256: Digest): Promise<void>;
  list(): Promise<Digest[]>;
  size(sha256: Digest): Promise<number | undefined>;
  /** @param range inclusive, both ends inside the file */
  open(sha256: Digest, range?: { start: number; end: number }): Readable;
}
export type Upload = { readonly path: string; readonly sha256: Digest; readonly bytes: number };

/** The online notice key. */
export interface NoticeSigner {
  readonly keyid: KeyId;
  sign(payloadType: string, statement: unknown): Envelope;
}

/** One certification authority of ours: its certificate and the key that issues. */
export type Authority = { readonly certPem: string; readonly key: KeyObject };

/** Issues signer certificates to providers (DESIGN §4: RSA, codeSigning, one URI in the SAN, three years and more). */
export interface ProviderCa {
  /** Proves the possession of the key, and that the request asks for what `issue` would issue. @throws TsugiteError as `issue` does */
  check(csrPem: string, wanted: { provider: ProviderId; organisation: string | undefined }): Promise<RequestedSigner>;
  /**
   * @param wanted.organisation  the registered name; undefined: the request's own becomes it
   * @throws TsugiteError KEY_UNUSABLE · SIGNER_NOT_PROVIDER: what the request says is not what `provider` may be certified for
   */
  issue(csrPem: string, wanted: { provider: ProviderId; organisation: string | undefined; nowMs: number }): Promise<IssuedSigner>;
}
export type RequestedSigner = { readonly subjectKeyid: KeyId; readonly organisation: string };
export type IssuedSigner = RequestedSigner & {
  readonly pem: string;
  readonly serial: string;
  readonly issuerKeyid: KeyId;
  readonly notBeforeMs: number;
  readonly notAfterMs: number;
};

/** What the gateways' side is made of. `makeGatewaySide(parts): GatewaySide` is exported by server/compose/gateway-side.ts. */
export type GatewaySideParts = {
  readonly db: Db;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly packages: PackageFiles;
  readonly signer: NoticeSigner;
  readonly catalogue: EligibilityCatalogue;
  readonly deviceCa: Authority;
  /** Server certificate for HTTPS and MQTT (leaf only), PEM. */
  readonly tls: { readonly certPem: string; readonly keyPem: string };
  readonly serverCas: readonly string[];
  /** Folder for received bundles. */
  readonly bundlesDir: string;
  readonly settings: GatewaySideSettings;
  /** A broker that is not ours takes the place of the embedded one. */
  readonly broker?: OutsideBroker;
};

export type GatewaySideSettings = {
  readonly https: { readonly host: string; readonly port: number };
  /** A web server in front of us has that address; it reaches us at this unix socket. */
  readonly frontSocket?: string;
  readonly mqtt: { readonly host: string; readonly port: number };
  /** Notices: everything of DESIGN §4 `policy`, with its defaults filled in. */
  readonly policy: {
    readonly keepaliveS: number;
    readonly jitterS: number;
    readonly probationS: number;
    readonly budget: { readonly targetBytes: number; readonly alarmBytes: number; readonly ceilingBytes: number };
    readonly telemetryBytesPerMonth: number;
    readonly dataGraceDays: number;
  };
};

export interface GatewaySide {
  /** @returns the ports in use (0 in the settings means any free one) */
  start(): Promise<{ httpsPort: number; mqttPort: number }>;
  stop(): Promise<void>;
}
