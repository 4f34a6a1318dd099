/**
 * A whole agent on a real disk in a temporary folder: real roots, notices and signatures, a clock that the test moves. Only what is not ours, or
 * needs root, stands in: broker, server, sandbox, installer child.
 */
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { makeChoicesStore } from '../../agent/adapters/choices-store.ts';
import { makeDownloadFolder } from '../../agent/adapters/download-folder.ts';
import { makeOutboxStore } from '../../agent/adapters/outbox-store.ts';
import { makePackageStore } from '../../agent/adapters/package-store.ts';
import { systemRandom } from '../../agent/adapters/random.ts';
import { makeRefusalStore } from '../../agent/adapters/refusal-store.ts';
import { makeSoftwareFolders } from '../../agent/adapters/software-folders.ts';
import { makeStateStore } from '../../agent/adapters/state-store.ts';
import { makeTelemetryStore } from '../../agent/adapters/telemetry-store.ts';
import { makeTrustStore } from '../../agent/adapters/trust-store.ts';
import { joinFlows } from '../../agent/compose/join.ts';
import { makeKeepState } from '../../agent/flows/keep-state.ts';
import { makeKeepTrust } from '../../agent/flows/keep-trust.ts';
import type { TrustStore } from '../../agent/ports/disk.ts';
import type { AppExit, AppNetworkNews, AppProcess, AppSpec, LinkHandlers, LogEvent, Readiness, Sandbox } from '../../agent/ports.ts';
import type { Ask } from '../../agent/rules/ask.ts';
import type { TelemetryHold } from '../../agent/rules/ledger.ts';
import { agentVersion } from '../../agent/version.ts';
import { encodeEnvelope } from '../../protocol/dsse.ts';
import { type ErrorCode, TsugiteError } from '../../protocol/errors.ts';
import { type GatewayId, modelName, type RandomId } from '../../protocol/fields.ts';
import { type GatewayProfile, profileOf } from '../../protocol/gateway-models.ts';
import { toCompactJson } from '../../protocol/json.ts';
import type { OwnNumbers } from '../../protocol/messages/own-numbers.ts';
import { type Birth, parsePresence } from '../../protocol/messages/presence.ts';
import { type DeploymentState, parseReport, type Report } from '../../protocol/messages/report.ts';
import { parseTelemetry, type Telemetry } from '../../protocol/messages/telemetry.ts';
import { type Manifest, manifestSchema } from '../../protocol/statements/manifest.ts';
import type { Notice, Target } from '../../protocol/statements/notice.ts';
import type { Root } from '../../protocol/statements/root.ts';
import { aManualClock, type ManualClock } from './manual-clock.ts';
import {
  aGatewayId,
  aNotice,
  aRoot,
  aTarget,
  digestOfText,
  mintedAtMs,
  type RootKeys,
  signNotice,
  signRoot,
  someRootKeys,
} from './mint.ts';
import { until } from './until.ts';

const exited = (over: Partial<AppExit> = {}): AppExit => ({
  status: 1,
  signal: null,
  outOfMemory: false,
  memoryPeakBytes: 20_000_000,
  ...over,
});

/** What one package does on the gateway; a wish of the notice and its behaviour, found by the package's digest. */
export type TestPackage = {
  wish: Target;
  manifest: Manifest;
  /** ready: says so at once · never-ready: until its time is over (thrashing: at its memory limit) · crashing: ends before it is ready · dying: ready, then ends. */
  health: 'ready' | 'never-ready' | 'thrashing' | 'crashing' | 'dying' | 'out-of-memory';
  /** The installer child refuses it. */
  refusedBy?: ErrorCode;
  signerSerial: string;
};

type PackageOptions = Partial<Omit<TestPackage, 'wish' | 'manifest'>> & { wish?: Partial<Target>; manifest?: Partial<Manifest> };

