/** What happens to an app's data: what was found at its start is told, and where the kernel keeps no limit they are counted. */
import { type RandomId, toUtcTime } from '../../protocol/fields.ts';
import type { AppData, DataNews, SoftwareFolders } from '../ports/disk.ts';
import type { AppProcess, Cancel, Clock, EventLog, LogEvent } from '../ports.ts';
import type { Fault } from '../rules/agent-state.ts';
import { reasonOf } from '../rules/report-body.ts';
import type { Trust } from './keep-trust.ts';
import type { SendReports } from './send-reports.ts';
import { faultOf } from './supervise.ts';

type Name = { target: RandomId } & Pick<LogEvent, 'software' | 'version'>;
export type WatchData = {
  /** What happened to the data before a start. */
  tell(name: Name, news: readonly DataNews[]): void;
  /** Counts where the kernel keeps no limit, until the process ends. @param onOver  once, when there is more than the limit */
  watch(name: Name, data: AppData, limitBytes: number, process: Pick<AppProcess, 'exited'>, onOver: (fault: Fault) => void): void;
};

type Needs = {
  folders: Pick<SoftwareFolders, 'countData'>;
  clock: Clock;
  trust: Pick<Trust, 'nowMs'>;
  reports: Pick<SendReports, 'report'>;
  log: EventLog;
};

const lookEveryMs = 60_000;

export function makeWatchData({ folders, clock, trust, reports, log }: Needs): WatchData {
  /** In one life of the agent: software that restarts all the time must not be told of anew each time. */
  const told = new Map<RandomId, ReadonlySet<string>>();

  function report(name: Name, fault: Fault): void {
    const known = told.get(name.target) ?? new Set();
    const key = JSON.stringify([fault.code, fault.detail.kind, fault.detail.limit]);
    if (known.has(key)) return;
    told.set(name.target, new Set([...known, key]));
    try {
      reports.report({ at: toUtcTime(trust.nowMs()), kind: 'supervisor', ...name, ...reasonOf(fault) });
    } catch (error) {
      logFault(name, error); // a full disk: the software runs all the same
    }
  }

  function logFault(name: Name, error: unknown): void {
    const { code, detail } = faultOf(error);
    log.write({ event: 'agent.fault', ...name, code, detail: { ...detail, duty: 'data' } });
  }

  return {
    tell(name, news) {
      for (const { event, detail, fault } of news) {
        log.write({ event, ...name, ...fault, ...(detail && { detail }) });
        if (fault !== undefined) report(name, fault);
      }
    },
    watch(name, data, limitBytes, process, onOver) {
      let cancel: Cancel = () => {};

      function look(): void {
        const actual = countOrFail();
        if (actual === undefined) return;
        if (actual <= limitBytes) {
          cancel = clock.after(lookEveryMs, look);
          return;
        }
        const fault: Fault = { code: 'APP_LIMIT_REACHED', detail: { kind: 'data', limitName: dataName, limit: limitBytes, actual } };
        log.write({ event: 'storage.over_limit', ...name, ...fault });
        onOver(fault);
      }

      /** What cannot be counted now is counted at the next look. */
      function countOrFail(): number | undefined {
        try {
          return folders.countData(data);
        } catch (error) {
          logFault(name, error);
          return 0;
        }
      }

      if (data.kind !== 'folder') return;
      cancel = clock.after(lookEveryMs, look);
      const end = () => cancel();
      process.exited.then(end, end);
    },
  };
}

const dataName = { ja: 'データ領域', en: 'data storage' };
