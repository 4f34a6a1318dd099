/** How the flows hang together: every door of the agent comes in here, real ones from compose.ts, those of a test from its bench. */
import type { GatewayId, ModelName, Version } from '../../protocol/fields.ts';
import type { GatewayProfile } from '../../protocol/gateway-models.ts';
import { makeAcceptNotice } from '../flows/accept-notice.ts';
import { makeAnswer } from '../flows/answer.ts';
import { makeCommit } from '../flows/commit-software.ts';
import { makeDeploy } from '../flows/deploy.ts';
import { makeFetchPackage, makeRefusalOf, makeReserve } from '../flows/fetch-package.ts';
import { type HearServer, makeHearServer } from '../flows/hear-server.ts';
import { makeKeepChoices } from '../flows/keep-choices.ts';
import type { StateKeeper } from '../flows/keep-state.ts';
import { makeKeepTelemetry, type TelemetryKeeper } from '../flows/keep-telemetry.ts';
import type { Trust } from '../flows/keep-trust.ts';
import { makeMeasure } from '../flows/measure.ts';
import { observe } from '../flows/observe.ts';
import { makePurgeSoftware } from '../flows/purge-software.ts';
import { makeReconcile, type Reconcile } from '../flows/reconcile.ts';
import { makeRememberRefusal } from '../flows/remember-refusal.ts';
import { makeRunAgent, type RunningAgent } from '../flows/run-agent.ts';
import { makeSendReports } from '../flows/send-reports.ts';
import { makeSendTelemetry } from '../flows/send-telemetry.ts';
import { makeShowSettings } from '../flows/show-settings.ts';
import { makeNoteChanges, snapshotSoftware } from '../flows/show-software.ts';
import { makeStartClean } from '../flows/start-clean.ts';
import { makeSupervise } from '../flows/supervise.ts';
import { makeSweepStore } from '../flows/sweep-store.ts';
import { makeTrySoftware } from '../flows/try-software.ts';
import { makeUnpackPackage } from '../flows/unpack-package.ts';
import { makeWalkRoot } from '../flows/walk-root.ts';
import { makeWatchData } from '../flows/watch-data.ts';
import { makeWatchMemory } from '../flows/watch-memory.ts';
import { makeWatchNetwork } from '../flows/watch-network.ts';
import type { DownloadFolder, Outbox, RefusalStore, SoftwareFolders } from '../ports/disk.ts';
import type { ChoicesStore, House, HouseDoor } from '../ports/house.ts';
import type { TelemetryOutside } from '../ports/telemetry.ts';
import type {
  Clock,
  ControlLink,
  Disk,
  EventLog,
  GatewaySnapshot,
  Installer,
  InstallRequest,
  LocalPage,
  PackageDownload,
  PackageStore,
  Random,
  RootSource,
  Sandbox,
} from '../ports.ts';

export type Outside = {
  about: { gateway: GatewayId; modelName: ModelName; model: GatewayProfile; firmware: string; agentVersion: Version; bootId: string };
  host: InstallRequest['host'];
  trust: Trust;
  state: StateKeeper;
  clock: Clock;
  random: Random;
  log: EventLog;
  disk: Disk;
  outbox: Outbox;
  folders: SoftwareFolders;
  store: PackageStore;
  downloads: DownloadFolder;
  link: ControlLink;
  roots: RootSource;
  download: PackageDownload;
  serverBase: () => string;
  month: () => GatewaySnapshot['month'];
  saveLedger: () => void;
  telemetry: TelemetryOutside;
  renewCertificate: (nowMs: number) => Promise<boolean>;
  sandbox: Sandbox;
  installer: Installer;
  socketsDirOf: (uid: number) => string;
  page: LocalPage;
  choicesStore: ChoicesStore;
  refusalStore: RefusalStore;
  /** Beside the page: where the people in the house and the technician come in. */
  doors: readonly HouseDoor[];
};

export type Joined = {
  start: () => Promise<RunningAgent>;
  snapshot: () => GatewaySnapshot;
  house: House;
  /** What software says of itself on its gateway socket. */
  hearSoftware: TelemetryKeeper['hear'];
  /** Resolves when the plan has nothing left to do at once. */
  settled: () => Promise<void>;
};