export function aTestPackage(name: string, version = '1.0.0', { wish = {}, manifest = {}, ...rest }: PackageOptions = {}): TestPackage {
  const target = aTarget(name, {
    version: version as Target['version'],
    package: { sha256: digestOfText(`${name} ${version} ${JSON.stringify(manifest)}`), bytes: 100_000 },
    ...wish,
  });
  return {
    wish: target,
    manifest: manifestSchema.parse({
      v: 1,
      software: target.software,
      version,
      provider: target.provider,
      title: { ja: name, en: name },
      customer: { description: '説明', price: '無料', leadTimeDays: 1, contact: '0120', termsUrl: 'https://acme.example.jp/' },
      models: ['*'],
      requires: { agent: '^1.0.0' },
      payload: {
        sha256: digestOfText(`${name} ${version} payload`),
        tarBytes: 310_000,
        installedBytes: target.installedBytes,
        files: 1,
        encoding: 'br',
      },
      entry: { runtime: 'node', args: ['main.js'] },
      permissions: { lan: [], wan: [], telemetry: false },
      resources: { memoryBytes: 33_554_432, cpuPercent: 25, pids: 16, dataBytes: 65_536 },
      health: { kind: 'ready', timeoutS: 30 },
      data: { format: 1 },
      ...manifest,
    }),
    health: 'ready',
    signerSerial: '1',
    ...rest,
  };
}

type App = {
  spec: AppSpec;
  end: (exit: AppExit) => void;
  isRunning: boolean;
  network: AppNetworkNews;
  memoryPeakBytes: number;
  pressure: { limitHits: number; refaults: number | undefined };
  dataGrowth: number[];
};

/** In memory where there is such a place: every state is synced, and a shared disk takes its time for that. */
function aFolder(): string {
  return mkdtempSync(join(existsSync('/dev/shm') ? '/dev/shm' : tmpdir(), 'agent-bench-'));
}

/** What needs root, in the place of the stand-ins. */
export type RealParts = {
  sandbox: Sandbox;
  chooseArea: Parameters<typeof makeSoftwareFolders>[1];
  socketsDirOf: (uid: number) => string;
  /** main.js of every package. */
  program: string;
};

