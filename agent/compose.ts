/** Where the adapters meet the flows. What each adapter is joined to stands in compose/join.ts. */
import { join } from 'node:path';
import { TsugiteError } from '../protocol/errors.ts';
import { toUtcTime } from '../protocol/fields.ts';
import { makeChooseArea } from './adapters/app-data/choose.ts';
import { makeChoicesStore } from './adapters/choices-store.ts';
import { systemClock as clock } from './adapters/clock.ts';
import { makeControlDoor } from './adapters/control-door.ts';
import { makeDisk } from './adapters/disk.ts';
import { makeDownloadFolder } from './adapters/download-folder.ts';
import { makeFolderLock } from './adapters/folder-lock.ts';
import { makeIdentityStore } from './adapters/identity-store.ts';
import { makeLocalPage } from './adapters/local-page.ts';
import { readLog } from './adapters/log-reader.ts';
import { makeOutboxStore } from './adapters/outbox-store.ts';
import { ownRssBytes } from './adapters/own-memory.ts';
import { makePackageStore } from './adapters/package-store.ts';
import { systemRandom as random } from './adapters/random.ts';
import { makeRefusalStore } from './adapters/refusal-store.ts';
import { makeSettingsDoor } from './adapters/settings-door.ts';
import { makeSoftwareFolders } from './adapters/software-folders.ts';
import { makeStateStore } from './adapters/state-store.ts';
import { makeTelemetryStore } from './adapters/telemetry-store.ts';
import { makeTrustStore } from './adapters/trust-store.ts';
import { openLog, readBootId } from './compose/disk.ts';
import { joinFlows } from './compose/join.ts';
import { composeNetwork } from './compose/network.ts';
import { composeSandbox } from './compose/sandbox.ts';
import { type AgentConfig, pageSettingsOf, profileOfModel } from './config.ts';
import { makeKeepState } from './flows/keep-state.ts';
import { makeKeepTrust } from './flows/keep-trust.ts';
import type { RunningAgent } from './flows/run-agent.ts';
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
  // A promise that nobody waits for is a fault of ours; it must not end every app of the household with it.
  process.on('unhandledRejection', (error) => log.write({ event: 'agent.fault', code: 'INTERNAL_FAULT', detail: { at: String(error) } }));
  const { gateway } = enrolled;
  const { model, firmware } = config;

  const trust = makeKeepTrust({ store: makeTrustStore(dataDir, onDamage), clock, log, builtAtMs });
  useTime(trust.nowMs);
  const { link, ledger, budget, identity, roots, download, renewCertificate } = composeNetwork(dataDir, { trust, log, enrolled });
  const { host, sandbox, installer, socketsDirOf } = composeSandbox(dataDir, config, {
    nowMs: trust.nowMs,
    onTelemetry: ({ target }, numbers) => joined.hearSoftware(target, numbers),
  });

  const joined = joinFlows({
    about: { gateway, modelName: model, model: profileOfModel(config), firmware, agentVersion, bootId: readBootId() },
    host: { agent: agentVersion, node: process.versions.node, arch: process.arch },
    trust,
    state: makeKeepState({ store: makeStateStore(dataDir, onDamage), gateway, log }),
    clock,
    random,
    log,
    disk: makeDisk(dataDir),
    outbox: makeOutboxStore(dataDir),
    folders: makeSoftwareFolders(dataDir, makeChooseArea(join(dataDir, 'run'))),
    store: makePackageStore(dataDir, { random, ownerUid: process.getuid?.() === 0 ? installerUid : undefined }),
    downloads: makeDownloadFolder(dataDir),
    link,
    roots,
    download,
    serverBase: () => identity().https,
    month: () => ({ usedBytes: ledger.month().totalBytes, ...budget(), packageBytes: ledger.packageBytes() }),
    saveLedger: ledger.save,
    telemetry: {
      store: makeTelemetryStore(dataDir, onDamage),
      ownRssBytes,
      chargedSinceStart: ledger.chargedSinceStart,
      findHold: ledger.findTelemetryHold,
      loadMessage: () => import('./rules/telemetry/message.ts'),
    },
    renewCertificate,
    sandbox,
    installer,
    socketsDirOf,
    page: makeLocalPage({
      dataDir,
      settings: pageSettingsOf(config),
      rules: pageRules,
      loadView: () => import('./rules/page/view.ts'),
      readPast: () => readLog(dataDir).filter(({ event }) => event === 'state.changed' || event === 'permission.denied'),
    }),
    choicesStore: makeChoicesStore(dataDir, onDamage),
    refusalStore: makeRefusalStore(dataDir, onDamage),
    doors: [
      makeControlDoor(dataDir),
      makeSettingsDoor({
        settings: pageSettingsOf(config),
        async loadPage() {
          const { composeSettings } = await import('./compose/settings.ts');
          return composeSettings(dataDir, config, { gateway, nowUtc: () => toUtcTime(trust.nowMs()), log });
        },
        log,
      }),
    ],
  });
  const running = await joined.start();

  return {
    async stop() {
      await running.stop();
      host.close();
      lock.release();
      log.close();
    },
  };
}
