/**
 * The agent's doors to the outside. A flow sees only these; an adapter implements one; compose.ts joins them. A port is as small as its callers need.
 * Times are unix milliseconds unless the name says otherwise; paths are absolute.
 */
import type { ErrorCode } from '../protocol/errors.ts';
import type { Digest, GatewayId, ProviderId, RandomId, SoftwareId, Version } from '../protocol/fields.ts';
import type { Manifest } from '../protocol/statements/manifest.ts';
import type { Grants, RunLimits } from '../protocol/statements/notice.ts';
import type { RevokedSigner } from '../protocol/statements/root.ts';
import type { AppData } from './ports/disk.ts';
import type { Fault } from './rules/agent-state.ts';
import type { MemoryFacts } from './rules/cgroup-files.ts';
import type { Denied } from './rules/denied-traffic.ts';
import type { GatewaySnapshot, SoftwareSnapshot } from './rules/gateway-snapshot.ts';
import type { Purpose } from './rules/ledger.ts';

export type Cancel = () => void;

export interface Clock {
  /** What the machine claims: may be 1970 or 2099 (rules/clock.ts makes trusted time of it). */
  wallMs(): number;
  /** Never steps; starts anywhere. */
  monotonicMs(): number;
  after(delayMs: number, run: () => void): Cancel;
}

export interface Random {
  /** 128 bits as a target-like id: 26 characters of a–z and 0–9. */
  id(): RandomId;
  hex(bytes: number): string;
  /** In [0, 1). */
  fraction(): number;
}

/** One line of the log. `event` is a name of the event catalogue; the sentence in both languages comes from there. */
export type LogEvent = {
  event: string;
  code?: ErrorCode;
  target?: RandomId;
  software?: SoftwareId;
  version?: Version;
  state?: string;
  /** Limits, actual values, names of steps. Never a customer id, never a secret. */
  detail?: Readonly<Record<string, unknown>>;
};
export interface EventLog {
  write(event: LogEvent): void;
}

// --- to the server ---------------------------------------------------------------------------------------------------------------------

export type { Purpose };

export interface ByteLedger {
  /** @param wireBytes IP-layer bytes, both directions, headers included */
  charge(purpose: Purpose, wireBytes: number): void;
  /** Package bodies stand beside the control bytes (DOMAIN §6). */
  chargePackage(wireBytes: number): void;
  /** This calendar month (JST), by purpose. */
  month(): { totalBytes: number; byPurpose: Readonly<Record<Purpose, number>> };
}

/** How this gateway proves itself, and where its server is; made by enrolment. */
export type Identity = {
  gateway: GatewayId;
  /** `https://host:8443`, without a path */
  https: string;
  /** `mqtts://host:8883` */
  mqtt: string;
  serverCasPem: readonly string[];
  privateKeyPem: string;
  /** P-256 leaf alone */
  certificatePem: string;
};

export type LinkHandlers = {
  /** Made anew for every connection. */
  birth(): Buffer;
  onOnline(): void;
  onOffline(code: ErrorCode, detail: Readonly<Record<string, unknown>>): void;
  /** Acknowledged (PUBACK) only after it resolves; when it rejects, the connection is dropped and the broker sends the notice again. */
  onNotice(envelope: Buffer): Promise<void>;
  onAck(message: Buffer): void;
};
export interface ControlLink {
  start(handlers: LinkHandlers): void;
  isOnline(): boolean;
  /** Resolves when the broker has it (PUBACK); rejects when the connection ends first: the outbox sends it again. */
  publishReport(message: Buffer): Promise<void>;
  publishTelemetry(message: Buffer): Promise<void>;
  setKeepaliveS(keepaliveS: number): void;
  stop(): Promise<void>;
}

export interface RootSource {
  /** @returns the envelope of root version `version`, or undefined when the server has none (404) */
  fetchRoot(version: number): Promise<Buffer | undefined>;
}

export type DownloadRequest = {
  sha256: Digest;
  bytes: number;
  /** Where the whole file will stand; the part on the way is `<path>.part` and survives a restart. */
  path: string;
  /** https addresses without a path, tried in this order */
  bases: readonly string[];
  onProgress?: (receivedBytes: number) => void;
};
export interface PackageDownload {
  /**
   * Returns when `path` holds exactly the bytes of the digest.
   *
   * @throws TsugiteError PKG_DIGEST_MISMATCH · SERVER_UNREACHABLE and its kin (try later) · the server's refusal (4xx) · no space
   */
  download(request: DownloadRequest, signal: AbortSignal): Promise<void>;
}

// --- foreign bytes ---------------------------------------------------------------------------------------------------------------------

/** One JSON line into the installer child. Everything in it was proven before: the package's digest and size equal the notice's. */
export type InstallRequest = {
  packagePath: string;
  /** Fresh, empty, never used before. Holds the payload afterwards, or whatever a refused package left. */
  stagingDir: string;
  expected: {
    software: SoftwareId;
    version: Version;
    provider: ProviderId;
    model: string;
    firmware: string;
    manifestSha256: Digest;
    installedBytes: number;
  };
  /** Exclusive upper bound on the sum of regular files. */
  limitInstalledBytes: number;
  host: { agent: string; node: string; arch: string };
  trust: { providerCas: readonly string[]; revokedSigners: readonly RevokedSigner[]; atMs: number };
};
export type InstallResult = {
  manifest: Manifest;
  signer: { issuer: string; serial: string; organisation: string; notAfterMs: number };
};
export interface Installer {
  /**
   * Verifies envelope, both chain gates, manifest; unpacks into staging; says what it found. Returns only when no process of the child is left.
   *
   * @throws TsugiteError with the code of the first fault · INSTALLER_FAILED when the child broke its bounds (time, memory, output)
   */
  install(request: InstallRequest, signal: AbortSignal): Promise<InstallResult>;
}