/** @param dataDir  of another bench, to be its next life */
export function anAgentBench({
  model = 'PR-500KI',
  gateway = aGatewayId,
  dataDir = aFolder(),
  real,
}: {
  model?: string;
  gateway?: GatewayId;
  dataDir?: string;
  real?: RealParts;
} = {}) {
  const keys = someRootKeys();
  const packages = new Map<string, TestPackage>();
  const roots = new Map<number, Buffer>();
  const sent: Report[] = [];
  const telemetry: Telemetry[] = [];
  const charged: { bytes: number; hold: TelemetryHold | undefined } = { bytes: 0, hold: undefined };
  let isLineDown = false;
  const events: LogEvent[] = [];
  const apps: App[] = [];
  /** The states that each deployment had on the disk, in this order. */
  const reached = new Map<string, readonly DeploymentState[]>();
  const downloadFaults: TsugiteError[] = [];
  const freeBytes = { value: 500_000_000 };
  let downloads = 0;
  let rootQuestions = 0;
  let installs = 0;
  let noticeVersion = mintedAtMs;
  let clock: ManualClock = aManualClock(mintedAtMs);
  let running: ReturnType<typeof start> extends Promise<infer Run> ? Run | undefined : never;
  let isAcknowledging = true;

  publishRoot(aRoot(keys), keys);
  makeTrustStore(dataDir).pinAnew(1, roots.get(1) as Buffer);

  function publishRoot(root: Root, signers: RootKeys, ...more: RootKeys[]): void {
    roots.set(
      root.version,
      encodeEnvelope(
        signRoot(
          root,
          [signers, ...more].flatMap(({ root: of }) => of.slice(0, 2)),
        ),
      ),
    );
  }

  let isDiskFull = false;
  let savesLeft = Number.POSITIVE_INFINITY;
  let underWay = 0;
  /** Counts what the disk is still busy with. */
  function counted<Port extends object>(port: Port): Port {
    return new Proxy(port, {
      get(target, name, receiver) {
        const method: unknown = Reflect.get(target, name, receiver);
        if (typeof method !== 'function') return method;
        return (...args: unknown[]) => {
          const result: unknown = method.apply(target, args);
          if (!(result instanceof Promise)) return result;
          underWay += 1;
          return result.finally(() => {
            underWay -= 1;
          });
        };
      },
    });
  }

  async function start() {
    const power = { isOn: true };
    let isOnline = false;
    let handlers: LinkHandlers | undefined;
    const own = clock;
    /** Once the power is off, nothing that this run still does has any effect. */
    const powered = <Value>(value: Promise<Value>): Promise<Value> =>
      value.then((result) => (power.isOn ? result : new Promise<never>(() => {})));
    const guard = () => {
      if (savesLeft-- === 0) power.isOn = false;
      if (!power.isOn) throw new TsugiteError('STORE_IO', { at: 'power is off' });
      if (isDiskFull) throw new TsugiteError('DISK_FULL', { path: dataDir });
    };
    const guarded =
      <Args extends unknown[], Value>(save: (...args: Args) => Value) =>
      (...args: Args): Value => {
        guard();
        return save(...args);
      };
    const log = {
      write: (event: LogEvent) => {
        if (power.isOn) events.push(event);
      },
    };
    const onDisk = makeTrustStore(dataDir);
    const trustStore: TrustStore = {
      ...onDisk,
      saveRoot: guarded(onDisk.saveRoot),
      saveNotice: guarded(onDisk.saveNotice),
      saveClock: guarded(onDisk.saveClock),
      saveVersionFloors: guarded(onDisk.saveVersionFloors),
    };
    const trust = makeKeepTrust({ store: trustStore, clock: own, log, builtAtMs: mintedAtMs - 1_000 });
    const stateStore = makeStateStore(dataDir);
    const state = makeKeepState({
      store: {
        load: stateStore.load,
        save: guarded((next) => {
          stateStore.save(next);
          for (const { id, state } of next.deployments) reached.set(id, [...new Set([...(reached.get(id) ?? []), state])]);
        }),
      },
      gateway,
      log,
    });
    const outbox = makeOutboxStore(dataDir);
    const refusalStore = makeRefusalStore(dataDir);
    const telemetryStore = makeTelemetryStore(dataDir);
    const store = counted(makePackageStore(dataDir, { random: systemRandom, ownerUid: undefined }));
    const downloadFolder = makeDownloadFolder(dataDir);

    const joined = joinFlows({
      about: {
        gateway,
        modelName: modelName.parse(model),
        model: profileOf(model) as GatewayProfile,
        firmware: '01.00.0000',
        agentVersion,
        bootId: 'b'.repeat(32),
      },
      host: { agent: agentVersion, node: process.versions.node, arch: 'x64' },
      trust,
      state,
      clock: own,
      random: { ...systemRandom, fraction: () => 0.5 },
      log,
      disk: { freeBytes: () => freeBytes.value },
      outbox: { ...outbox, add: guarded(outbox.add) },
      folders: counted(makeSoftwareFolders(dataDir, real?.chooseArea)),
      store,
      downloads: downloadFolder,
      link: {
        start(told) {
          handlers = told;
          isOnline = true;
          told.onOnline();
        },
        isOnline: () => isOnline && power.isOn && !isLineDown,
        async publishReport(message) {
          const report = parseReport(message);
          sent.push(report);
          if (isAcknowledging)
            setImmediate(() => power.isOn && handlers?.onAck(toCompactJson({ v: 1, epoch: report.epoch, upTo: report.seq })));
        },
        async publishTelemetry(message) {
          if (isLineDown) throw new TsugiteError('SERVER_UNREACHABLE', { kind: 'connection-ended' });
          telemetry.push(parseTelemetry(message));
        },
        setKeepaliveS: () => {},
        stop: async () => {},
      },
      roots: {
        fetchRoot: async (version) => {
          rootQuestions += 1;
          return roots.get(version);
        },
      },
      download: {
        async download({ path, sha256 }, signal) {
          signal.throwIfAborted();
          downloads += 1;
          const fault = downloadFaults.shift();
          if (fault !== undefined) throw fault;
          writeFileSync(path, sha256);
          await powered(Promise.resolve());
        },
      },
      serverBase: () => 'https://server.test:8443',
      month: () => ({ usedBytes: 0, targetBytes: 3_000_000, alarmBytes: 4_000_000, ceilingBytes: 5_000_000 }),
      saveLedger: () => {},
      telemetry: counted({
        store: { load: telemetryStore.load, save: guarded(telemetryStore.save) },
        ownRssBytes: () => 54_000 * 1024,
        chargedSinceStart: () => charged.bytes,
        findHold: () => charged.hold,
        loadMessage: () => import('../../agent/rules/telemetry/message.ts'),
      }),
      renewCertificate: async () => false,
      sandbox: real?.sandbox ?? {
        probe: async () => ({ backend: 'none', cgroup: 'none', uid: 0, capabilities: '', seccomp: 0, noNewPrivileges: false }),
        start: async (spec) => powered(Promise.resolve(startApp(spec, own))),
        removeLeftovers: async () => {},
      },
      installer: {
        async install({ stagingDir, packagePath }) {
          installs += 1;
          const found = [...packages.values()].find(({ wish }) => packagePath.includes(wish.package.sha256));
          if (found === undefined) throw new TsugiteError('PKG_MALFORMED');
          if (found.refusedBy !== undefined) throw new TsugiteError(found.refusedBy);
          writeFileSync(join(stagingDir, 'main.js'), real?.program ?? found.wish.version);
          const signer = {
            issuer: `sha256:${'a'.repeat(64)}`,
            serial: found.signerSerial,
            organisation: '株式会社アクメ',
            notAfterMs: mintedAtMs * 2,
          };
          return powered(Promise.resolve({ manifest: found.manifest, signer }));
        },
      },
      socketsDirOf: real?.socketsDirOf ?? (() => dataDir),
      page: { start: async () => {}, stop: async () => {} },
      choicesStore: makeChoicesStore(dataDir),
      refusalStore: { load: refusalStore.load, save: guarded(refusalStore.save) },
      doors: [],
    });
    const agent = await joined.start();
    return { power, agent, joined, state, trust, handlers: () => handlers as LinkHandlers };
  }

  function startApp(spec: AppSpec, own: ManualClock): AppProcess {
    if (!existsSync(spec.appDir)) throw new TsugiteError('SANDBOX_UNAVAILABLE', { kind: 'launcher', said: 'no such package' });
    const health = [...packages.values()].find(({ wish }) => spec.appDir.endsWith(wish.package.sha256))?.health ?? 'ready';
    let end: App['end'] = () => {};
    const app: App = {
      spec,
      isRunning: true,
      end: (exit) => end(exit),
      network: { denied: [] },
      memoryPeakBytes: 20_000_000,
      pressure: { limitHits: 0, refaults: 0 },
      dataGrowth: [],
    };
    const ended = new Promise<AppExit>((resolve) => {
      end = (exit) => {
        app.isRunning = false;
        resolve(exit);
      };
    });
    apps.push(app);
    if (health === 'crashing') app.end(exited());
    const outcome: Promise<Readiness> =
      health === 'never-ready' || health === 'thrashing'
        ? new Promise(
            (resolve) =>
              void own.after(spec.health.timeoutS * 1000, () => resolve({ kind: 'timeout', isThrashing: health === 'thrashing' })),
          )
        : health === 'crashing'
          ? Promise.resolve({ kind: 'exited', exit: exited() })
          : Promise.resolve({ kind: 'ready' });
    if (health === 'dying') own.after(5_000, () => app.end(exited()));
    if (health === 'out-of-memory') own.after(5_000, () => app.end(exited({ status: null, signal: 'SIGKILL', outOfMemory: 'kill' })));
    return {
      pid: 1_000 + apps.length,
      webSocketPath: '/nowhere',
      readiness: outcome,
      exited: ended,
      network: async () => app.network,
      dataUsedBytes: () => undefined,
      memoryPressure: () => (app.isRunning ? app.pressure : undefined),
      growData: async (bytes) => app.dataGrowth.push(bytes) > 0,
      memoryPeakBytes: () => (app.isRunning ? app.memoryPeakBytes : 0),
      async stop() {
        app.end(exited({ status: 0 }));
        await ended;
      },
    };
  }

  const live = () => {
    if (running === undefined) throw new Error('the agent does not run');
    return running;
  };

  const bench = {
    dataDir,
    keys,
    roots,
    sent,
    /** Each message, decoded. */
    telemetry,
    charged,
    events,
    apps,
    reached,
    packages,
    downloadFaults,
    freeBytes,
    publishRoot,
    get clock() {
      return clock;
    },
    get downloads() {
      return downloads;
    },
    get rootQuestions() {
      return rootQuestions;
    },
    get installs() {
      return installs;
    },
    state: () => live().state.now(),
    trust: () => live().trust,
    snapshot: () => live().joined.snapshot(),
    /** As a person at the gateway asks, on the settings page or on the command line. */
    hearSoftware: (target: RandomId, numbers: OwnNumbers) => live().joined.hearSoftware(target, numbers),
    /** The line goes, or comes back. */
    line(isUp: boolean) {
      isLineDown = !isUp;
      if (isUp) live().handlers().onOnline();
    },
    async ask(ask: Ask) {
      const answered = await live().joined.house.answer(ask, 'command');
      await bench.settled();
      return answered;
    },
    settingsView: () => live().joined.house.view(),
    birth: () => parsePresence(live().handlers().birth()) as Birth,
    acknowledge(isOn: boolean) {
      isAcknowledging = isOn;
    },

    async boot() {
      running = await start();
      await bench.settled();
    },
    async stop() {
      await live().agent.stop();
      running = undefined;
    },
    fillDisk(isFull: boolean) {
      isDiskFull = isFull;
    },
    /** The power goes in the middle of whatever comes next: at the save after so many. */
    cutPowerAfterSaves(saves: number) {
      savesLeft = saves;
    },
    /** Nothing is said good-bye to; what is on disk is what the next boot finds. */
    cutPower() {
      live().power.isOn = false;
      savesLeft = Number.POSITIVE_INFINITY;
      for (const app of apps) app.isRunning = false;
      clock = aManualClock(clock.wallMs() + 60_000);
      running = undefined;
    },
    /** Until nothing is left that happens without the clock. */
    async settled() {
      for (let quiet = 0; quiet < 20; ) {
        const before = [live().state.now(), events.length, sent.length, apps.length];
        await new Promise((resolve) => setImmediate(resolve));
        if (!live().power.isOn) return;
        await Promise.race([live().joined.settled(), new Promise((resolve) => setImmediate(resolve))]);
        const now = [live().state.now(), events.length, sent.length, apps.length];
        quiet = underWay === 0 && now.every((value, index) => value === before[index]) ? quiet + 1 : 0;
      }
    },
    async pass(ms: number) {
      await clock.advanceMs(ms);
      await bench.settled();
    },
    hear: (envelope: Buffer) => live().handlers().onNotice(envelope),
    /** The whole desired state, as the server would publish it now. */
    async wish(wanted: readonly TestPackage[], over: Partial<Notice> = {}) {
      for (const one of wanted) packages.set(one.wish.package.sha256, one);
      noticeVersion = Math.max(noticeVersion + 1, Math.floor(clock.wallMs()));
      const issuedAt = new Date(Math.floor(clock.wallMs() / 1000) * 1000).toISOString().replace('.000Z', 'Z') as Notice['issuedAt'];
      const expires = new Date(Date.parse(issuedAt) + 21 * 86_400_000).toISOString().replace('.000Z', 'Z') as Notice['expires'];
      const notice = aNotice({ gateway, version: noticeVersion, issuedAt, expires, targets: wanted.map(({ wish }) => wish), ...over });
      await bench.hear(signNotice(notice, keys.notice));
      await bench.settled();
      return notice;
    },
    /** A wish, the probation over. */
    async deliver(...wanted: TestPackage[]) {
      await bench.wish(wanted);
      await bench.pass(61_000);
    },
    record: (name: string) =>
      live()
        .state.now()
        .records.find(({ software }) => software === `${name}.acme`),
    runningVersion: (name: string) => apps.findLast(({ spec, isRunning }) => isRunning && spec.software === `${name}.acme`)?.spec.version,
    word: (name: string) => bench.snapshot().software.find(({ software }) => software === `${name}.acme`)?.state,
    reports: (kind?: Report['kind']) => {
      const once = [...new Map(sent.map((report) => [`${report.epoch} ${report.seq}`, report])).values()];
      return kind === undefined ? once : once.filter((report) => report.kind === kind);
    },
    writeData(name: string, text: string) {
      const folder = join(dataDir, 'software', 'acme', `${name}.acme`, 'data');
      mkdirSync(folder, { recursive: true });
      writeFileSync(join(folder, 'note'), text);
    },
    until,
    remove: () => rmSync(dataDir, { recursive: true, force: true }),
  };
  return bench;
}

export type AgentBench = ReturnType<typeof anAgentBench>;
