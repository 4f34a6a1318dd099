import { type RandomId, toUtcTime } from '../../protocol/fields.ts';
import type { AppProcess, Cancel, Clock, EventLog } from '../ports.ts';
import type { Fault, Installed, SoftwareRecord } from '../rules/agent-state.ts';
import { type Denied, type DeniedMemory, findUngranted, newlyDenied, noteDenied } from '../rules/denied-traffic.ts';
import { reasonOf } from '../rules/report-body.ts';
import { permissionsInForce } from '../rules/run-terms.ts';
import type { Trust } from './keep-trust.ts';
import type { SendReports } from './send-reports.ts';
import { faultOf } from './supervise.ts';

export type WatchNetwork = (record: SoftwareRecord, installed: Installed, process: AppProcess) => void;

const lookEveryMs = 10_000;

/** Tells what becomes of a LAN permission: joined or not, not granted at all, and what was refused (E603), as long as the software runs. */
export function makeWatchNetwork({
  clock,
  trust,
  reports,
  log,
  onDenied,
}: {
  clock: Clock;
  trust: Trust;
  reports: SendReports;
  log: EventLog;
  /** Each of them, whether people are told or not. */
  onDenied: (target: RandomId, connections: number) => void;
}): WatchNetwork {
  /** By target, since software that restarts all the time must not be told of anew each time. */
  const memories = new Map<RandomId, DeniedMemory>();
  const told = new Map<RandomId, ReadonlySet<string>>();

  return (record, installed, process) => {
    const { target, software } = record;
    const name = { target, software, version: installed.version };
    const asked = installed.manifest.permissions;
    let seen: readonly Denied[] = [];
    let knownAddress: string | undefined;
    let isOver = false;
    let cancel: Cancel = () => {};

    function tell(event: string, fault: Fault): void {
      log.write({ event, ...name, ...fault });
      try {
        reports.report({ at: toUtcTime(trust.nowMs()), kind: 'supervisor', ...name, ...reasonOf(fault) });
      } catch (error) {
        logFault(error); // a full disk: the software runs all the same
      }
    }

    /** In one life of the agent. */
    function tellOnce(event: string, fault: Fault): void {
      const known = told.get(target) ?? new Set();
      const key = JSON.stringify([installed.version, fault.code, fault.detail.kind]);
      if (known.has(key)) return;
      told.set(target, new Set([...known, key]));
      tell(event, fault);
    }

    async function look(): Promise<void> {
      try {
        const { address, fault, denied, ...more } = await process.network();
        if (address !== undefined && address !== knownAddress)
          log.write({ event: 'app.network_joined', ...name, detail: { address, ...more } });
        knownAddress = address;
        if (fault !== undefined) tellOnce('app.network_missing', fault);
        const fresh = newlyDenied(seen, denied);
        seen = denied;
        if (fresh.length > 0)
          onDenied(
            target,
            fresh.reduce((sum, { count }) => sum + count, 0),
          );
        const noted = noteDenied(memories.get(target) ?? new Map(), fresh, clock.monotonicMs());
        memories.set(target, noted.memory);
        for (const refused of noted.tell) tell('permission.denied', refused);
      } catch (error) {
        logFault(error);
      }
    }

    function logFault(error: unknown): void {
      const { code, detail } = faultOf(error);
      log.write({ event: 'agent.fault', ...name, code, detail: { ...detail, duty: 'network' } });
    }

    async function goOn(): Promise<void> {
      await look();
      if (!isOver) cancel = clock.after(lookEveryMs, () => void goOn());
    }

    const ungranted = findUngranted(asked, record.terms.grants);
    if (ungranted !== undefined) tellOnce('permission.denied', ungranted);
    if (permissionsInForce(record.terms.grants, installed.manifest).lan.length === 0) return;
    void goOn();
    const end = () => {
      isOver = true;
      cancel();
      return look(); // what came since the last look
    };
    process.exited.then(end, end);
  };
}