export interface PackageStore {
  has(sha256: Digest): boolean;
  /** `<data>/store/<sha256>` */
  pathOf(sha256: Digest): string;
  newStagingDir(): string;
  /** Syncs the staging folder, then renames it into the store: after a power cut it is there whole or not at all. Doing it twice is fine. */
  promote(stagingDir: string, sha256: Digest): Promise<void>;
  remove(sha256: Digest): Promise<void>;
  list(): Digest[];
  /** Removes a staging folder that became no package. What cannot be removed now is swept at the next start. */
  discard(stagingDir: string): Promise<void>;
  /** Removes what earlier runs left in staging. */
  sweepStaging(): void;
}

export interface Disk {
  /** Free bytes of the data folder's file system, for this agent. */
  freeBytes(): number;
}

// --- software at run time --------------------------------------------------------------------------------------------------------------

export type AppSpec = {
  target: RandomId;
  software: SoftwareId;
  provider: ProviderId;
  version: Version;
  title: { ja: string; en: string };
  /** The app's own host uid (20001 and up), never shared, never the agent's or the installer's. */
  uid: number;
  /** Unpacked package, becomes /app */
  appDir: string;
  /** Owned by `uid`, becomes /data. Beside it, in a folder that the app cannot write, the agent keeps the app's settings. */
  data: AppData;
  /** A folder of this app alone for its two sockets; kept short, since a unix socket path holds 107 bytes. */
  socketsDir: string;
  entry: Manifest['entry'];
  health: Manifest['health'];
  limits: RunLimits;
  /** By the manifest. A refused port is told by its number only if it stands here. */
  asked: Pick<Grants, 'lan' | 'wan'>;
  /** manifest ∩ grants */
  permissions: Grants;
  model: string;
};

/** About the home network of one running app. */
export type AppNetworkNews = {
  /** Its own in the home network; neither this nor `fault` when it was given none. For the local log only. */
  address?: string;
  /** The gateway's firewall also judges what passes within the home: if no device answers, look there first. */
  isFiltered?: true;
  /** It was given the home network and could not be joined to it, so far. */
  fault?: Fault;
  /** Refused since its start. */
  denied: readonly Denied[];
};

export type AppExit = {
  /** Exit status, or null when a signal ended it. */
  status: number | null;
  signal: string | null;
  /** kill: by the kernel, at its limit. heap: by itself, at the limit of its own heap. */
  outOfMemory: false | 'kill' | 'heap';
  memoryPeakBytes: number;
};
/** `isThrashing`: at its memory limit, busy with nothing but reading again what was thrown out. */
export type Readiness = { kind: 'ready' } | { kind: 'timeout'; isThrashing: boolean } | { kind: 'exited'; exit: AppExit };

export interface AppProcess {
  /** Of the app itself, as the gateway sees it in /proc. */
  readonly pid: number;
  /** Path of the socket at which the app may serve HTTP (TSUGITE_WEB_SOCKET), as the agent sees it. The app owns the folder: ask only by adapters/app-socket.ts. */
  readonly webSocketPath: string;
  readonly readiness: Promise<Readiness>;
  readonly exited: Promise<AppExit>;
  /** The highest since its start, as the kernel counts its control group; 0 after its end. */
  memoryPeakBytes(): number;
  /** Since its start; undefined after its end. */
  memoryPressure(): Pick<MemoryFacts, 'limitHits' | 'refaults'> | undefined;
  /** Of its data image, while it runs; undefined where the agent has to count for itself. */
  dataUsedBytes(): number | undefined;
  /** Gives more room to the data of software that goes on. @returns false when it has to wait for the next start @throws TsugiteError DISK_FULL · STORE_IO */
  growData(dataBytes: number): Promise<boolean>;
  /** After its end: as it was then. */
  network(): Promise<AppNetworkNews>;
  /** Asks (SIGTERM), then kills the whole cgroup after `graceMs`. Resolves when nothing of it is left. */
  stop(graceMs: number): Promise<void>;
}

/** What the probe read about itself in /proc inside the real profile. */
export type SandboxProof = {
  backend: 'bwrap' | 'crun' | 'none';
  cgroup: 'v1' | 'v2' | 'none';
  uid: number;
  capabilities: string;
  seccomp: number;
  noNewPrivileges: boolean;
};
export interface Sandbox {
  /** @throws TsugiteError SANDBOX_UNAVAILABLE with what was expected and found */
  probe(): Promise<SandboxProof>;
  start(app: AppSpec): Promise<AppProcess>;
  /** Ends and removes what an earlier agent left: processes, cgroups, sockets, namespaces. */
  removeLeftovers(): Promise<void>;
}

// --- to the people in the house --------------------------------------------------------------------------------------------------------

export type { GatewaySnapshot, SoftwareSnapshot };
export interface LocalPage {
  start(snapshot: () => GatewaySnapshot): Promise<void>;
  stop(): Promise<void>;
}
