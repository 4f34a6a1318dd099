import type { AppData, DataNews, DataWish } from '../../ports/disk.ts';

/** How the data of one software are kept below its folder. The folder itself is ours alone; what is in the data is the app's. */
export type DataArea = {
  /** Ready for the next start. Only with the app stopped. @throws TsugiteError STORE_NO_SPACE · DISK_FULL · STORE_IO */
  prepare(folder: string, wish: DataWish): Promise<{ data: AppData; news: DataNews[] }>;
  /** What the app has filled, as far as is known without looking into it. */
  usedBytes(folder: string): number;
  /** What a copy of the data would take; 0 without data. */
  bytes(folder: string): number;
  /** What the next start will take of the gateway's disk, beside what is there. */
  roomFor(folder: string, dataBytes: number): number;
  keep(folder: string): Promise<void>;
  restore(folder: string): Promise<void>;
  dropKept(folder: string): Promise<void>;
  /** Until nothing uses the data any more: before they are erased. */
  release(folder: string): Promise<void>;
};