export function joinFlows(outside: Outside): Joined {
  const { about, trust, state, clock, random, log, disk, outbox, folders, store, downloads, link, sandbox, installer } = outside;
  const { gateway, modelName, model, firmware, agentVersion } = about;
  const reports = makeSendReports({ outbox, link, clock, log });
  const { report } = reports;
  let reconcile: Reconcile | undefined;
  const onChange = () => reconcile?.trigger();
  let deployNotBeforeMs = 0;

  const { store: telemetryStore, ownRssBytes, chargedSinceStart, findHold, loadMessage } = outside.telemetry;
  const measure = makeMeasure({
    ...{ ownRssBytes, chargedSinceStart },
    processOf: (target) => supervisor.running().get(target)?.process,
    dataBytes: (record) => supervisor.running().get(record.target)?.process.dataUsedBytes() ?? folders.usedDataBytes(record),
  });
  const supervisor = makeSupervise({
    ...{ sandbox, store, folders, clock, trust, state, reports, log, modelName, model, measure, onChange },
    socketsDirOf: outside.socketsDirOf,
    watchMemory: makeWatchMemory({ clock }),
    watchData: makeWatchData({ folders, clock, trust, reports, log }),
    watchNetwork: makeWatchNetwork({ clock, trust, reports, log, onDenied: measure.denied }),
  });
  const keeper = makeKeepTelemetry({ gateway, store: telemetryStore, measure, trust, state, clock, log });
  const sender = makeSendTelemetry({
    ...{ gateway, findHold, loadMessage, keeper, link, clock, random, log },
    epoch: outbox.epoch,
    nowMs: trust.nowMs,
  });
  const inUse = () => [...supervisor.running().values()].map(({ sha256 }) => sha256);
  const sweepStore = makeSweepStore({ state, store, downloads, inUse, log });
  const refusalOf = makeRefusalOf({ state, trust, disk, folders, model, modelName });
  const unpacking = makeUnpackPackage({ state, trust, store, downloads, installer, model, modelName, firmware, host: outside.host });
  const trying = makeTrySoftware({ folders, store, disk, supervisor, clock, trust, model });
  const { download, serverBase } = outside;
  const deploy = makeDeploy({
    effects: {
      reserve: makeReserve({ refusalOf, makeRoom: () => sweepStore({ keepPrevious: false }) }),
      download: makeFetchPackage({ trust, downloads, store, download, random, log, serverBase }),
      verify: unpacking.verify,
      unpack: unpacking.unpack,
      activate: trying.activate,
      'watch-health': trying.watchHealth,
      'roll-back': trying.rollBack,
    },
    ...{ state, clock, random, log, report, onChange },
    nowMs: trust.nowMs,
    onCommitted: makeCommit({ state, trust, folders, supervisor }),
    afterEnd: () => sweepStore({ keepPrevious: true }),
  });

  const choices = makeKeepChoices({ store: outside.choicesStore, gateway, log });
  const situation = () =>
    observe({ choices, trust, state, supervisor, deploy, refusalOf, model, deployNotBeforeMs: () => deployNotBeforeMs });
  const purging = makePurgeSoftware({
    ...{ state, trust, folders, supervisor, log, report },
    sweepStore: () => sweepStore({ keepPrevious: true }),
  });
  const noteChanges = makeNoteChanges({ state, log });
  const planner = makeReconcile({ observe: situation, state, supervisor, deploy, purging, clock, log, report, noteChanges });
  reconcile = planner;

  const walkRoot = makeWalkRoot({ trust, source: outside.roots, clock, log, report });
  const { node, arch } = outside.host;
  const refusals = makeRememberRefusal({ store: outside.refusalStore, reports, log, nowMs: trust.nowMs });
  const handlers = makeHearServer({
    ...{ trust, state, reports, link, random, clock, log, walkRoot, onChange, refusals },
    acceptNotice: makeAcceptNotice({ trust, walkRoot, gateway, log }),
    about: {
      agent: agentVersion,
      model: modelName,
      firmware,
      node,
      arch: arch === 'arm64' ? 'arm64' : 'x64',
      bootId: about.bootId,
      epoch: outbox.epoch,
    },
    delayDeployments(delayMs) {
      deployNotBeforeMs = trust.nowMs() + delayMs;
    },
  });

  const heard: HearServer = {
    ...handlers,
    onOnline() {
      handlers.onOnline();
      measure.connected();
      sender.onOnline();
    },
  };

  const snapshot = (): GatewaySnapshot => {
    const appliedAt = trust.appliedAt();
    const refusedNotice = refusals.last();
    return {
      ...{ gateway, model: modelName, firmware, agent: agentVersion },
      atMs: trust.nowMs(),
      online: link.isOnline(),
      ...(appliedAt !== null && { lastNoticeAtMs: Date.parse(appliedAt) }),
      ...(refusedNotice !== null && { refusedNotice }),
      isMeasured: keeper.bytesPerMonth() > 0,
      month: outside.month(),
      software: snapshotSoftware(situation(), (target) => supervisor.running().get(target)?.process.webSocketPath),
    };
  };

  const house: House = {
    view: makeShowSettings({ observe: situation, about: { gateway, model: modelName }, choices }),
    answer: makeAnswer({ observe: situation, choices, reports, link, walkRoot: () => walkRoot({ isUrged: false }), log, onChange }),
  };

  return {
    start: makeRunAgent({
      ...{ agentVersion, deploy, supervisor, sandbox, trust, link, reports, snapshot, clock, log },
      handlers: heard,
      telemetry: sender,
      startClean: makeStartClean({ gateway, state, sandbox, store, folders, purging, sweepStore, log }),
      reconcile: planner,
      page: withDoors(outside.page, outside.doors, house),
      walkRoot: () => walkRoot(),
      renewCertificate: outside.renewCertificate,
      saveLedger: outside.saveLedger,
    }),
    snapshot,
    house,
    hearSoftware: keeper.hear,
    settled: planner.settled,
  };
}

/** The doors open after the page and close with it. */
function withDoors(page: LocalPage, doors: readonly HouseDoor[], house: House): LocalPage {
  return {
    async start(snapshot) {
      await page.start(snapshot);
      for (const door of doors) await door.start(house);
    },
    async stop() {
      await Promise.all([page.stop(), ...doors.map((door) => door.stop())]);
    },
  };
}
