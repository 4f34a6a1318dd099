/** `tsugite-server run`: both sides over one database, started in the order of their needs and stopped in the other. */
import { isIPv6 } from 'node:net';
import { keyidOf } from '../protocol/dsse.ts';
import { TsugiteError } from '../protocol/errors.ts';
import { signStatement } from '../protocol/signing.ts';
import { systemClock } from './adapters/clock.ts';
import { dataFolder, loadAuthority, loadPrivateKey, readText, serverName, verifyInitialised } from './adapters/data-folder.ts';
import { lockDataFolder } from './adapters/data-lock.ts';
import { makeCrlMaker } from './adapters/device-crl.ts';
import { makeLog } from './adapters/log.ts';
import { openPackageFiles } from './adapters/package-files.ts';
import { makeProviderCa } from './adapters/provider-ca.ts';
import { systemRandom } from './adapters/random.ts';
import { takeBrokerPlace } from './compose/broker-place.ts';
import { openServerDatabase } from './compose/database.ts';
import { makeGatewaySide } from './compose/gateway-side.ts';
import { type InitWishes, initServer } from './compose/init.ts';
import { startKeeping } from './compose/keep.ts';
import { outsideBroker } from './compose/outside-broker.ts';
import { makePeopleSide } from './compose/people-side.ts';
import { billingOf, type ServerConfig, unitBytesOf } from './config.ts';
import type { NoticeSigner } from './ports.ts';
import { eligibilityCatalogues } from './rules/eligibility-catalogue.ts';

const stopWithinMs = 5_000;

export type RunningServer = {
  readonly addresses: { readonly api: string; readonly https: string; readonly mqtt: string };
  /** Resolves with what made the server unable to go on. */
  readonly broken: Promise<Error>;
  stop(): Promise<void>;
};

export function init(dir: string, wishes: InitWishes, config: ServerConfig) {
  // A person reads the answer: of the log only what went wrong.
  return initServer(dir, wishes, { config, clock: systemClock, random: systemRandom, log: makeLog('warn') });
}

export async function startServer(dir: string, config: ServerConfig): Promise<RunningServer> {
  const folder = dataFolder(dir);
  verifyInitialised(folder);
  const stops: (() => Promise<void> | void)[] = [];
  const stop = async () => {
    for (const undo of stops.splice(0).reverse()) await undo();
  };
  try {
    const lock = lockDataFolder(folder.lock, folder.root);
    stops.push(lock.release);
    const log = makeLog(config.log.level);
    const common = { clock: systemClock, random: systemRandom, log };
    const database = await openServerDatabase(folder, config, common);
    stops.push(database.close);
    const keeping = await startKeeping(folder, { ...common, db: database.db });
    stops.push(keeping.stop);
    const packages = await openPackageFiles(
      folder.packages,
      systemRandom,
      config.database.url === undefined ? undefined : serverName(folder),
    );
    const parts = { ...common, db: database.db, packages, catalogue: eligibilityCatalogues[config.eligibility] };

    const deviceCa = loadAuthority(folder.deviceCa);
    const gateways = makeGatewaySide({
      ...parts,
      signer: loadSigner(folder.noticeKey),
      deviceCa,
      tls: { certPem: readText(`${folder.server}.pem`), keyPem: readText(`${folder.server}.key.pem`) },
      serverCas: [readText(`${folder.serverCa}.pem`)],
      bundlesDir: folder.bundles,
      settings: {
        https: config.gateways.https,
        mqtt: config.gateways.mqtt,
        policy: config.policy,
        ...(config.gateways.front && { frontSocket: config.gateways.front.socket }),
      },
      ...outsideBroker(folder, config, { ...common, connection: database.connection }),
    });
    // A private database has one server already, by the lock of its folder.
    const isAlone = config.database.url === undefined || config.broker.url !== undefined;
    const place = isAlone ? undefined : await takeBrokerPlace({ ...common, connection: database.connection });
    if (place !== undefined) stops.push(place.stop);
    stops.push(() => gateways.stop());
    const { httpsPort, mqttPort } = await gateways.start().catch(portInUse);
    const host = bracketed(config.gateways.publicHost);
    const found = { https: `https://${host}:${httpsPort}`, mqtt: `mqtts://${host}:${mqttPort}` };

    const { app, dayTick, housekeeping, sweepPackages } = makePeopleSide({
      ...parts,
      providerCa: makeProviderCa(loadAuthority(folder.providerCa)),
      crls: makeCrlMaker(deviceCa),
      heads: keeping.heads,
      access: config.people,
      unitBytes: unitBytesOf(config),
      work: config.work,
      billing: billingOf(config),
      report: config.report,
      retention: config.retention,
      dataGraceDays: config.policy.dataGraceDays,
      addresses: found,
    });
    stops.push(async () => {
      // Requests in work end by themselves; one that merely dribbles must not keep the server from stopping.
      const cancel = systemClock.after(stopWithinMs, () => app.server.closeAllConnections());
      await app.close();
      cancel();
    });
    await sweepPackages();
    const api = await app.listen(config.people).catch(portInUse);
    for (const duty of [dayTick, housekeeping]) {
      duty.start();
      stops.push(duty.stop);
    }

    log.info('server.started', { api, ...found });
    stops.push(() => log.info('server.stopping', {}));
    const ended = database.ended.then(() => new TsugiteError('DATABASE_UNAVAILABLE', {}, { cause: new Error('PostgreSQL ended') }));
    const broken = place === undefined ? ended : Promise.race([ended, place.lost]);
    return { addresses: { api, ...found }, broken, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

function loadSigner(path: string): NoticeSigner {
  const key = loadPrivateKey(path);
  return { keyid: keyidOf(key), sign: (payloadType, statement) => signStatement(payloadType, statement, [key]) };
}

function portInUse(error: NodeJS.ErrnoException & { address?: string; port?: number }): never {
  if (error.code === 'EADDRINUSE' || error.code === 'EACCES')
    throw new TsugiteError('PORT_IN_USE', { address: `${error.address ?? ''}:${error.port ?? ''}` }, { cause: error });
  throw error;
}

function bracketed(host: string): string {
  return isIPv6(host) ? `[${host}]` : host;
}
