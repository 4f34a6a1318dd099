/** Where the adapters meet the flows: the whole agent on one page. */
import { TsugiteError } from '../protocol/errors.ts';
import { systemClock as clock } from './adapters/clock.ts';
import { makeDisk } from './adapters/disk.ts';
import { makeDownloadFolder } from './adapters/download-folder.ts';
import { makeFolderLock } from './adapters/folder-lock.ts';
import { makeIdentityStore } from './adapters/identity-store.ts';
import { makeLocalPage } from './adapters/local-page.ts';
import { makeOutboxStore } from './adapters/outbox-store.ts';
import { makePackageStore } from './adapters/package-store.ts';
import { systemRandom as random } from './adapters/random.ts';
import { makeSoftwareFolders } from './adapters/software-folders.ts';
import { makeStateStore } from './adapters/state-store.ts';
import { makeTrustStore } from './adapters/trust-store.ts';
import { openLog, readBootId } from './compose/disk.ts';
import { composeNetwork } from './compose/network.ts';
import { composeSandbox } from './compose/sandbox.ts';
import { type AgentConfig, pageSettingsOf, profileOfModel } from './config.ts';
import { makeAcceptNotice } from './flows/accept-notice.ts';
import { makeCommit } from './flows/commit-software.ts';
import { makeDeploy } from './flows/deploy.ts';
import { makeFetchPackage, makeRefusalOf, makeReserve } from './flows/fetch-package.ts';
import { makeHearServer } from './flows/hear-server.ts';
import { makeKeepState } from './flows/keep-state.ts';
import { makeKeepTrust } from './flows/keep-trust.ts';
import { observe } from './flows/observe.ts';
import { makePurgeSoftware } from './flows/purge-software.ts';
import { makeReconcile, type Reconcile } from './flows/reconcile.ts';
import { makeRunAgent, type RunningAgent } from './flows/run-agent.ts';
import { makeSendReports } from './flows/send-reports.ts';
import { makeNoteChanges, snapshotSoftware } from './flows/show-software.ts';
import { makeStartClean } from './flows/start-clean.ts';
import { makeSupervise } from './flows/supervise.ts';
import { makeSweepStore } from './flows/sweep-store.ts';
import { makeTrySoftware } from './flows/try-software.ts';
import { makeUnpackPackage } from './flows/unpack-package.ts';
import { makeWalkRoot } from './flows/walk-root.ts';
import type { GatewaySnapshot } from './ports.ts';
import * as pageRules from './rules/page/index.ts';
import { installerUid } from './rules/uids.ts';
import { agentVersion, builtAtMs } from './version.ts';

