import { createHash, randomBytes } from 'node:crypto';
import { existsSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { toCompactJson } from '../../protocol/json.ts';
import { parseReport, type Report } from '../../protocol/messages/report.ts';
import type { Outbox } from '../ports/disk.ts';
import { makeFolder, readFileIfAny, replaceFile, syncFolder } from './durable-file.ts';

/** More would mean months without any server; then what repeats itself by nature goes first. */
const reportsKept = 1_000;
const reportFile = /^([1-9]\d{0,14})\.json$/;

/**
 * `<data>/outbox/`: one file a report, named by its seq, until the server's database has it.
 *
 * A number is in use once its file is durable, and the highest acknowledged one is saved before any file goes, so the next number is found by
 * looking: it can never be given twice within an epoch.
 */
export function makeOutboxStore(dataDir: string): Outbox {
  const folder = join(dataDir, 'outbox');
  makeFolder(folder, 0o700);
  const { epoch, upTo: acknowledgedBefore, isNew } = loadCounter(folder);
  let acknowledged = acknowledgedBefore;
  let reports = loadReports(folder, epoch, acknowledged);
  let next = Math.max(acknowledged, ...reports.map((report) => report.seq)) + 1;

  function forget(dropped: readonly Report[]): void {
    for (const { seq } of dropped) rmSync(join(folder, `${seq}.json`), { force: true });
    reports = reports.filter((report) => !dropped.includes(report));
  }

  return {
    epoch,
    isNew,
    add(body) {
      const report: Report = { v: 1, epoch, seq: next, ...body };
      replaceFile(join(folder, `${next}.json`), toCompactJson(report));
      next += 1;
      reports = [...reports, report];
      if (reports.length > reportsKept) forget(reports.filter(({ kind }) => kind === 'supervisor' || kind === 'orphan').slice(0, 1));
      return report;
    },
    unacknowledged: () => reports,
    acknowledge(ofEpoch, upTo) {
      // An acknowledgement of what was never sent would swallow the reports that get those numbers later.
      if (ofEpoch !== epoch || upTo <= acknowledged || upTo >= next) return;
      saveCounter(folder, { epoch, upTo });
      acknowledged = upTo;
      forget(reports.filter(({ seq }) => seq <= upTo));
      syncFolder(folder);
    },
  };
}

/** For a look from outside; the running agent alone may open the outbox. */
export function countWaiting(dataDir: string): number {
  const folder = join(dataDir, 'outbox');
  return existsSync(folder) ? readdirSync(folder).filter((name) => reportFile.test(name)).length : 0;
}

type Counter = { epoch: string; upTo: number };

/** Name of the epoch, highest acknowledged seq, and a checksum: were one of them wrong, a number could be given twice. */
function saveCounter(folder: string, { epoch, upTo }: Counter): void {
  const text = `${epoch} ${upTo}`;
  replaceFile(join(folder, 'epoch'), `${text} ${checksumOf(text)}\n`);
}

function loadCounter(folder: string): Counter & { isNew: boolean } {
  const [, text, epoch, upTo, checksum] =
    /^(([0-9a-f]{32}) (\d{1,15})) ([0-9a-f]{64})\n$/.exec(readFileIfAny(join(folder, 'epoch'))?.toString('utf8') ?? '') ?? [];
  if (text !== undefined && epoch !== undefined && checksum === checksumOf(text)) return { epoch, upTo: Number(upTo), isNew: false };
  // Reports of an epoch whose name is lost would be taken for new ones: they go with it.
  for (const name of readdirSync(folder)) rmSync(join(folder, name), { force: true, recursive: true });
  const fresh = { epoch: randomBytes(16).toString('hex'), upTo: 0 };
  saveCounter(folder, fresh);
  return { ...fresh, isNew: true };
}

function checksumOf(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}

function loadReports(folder: string, epoch: string, acknowledged: number): Report[] {
  const seqs = readdirSync(folder)
    .flatMap((name) => reportFile.exec(name)?.[1] ?? [])
    .map(Number);
  return seqs
    .filter((seq) => seq > acknowledged)
    .sort((left, right) => left - right)
    .flatMap((seq) => readReport(join(folder, `${seq}.json`), epoch, seq) ?? []);
}

/** A file that a broken flash cell changed is skipped: one lost report must not stop all that follow. */
function readReport(path: string, epoch: string, seq: number): Report | undefined {
  try {
    const report = parseReport(readFileIfAny(path) ?? Buffer.alloc(0));
    return report.epoch === epoch && report.seq === seq ? report : undefined;
  } catch {
    return undefined;
  }
}
