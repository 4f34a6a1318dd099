import { TsugiteError } from '../../protocol/errors.ts';
import { type Digest, type RandomId, toUtcTime } from '../../protocol/fields.ts';
import type { GatewayProfile } from '../../protocol/gateway-models.ts';
import type { SoftwareFolders } from '../ports/disk.ts';
import type { AppExit, AppProcess, Cancel, Clock, EventLog, PackageStore, Sandbox } from '../ports.ts';
import { type Fault, type Installed, recordOf, type SoftwareRecord, withRecord } from '../rules/agent-state.ts';
import { faultOfExit, faultOfThrashing, faultOfTimeout } from '../rules/memory-fault.ts';
import { reasonOf } from '../rules/report-body.ts';
import { afterCrash, type CrashHistory, noCrashes, wellAfterMs } from '../rules/restart-policy.ts';
import { limitsInForce, permissionsInForce, termsKey } from '../rules/run-terms.ts';
import type { StateKeeper } from './keep-state.ts';
import type { Trust } from './keep-trust.ts';
import type { Measure } from './measure.ts';
import type { SendReports } from './send-reports.ts';
import type { WatchData } from './watch-data.ts';
import type { WatchMemory } from './watch-memory.ts';
import type { WatchNetwork } from './watch-network.ts';

/** An app is asked to end, and after this long its whole control group is killed. */
export const stopGraceMs = 5_000;

export type Supervisor = {
  /** What runs, and the terms under which it was started. */
  running(): ReadonlyMap<RandomId, { process: AppProcess; key: string; dataBytes: number; sha256: Digest; isReady: boolean }>;
  /** Software that crashed is not started before this (trusted) time. */
  restartAtMs(): ReadonlyMap<RandomId, number>;
  /** Starts what a deployment puts to the test; its end is the deployment's matter. */
  launch(record: SoftwareRecord, installed: Installed): Promise<AppProcess>;
  /** From now on the running software is committed: its end is ours to mend. */
  adopt(target: RandomId): void;
  /** Starts the committed version and keeps it running. */
  start(target: RandomId): Promise<void>;
  /** Gives software that goes on the larger limit of data that is in force now. */
  growData(target: RandomId): Promise<void>;
  halt(target: RandomId): Promise<void>;
  haltAll(): Promise<void>;
  /** A person or a new notice asks for another try at once. */
  forgetCrashes(target: RandomId): void;
};

type Needs = {
  sandbox: Sandbox;
  store: PackageStore;
  folders: SoftwareFolders;
  clock: Clock;
  trust: Trust;
  state: StateKeeper;
  reports: SendReports;
  log: EventLog;
  modelName: string;
  model: GatewayProfile;
  socketsDirOf: (uid: number) => string;
  watchNetwork: WatchNetwork;
  watchData: WatchData;
  watchMemory: WatchMemory;
  measure: Pick<Measure, 'started' | 'crashed'>;
  /** Something ended or became ready: plan anew. */
  onChange: () => void;
};

type Running = {
  process: AppProcess;
  key: string;
  dataBytes: number;
  memoryBytes: number;
  sha256: Digest;
  startedMs: number;
  isReady: boolean;
  isCommitted: boolean;
  cancelWell: Cancel;
};