/** @throws TsugiteError NOT_ENROLLED · ALREADY_RUNNING · PATH_UNREACHABLE · DISK_FULL · STORE_IO · PORT_IN_USE */
export async function startAgent(dataDir: string, config: AgentConfig): Promise<RunningAgent> {
  const enrolled = makeIdentityStore(dataDir).load();
  if (enrolled === undefined) throw new TsugiteError('NOT_ENROLLED');
  const lock = makeFolderLock(dataDir);
  await lock.take();
  const { log, onDamage, useTime } = openLog(dataDir, config);
  const { gateway } = enrolled;
  const { model: modelName, firmware } = config;
  const model = profileOfModel(config);

  const trust = makeKeepTrust({ store: makeTrustStore(dataDir, onDamage), clock, log, builtAtMs });
  useTime(trust.nowMs);
  const state = makeKeepState({ store: makeStateStore(dataDir, onDamage), gateway, log });
  const { link, ledger, budget, identity, roots, download, renewCertificate } = composeNetwork(dataDir, { trust, log, enrolled });
  const { host, sandbox, installer, socketsDirOf } = composeSandbox(dataDir, config, trust.nowMs);

  const ownerUid = process.getuid?.() === 0 ? installerUid : undefined;
  const store = makePackageStore(dataDir, { random, ownerUid });
  const folders = makeSoftwareFolders(dataDir);
  const downloads = makeDownloadFolder(dataDir);
  const disk = makeDisk(dataDir);
  const outbox = makeOutboxStore(dataDir);
  const reports = makeSendReports({ outbox, link, clock, log });
  const { report } = reports;

  let reconcile: Reconcile | undefined;
  const onChange = () => reconcile?.trigger();
  let deployNotBeforeMs = 0;

  const supervisor = makeSupervise({
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
    onChange,
  });
  const inUse = () => [...supervisor.running().values()].map(({ sha256 }) => sha256);
  const sweepStore = makeSweepStore({ state, store, downloads, inUse, log });
  const gate = { state, trust, disk, folders, model, modelName };
  const refusalOf = makeRefusalOf(gate);
  const unpacking = makeUnpackPackage({
    state,
    trust,
    store,
    downloads,
    installer,
    model,
    modelName,
    firmware,
    host: { agent: agentVersion, node: process.versions.node, arch: process.arch },
  });
  const trying = makeTrySoftware({ folders, store, disk, supervisor, clock, trust });
  const deploy = makeDeploy({
    state,
    effects: {
      reserve: makeReserve({ refusalOf, makeRoom: () => sweepStore({ keepPrevious: false }) }),
      download: makeFetchPackage({ trust, downloads, store, download, random, log, serverBase: () => identity().https }),
      verify: unpacking.verify,
      unpack: unpacking.unpack,
      activate: trying.activate,
      'watch-health': trying.watchHealth,
      'roll-back': trying.rollBack,
    },
    clock,
    nowMs: trust.nowMs,
    random,
    log,
    report,
    onCommitted: makeCommit({ state, trust, folders, supervisor }),
    afterEnd: () => sweepStore({ keepPrevious: true }),
    onChange,
  });
  const situation = () => observe({ trust, state, supervisor, deploy, refusalOf, model, deployNotBeforeMs: () => deployNotBeforeMs });
  const purging = makePurgeSoftware({
    state,
    trust,
    folders,
    supervisor,
    log,
    report,
    sweepStore: () => sweepStore({ keepPrevious: true }),
  });
  reconcile = makeReconcile({
    observe: situation,
    state,
    supervisor,
    deploy,
    purging,
    clock,
    log,
    report,
    noteChanges: makeNoteChanges({ state, log }),
  });

  const walkRoot = makeWalkRoot({ trust, source: roots, clock, log });
  const handlers = makeHearServer({
    trust,
    state,
    reports,
    link,
    random,
    log,
    acceptNotice: makeAcceptNotice({ trust, walkRoot, gateway, log }),
    walkRoot: () => walkRoot(),
    about: {
      agent: agentVersion,
      model: modelName,
      firmware,
      node: process.versions.node,
      arch: process.arch === 'arm64' ? 'arm64' : 'x64',
      bootId: readBootId(),
      epoch: outbox.epoch,
    },
    delayDeployments(delayMs) {
      deployNotBeforeMs = trust.nowMs() + delayMs;
    },
    onChange,
  });

  const snapshot = (): GatewaySnapshot => {
    const appliedAt = trust.appliedAt();
    return {
      gateway,
      model: modelName,
      firmware,
      agent: agentVersion,
      atMs: trust.nowMs(),
      online: link.isOnline(),
      ...(appliedAt !== null && { lastNoticeAtMs: Date.parse(appliedAt) }),
      month: { usedBytes: ledger.month().totalBytes, ...budget(), packageBytes: ledger.packageBytes() },
      software: snapshotSoftware(situation(), (target) => supervisor.running().get(target)?.process.webSocketPath),
    };
  };
  const running = await makeRunAgent({
    agentVersion,
    startClean: makeStartClean({ gateway, state, sandbox, store, folders, purging, sweepStore, log }),
    deploy,
    reconcile,
    supervisor,
    sandbox,
    trust,
    link,
    handlers,
    reports,
    page: makeLocalPage({ dataDir, settings: pageSettingsOf(config), rules: pageRules }),
    snapshot,
    walkRoot: () => walkRoot(),
    renewCertificate,
    saveLedger: ledger.save,
    clock,
    log,
  })();

  return {
    async stop() {
      await running.stop();
      host.close();
      lock.release();
      log.close();
    },
  };
}
