/** Doors to the gateway's own disk. Whatever is saved through them survives a power cut whole or not at all. */
import type { Digest, ProviderId, SoftwareId, UtcTime } from '../../protocol/fields.ts';
import type { Report } from '../../protocol/messages/report.ts';
import type { AgentState, Fault } from '../rules/agent-state.ts';
import type { ClockFloor } from '../rules/clock.ts';
import type { NoticeMark } from '../rules/notice.ts';
import type { RefusedNotice } from '../rules/refused-notice.ts';
import type { VersionFloor } from '../rules/version-floors.ts';

/** A save that fails throws DISK_FULL or STORE_IO and leaves what was there. */
export interface StateStore {
  /** @returns undefined when nothing was saved yet  @throws TsugiteError STATE_DAMAGED when neither the file nor its previous copy can be read */
  load(): AgentState | undefined;
  save(state: AgentState): void;
}

/** What was learned from notices. `rootVersion` says up to which root the loss of notice keys was already acted on. */
export type NoticeMemory = {
  rootVersion: number;
  mark: NoticeMark | null;
  /** The envelope in force, base64 of the bytes as they arrived. */
  envelope: string | null;
  appliedAt: UtcTime | null;
};
export type ClockMemory = { rootVersion: number; floor: ClockFloor };

export interface TrustStore {
  /** Every kept root, by version. */
  loadRoots(): ReadonlyMap<number, Buffer>;
  saveRoot(version: number, envelope: Buffer): void;
  /** Forgets every statement and mark, then pins this root: a new beginning under another operator's root. */
  pinAnew(version: number, envelope: Buffer): void;
  loadNotice(): NoticeMemory | undefined;
  saveNotice(memory: NoticeMemory): void;
  loadClock(): ClockMemory | undefined;
  saveClock(memory: ClockMemory): void;
  loadVersionFloors(): readonly VersionFloor[];
  saveVersionFloors(floors: readonly VersionFloor[]): void;
}

/** Beside the trust, since it is about what was not trusted. */
export type RefusalMemory = { v: 1; refused: RefusedNotice | null };
export interface RefusalStore {
  /** @returns undefined when nothing was ever refused  @throws TsugiteError STATE_DAMAGED */
  load(): RefusalMemory | undefined;
  save(memory: RefusalMemory): void;
}

export type ReportBody = Omit<Report, 'v' | 'epoch' | 'seq'>;
export interface Outbox {
  readonly epoch: string;
  /** True when this life of the outbox began with this start: a new folder, or after a factory reset. */
  readonly isNew: boolean;
  /** Durable before it returns; the number is never given to another report. */
  add(body: ReportBody): Report;
  /** By seq, oldest first. */
  unacknowledged(): readonly Report[];
  /** Cumulative; another epoch's acknowledgement is ignored. */
  acknowledge(epoch: string, upTo: number): void;
}

/** Where an app's data lie: in an image of their own that the launcher mounts, or in a folder whose contents the agent counts. */
export type AppData = { kind: 'image' | 'folder'; path: string };
/** Host uid of the app, and the usable bytes that it is to have. */
export type DataWish = { uid: number; bytes: number };
/** What happened to the data before a start, for the log; with a fault when people have to know. */
export type DataNews = {
  event:
    | 'storage.moved'
    | 'storage.resized'
    | 'storage.repaired'
    | 'storage.not_moved'
    | 'storage.not_resized'
    | 'storage.resize_waits'
    | 'storage.without_images';
  detail?: Readonly<Record<string, unknown>>;
  fault?: Fault;
};

export type FolderOf = { software: SoftwareId; provider: ProviderId };
/** `<data>/software/<provider>/<name>/`: links to the packages in force, and the app's data. */
export interface SoftwareFolders {
  /**
   * Made when missing, whole, and of the size that is wanted now. Only while the app is stopped.
   *
   * @throws TsugiteError STORE_NO_SPACE · DISK_FULL · STORE_IO: it must not start
   */
  prepareData(of: FolderOf, wish: DataWish): Promise<{ data: AppData; news: readonly DataNews[] }>;
  /** What the app has filled of them. Accurate while it does not run. */
  usedDataBytes(of: FolderOf): number;
  /** What a copy of them would take. @returns 0 without data */
  dataBytes(of: FolderOf): number;
  /** What the first start will take of the disk, beside what is there. */
  roomForData(of: FolderOf, dataBytes: number): number;
  /** What is in a folder that has no limit of its own; undefined where the kernel keeps the limit. */
  countData(data: AppData): number | undefined;
  /** Atomic: the link names the old package or the new one. */
  point(of: FolderOf, link: 'current' | 'previous', sha256: Digest | null): void;
  /** Sets a copy of the data aside. Doing it again replaces a half-made copy, never a whole one. */
  keepData(of: FolderOf): Promise<void>;
  /** Puts the copy back when there is one. */
  restoreData(of: FolderOf): Promise<void>;
  dropKeptData(of: FolderOf): Promise<void>;
  /** Overwrites and deletes everything of the software but its packages. */
  purge(of: FolderOf): Promise<void>;
  /** Every software that has a folder. */
  list(): FolderOf[];
}

/** `<data>/download/<sha256>.tsg` and its part on the way. */
export interface DownloadFolder {
  pathOf(sha256: Digest): string;
  remove(sha256: Digest): void;
  list(): Digest[];
}

/** Says to another process of this machine that an agent owns the data folder. */
export interface FolderLock {
  /** @throws TsugiteError ALREADY_RUNNING */
  take(): Promise<void>;
  release(): void;
}