/** Owns the processes of all software on the gateway. */
export function makeSupervise(needs: Needs): Supervisor {
  const {
    sandbox,
    store,
    folders,
    clock,
    trust,
    state,
    reports,
    log,
    modelName,
    model,
    socketsDirOf,
    watchNetwork,
    watchData,
    watchMemory,
    measure,
    onChange,
  } = needs;
  const running = new Map<RandomId, Running>();
  const histories = new Map<RandomId, CrashHistory>();
  const restartAtMs = new Map<RandomId, number>();

  async function launch(record: SoftwareRecord, installed: Installed, isCommitted: boolean): Promise<Running> {
    await halt(record.target);
    const { manifest } = installed;
    const limits = limitsInForce(record.terms.limits, model, manifest);
    const { data, news } = await folders.prepareData(record, { uid: record.uid, bytes: limits.dataBytes });
    watchData.tell(named(record, installed), news);
    const process = await sandbox.start({
      target: record.target,
      software: record.software,
      provider: record.provider,
      version: installed.version,
      title: manifest.title,
      uid: record.uid,
      appDir: store.pathOf(installed.sha256),
      data,
      socketsDir: socketsDirOf(record.uid),
      entry: manifest.entry,
      health: manifest.health,
      limits,
      asked: manifest.permissions,
      permissions: permissionsInForce(record.terms.grants, manifest),
      model: modelName,
    });
    const entry: Running = {
      process,
      key: termsKey(installed, record.terms, model),
      dataBytes: limits.dataBytes,
      memoryBytes: limits.memoryBytes,
      sha256: installed.sha256,
      startedMs: clock.monotonicMs(),
      isReady: false,
      isCommitted,
      cancelWell: () => {},
    };
    running.set(record.target, entry);
    log.write({ event: 'app.started', ...named(record, installed), detail: { pid: process.pid } });
    process.exited.then(
      (exit) => ended(record.target, entry, exit),
      (error: unknown) => failed(record.target, entry, error),
    );
    watchNetwork(record, installed, process);
    measure.started(record.target, process);
    watchData.watch(named(record, installed), data, limits.dataBytes, process, (fault) => giveUp(record.target, entry, fault));
    process.readiness
      .then(async (readiness) => {
        if (running.get(record.target) !== entry) return;
        const limitBytes = limits.memoryBytes;
        const peakBytes = process.memoryPeakBytes();
        if (readiness.kind === 'ready') {
          becameReady(record, installed, entry);
          watchMemory(process, () => giveUp(record.target, entry, faultOfThrashing(limitBytes, process.memoryPeakBytes())));
        }
        if (readiness.kind === 'timeout' && entry.isCommitted)
          giveUp(record.target, entry, faultOfTimeout(readiness, { timeoutS: manifest.health.timeoutS, limitBytes, peakBytes }));
      })
      .catch(logFault);
    return entry;
  }

  function becameReady(record: SoftwareRecord, installed: Installed, entry: Running): void {
    entry.isReady = true;
    log.write({ event: 'app.ready', ...named(record, installed) });
    onChange();
  }

  /** What runs there does no good any more: ended, and started again like software that has crashed. */
  function giveUp(target: RandomId, entry: Running, fault: Fault): void {
    if (running.get(target) !== entry) return;
    halt(target)
      .then(() => entry.isCommitted && crashed(target, entry.startedMs, fault, {}))
      .catch(logFault);
  }

  function ended(target: RandomId, entry: Running, exit: AppExit): void {
    if (!forget(target, entry) || !entry.isCommitted) return;
    const { status, signal } = exit;
    crashed(target, entry.startedMs, faultOfExit(exit, entry.memoryBytes), { status, signal });
  }

  function failed(target: RandomId, entry: Running, error: unknown): void {
    if (!forget(target, entry)) return;
    log.write({ event: 'app.start_failed', target, ...faultOf(error) });
    if (entry.isCommitted) crashed(target, entry.startedMs, faultOf(error), {});
  }

  /** @returns false when another instance stands in its place, or it was halted by us */
  function forget(target: RandomId, entry: Running): boolean {
    if (running.get(target) !== entry) return false;
    running.delete(target);
    entry.cancelWell();
    return true;
  }

  /** Committed software ended by itself: again after a while, longer each time, and people hear of it once. */
  function crashed(target: RandomId, startedMs: number, cause: Fault | undefined, detail: Readonly<Record<string, unknown>>): void {
    const { history, delayMs, becameLoop } = afterCrash(histories.get(target) ?? noCrashes, startedMs, clock.monotonicMs());
    histories.set(target, history);
    measure.crashed(target);
    restartAtMs.set(target, trust.nowMs() + delayMs);
    const fault: Fault | undefined = cause ?? (becameLoop ? { code: 'APP_CRASH_LOOP', detail: { count: history.inARow } } : undefined);
    const record = recordOf(state.now(), target);
    const name = { target, ...(record && { software: record.software, ...(record.committed && { version: record.committed.version }) }) };
    log.write({
      event: becameLoop ? 'app.crash_loop' : 'app.exited',
      ...name,
      ...(fault && { code: fault.code }),
      detail: { ...fault?.detail, ...detail, afterS: delayMs / 1000 },
    });
    if (fault !== undefined && record !== undefined && record.trouble?.code !== fault.code)
      bookkeep(() => {
        const at = toUtcTime(trust.nowMs());
        state.change((now) => withRecord(now, { ...record, trouble: { ...fault, at } }));
        reports.report({ at, kind: 'supervisor', ...name, ...reasonOf(fault) });
      });
    onChange();
  }

  /** On a full disk the software runs all the same: nobody waits here who could take an error. */
  function bookkeep(write: () => void): void {
    try {
      write();
    } catch (error) {
      logFault(error);
    }
  }

  function logFault(error: unknown): void {
    log.write({ event: 'agent.fault', ...faultOf(error) });
  }

  /** Committed software that has run for a while is well again. */
  function watchWell(target: RandomId, entry: Running): void {
    entry.cancelWell = clock.after(wellAfterMs, () => {
      histories.delete(target);
      const record = recordOf(state.now(), target);
      if (record?.trouble) bookkeep(() => void state.change((now) => withRecord(now, { ...record, trouble: null })));
      onChange();
    });
  }

  async function halt(target: RandomId): Promise<void> {
    const entry = running.get(target);
    if (entry === undefined) return;
    running.delete(target);
    entry.cancelWell();
    await entry.process.stop(stopGraceMs);
    log.write({ event: 'app.stopped', target });
  }

  function adopt(target: RandomId): void {
    const entry = running.get(target);
    if (entry === undefined) return;
    entry.isCommitted = true;
    histories.delete(target);
    watchWell(target, entry);
  }

  return {
    running: () => running,
    restartAtMs: () => restartAtMs,
    launch: async (record, installed) => (await launch(record, installed, false)).process,
    adopt,
    async start(target) {
      const record = recordOf(state.now(), target);
      if (record?.committed == null) return;
      restartAtMs.delete(target);
      const startedMs = clock.monotonicMs();
      try {
        watchWell(target, await launch(record, record.committed, true));
      } catch (error) {
        crashed(target, startedMs, faultOf(error), {});
      }
    },
    async growData(target) {
      const entry = running.get(target);
      const record = recordOf(state.now(), target);
      if (entry === undefined || record?.committed == null) return;
      // Also when it fails: the next start makes up for it, and no plan tries it again and again.
      entry.dataBytes = limitsInForce(record.terms.limits, model, record.committed.manifest).dataBytes;
      try {
        const isGrown = await entry.process.growData(entry.dataBytes);
        const event = isGrown ? 'storage.resized' : 'storage.resize_waits';
        watchData.tell(named(record, record.committed), [{ event, detail: { limit: entry.dataBytes } }]);
      } catch (error) {
        logFault(error);
      }
    },
    halt,
    haltAll: async () => void (await Promise.all([...running.keys()].map(halt))),
    forgetCrashes(target) {
      histories.delete(target);
      restartAtMs.delete(target);
    },
  };
}

function named(record: SoftwareRecord, installed: Installed) {
  return { target: record.target, software: record.software, version: installed.version };
}

export function faultOf(error: unknown): Fault {
  if (error instanceof TsugiteError) return { code: error.code, detail: error.detail };
  return { code: 'INTERNAL_FAULT', detail: { at: error instanceof Error ? error.message : String(error) } };
}
