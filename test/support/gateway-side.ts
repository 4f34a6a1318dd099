/** The whole gateways' side for tests: real PostgreSQL, real broker, real TLS, real package files; only the clock can be moved. */
import { createHash, createPublicKey, generateKeyPairSync, type KeyObject, randomBytes } from 'node:crypto';
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { request } from 'node:https';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { encodeEnvelope, keyidOf, parseEnvelope, verifyEnvelope } from '../../protocol/dsse.ts';
import { type Digest, digest, type GatewayId, gatewayId, type RandomId, toUtcTime } from '../../protocol/fields.ts';
import { signStatement } from '../../protocol/signing.ts';
import { type Notice, noticeType, parseNotice } from '../../protocol/statements/notice.ts';
import { type Root, rootType } from '../../protocol/statements/root.ts';
import type { Connection } from '../../server/adapters/database.ts';
import { openPackageFiles } from '../../server/adapters/package-files.ts';
import { systemRandom } from '../../server/adapters/random.ts';
import { makeTurn } from '../../server/adapters/turn.ts';
import { makeGatewaySide } from '../../server/compose/gateway-side.ts';
import { markNoticeDue } from '../../server/flows/notice-due.ts';
import type { Authority, Clock, Db, GatewaySide, GatewaySideParts, Log } from '../../server/ports.ts';
import { eligibilityCatalogues } from '../../server/rules/eligibility-catalogue.ts';
import { brokerWorkerFile } from './broker-worker.ts';
import { anAuthority, anIdentity, aServerIdentity } from './gateway-pki.ts';
import { aMosquitto, type Mosquitto } from './mosquitto.ts';
import { aNginx, openToNginx } from './nginx.ts';
import { aDatabase } from './postgres.ts';

export type LogLine = { event: string; [field: string]: unknown };
export type Answer = { status: number; headers: Record<string, string | string[] | undefined>; body: Buffer };
export type ClientIdentity = { certPem: string; keyPem: string };

export type GatewaySideRig = Awaited<ReturnType<typeof aGatewaySide>>;

export const brokers = ['embedded', 'mosquitto'] as const;

export const fronts = ['server', 'nginx'] as const;

/**
 * @param broker  the server's own, or a mosquitto as we ship its configuration
 * @param front   who does the gateways' HTTPS: the server itself, or an nginx as we ship its configuration
 */
export async function aGatewaySide({ broker = 'embedded' as (typeof brokers)[number], front = 'server' as (typeof fronts)[number] } = {}) {
  const { db, connection, stop: stopDatabase } = await aDatabase();
  const folder = mkdtempSync(path.join(tmpdir(), 'tsugite-gateways-'));
  const serverCa = await anAuthority('test server CA');
  const deviceCa = await anAuthority('test device CA');
  const mosquitto = broker === 'mosquitto' ? await aMosquitto({ server: serverCa, device: deviceCa }) : undefined;
  const noticeKey = generateKeyPairSync('ed25519').privateKey;
  const lines: LogLine[] = [];
  const clock = movableClock();
  const log: Log = {
    info: (event, fields) => void lines.push({ event, ...fields }),
    warn: (event, fields) => void lines.push({ event, ...fields }),
    error: (event, fields) => void lines.push({ event, ...fields }),
  };
  const packagesDir = path.join(folder, 'packages');
  const packages = await openPackageFiles(packagesDir, systemRandom);
  const tls = await aServerIdentity(serverCa);
  chmodSync(folder, 0o711);
  const socket = path.join(folder, 'socket', 'gateways.sock');
  if (front === 'nginx') openToNginx(path.dirname(socket), packagesDir);
  const nginx = front === 'nginx' ? await aNginx(tls, { store: packagesDir, socket }) : undefined;
  const parts: GatewaySideParts = {
    db,
    clock,
    random: systemRandom,
    log,
    packages,
    signer: { keyid: keyidOf(noticeKey), sign: (type, statement) => signStatement(type, statement, [noticeKey]) },
    catalogue: eligibilityCatalogues.seed,
    deviceCa,
    tls,
    serverCas: [serverCa.certPem],
    bundlesDir: path.join(folder, 'bundles'),
    settings: {
      https: { host: '127.0.0.1', port: nginx?.port ?? 0 },
      ...(nginx && { frontSocket: socket }),
      mqtt: { host: '127.0.0.1', port: 0 },
      policy: {
        keepaliveS: 1680,
        jitterS: 3600,
        probationS: 60,
        budget: { targetBytes: 3_000_000, alarmBytes: 4_000_000, ceilingBytes: 5_000_000 },
        telemetryBytesPerMonth: 100_000,
        dataGraceDays: 30,
      },
    },
  };
  const workerFile = await brokerWorkerFile();
  /** One server process; with an outside broker there may be several. */
  const aProcess = (more: Partial<GatewaySideParts> = {}): GatewaySide =>
    makeGatewaySide({ ...parts, ...(mosquitto && outsideBroker(mosquitto, connection, { clock, log })), ...more }, workerFile);
  let side = aProcess();
  await insertRoot(db, serverCa, noticeKey, clock.nowMs());
  let ports = await side.start();
  const startServer = async () => {
    const { https, mqtt } = parts.settings;
    side = aProcess({
      settings: { ...parts.settings, https: { ...https, port: ports.httpsPort }, mqtt: { ...mqtt, port: ports.mqttPort } },
    });
    ports = await side.start();
  };
  const rigRestart = async () => {
    await side.stop();
    await startServer();
  };

  return {
    db,
    clock,
    lines,
    serverCa,
    deviceCa,
    noticeKey,
    signer: parts.signer,
    policy: parts.settings.policy,
    packagesDir,
    nginx,
    mosquitto,
    connection,
    ports: () => ports,
    /** A second server process over the same database, as it would stand beside the first. */
    anotherProcess: (ownLog: Log = log) =>
      aProcess({ log: ownLog, ...(mosquitto && outsideBroker(mosquitto, connection, { clock, log: ownLog })) }),
    /** The broker goes away and comes back; the embedded one is part of the server. */
    restartBroker: async (lose: 'nothing' | 'everything' = 'nothing') => {
      if (mosquitto === undefined) return rigRestart();
      await mosquitto.restart(lose);
    },
    /** Ends the gateways' side and starts it anew on the same ports and database. */
    restart: rigRestart,
    stopServer: () => side.stop(),
    startServer,
    stop: async () => {
      await side.stop();
      await mosquitto?.stop();
      await nginx?.stop();
      await stopDatabase();
      rmSync(folder, { recursive: true, force: true });
    },
    /** One HTTPS request to the gateways' side. */
    ask: (method: string, url: string, options: { as?: ClientIdentity; headers?: Record<string, string>; body?: string | Buffer } = {}) =>
      httpsRequest(ports.httpsPort, serverCa.certPem, method, url, options),
    aGateway: (name: string, model = 'PR-500KI') => insertGateway(db, name, model, clock.nowMs()),
    /** A certificate of ours without the way through EST. */
    anIdentity: async (gateway: GatewayId) => {
      const identity = await anIdentity(deviceCa, gateway);
      await insertCertificate(db, gateway, identity.serial);
      return identity;
    },
    /** What the people's side does after a change: the row says due, the notification wakes. */
    wake: (gateway: GatewayId) => db.tx((sql) => markNoticeDue(sql, { gateways: [gateway] }, clock.nowMs())),
    /** The newest notice in the database, proven with the notice key. */
    newestNotice: async (gateway: GatewayId) => {
      const [row] = await db.query<{ envelope: Buffer }>(
        'SELECT envelope FROM notices WHERE gateway_id = $1 ORDER BY version DESC LIMIT 1',
        [gateway],
      );
      return row === undefined ? undefined : openNotice(row.envelope, noticeKey);
    },
    openNotice: (envelope: Buffer) => openNotice(envelope, noticeKey),
    invite: (gateway: GatewayId) => insertInvitation(db, gateway, clock.nowMs()),
    aTarget: (site: RandomId, wanted: Partial<WantedSoftware> = {}) =>
      insertTarget(db, path.join(folder, 'packages'), site, wanted, clock.nowMs()),
  };
}

function outsideBroker({ access, port }: Mosquitto, connection: Connection, { clock, log }: { clock: Clock; log: Log }) {
  return { broker: { access, publicPort: port, turn: makeTurn({ connection, clock, log }) } };
}

function movableClock(): Clock & { offsetMs: number } {
  const clock = {
    offsetMs: 0,
    nowMs: () => Date.now() + clock.offsetMs,
    after: (ms: number, run: () => void) => {
      const timer = setTimeout(run, ms);
      return () => clearTimeout(timer);
    },
  };
  return clock;
}

async function insertRoot(db: Db, serverCa: Authority, noticeKey: KeyObject, nowMs: number): Promise<void> {
  const rootKey = generateKeyPairSync('ed25519').privateKey;
  const entry = (key: KeyObject) => [keyidOf(key), { type: 'ed25519' as const, spki: spkiOf(key) }] as const;
  const root: Root = {
    v: 1,
    version: 1,
    issuedAt: toUtcTime(nowMs),
    expires: toUtcTime(nowMs + 700 * 86_400_000),
    keys: Object.fromEntries([entry(rootKey), entry(noticeKey)]),
    roles: { root: { keyids: [keyidOf(rootKey)], threshold: 1 }, notice: { keyids: [keyidOf(noticeKey)], threshold: 1 } },
    providerCas: [],
    serverCas: [serverCa.certPem],
    packageBases: [],
    revokedSigners: [],
  };
  await db.query('INSERT INTO roots (version, envelope, issued_at, expires_at) VALUES (1, $1, $2, $3)', [
    encodeEnvelope(signStatement(rootType, root, [rootKey])),
    new Date(nowMs),
    new Date(root.expires),
  ]);
}

function spkiOf(key: KeyObject): string {
  return createPublicKey(key).export({ type: 'spki', format: 'der' }).toString('base64');
}

async function insertGateway(db: Db, name: string, model: string, nowMs: number): Promise<{ gateway: GatewayId; site: RandomId }> {
  const gateway = gatewayId.parse(name);
  const [customer, site] = [systemRandom.id(), systemRandom.id()];
  const now = new Date(nowMs);
  await db.query('INSERT INTO customers (id, customer_id, created_at) VALUES ($1, $2, $3)', [
    customer,
    `C${randomBytes(6).toString('hex').toUpperCase()}`,
    now,
  ]);
  await db.query('INSERT INTO sites (id, customer, created_at) VALUES ($1, $2, $3)', [site, customer, now]);
  await db.query('INSERT INTO gateways (id, site_id, model, created_at) VALUES ($1, $2, $3, $4)', [gateway, site, model, now]);
  return { gateway, site };
}

async function insertCertificate(db: Db, gateway: GatewayId, serial: string): Promise<void> {
  await db.query(
    `INSERT INTO gateway_certificates (serial, gateway_id, subject_keyid, not_before, not_after, issued_at)
     VALUES ($1, $2, $3, '1970-01-01', '2100-01-01', '2020-01-01')`,
    [serial, gateway, `sha256:${'44'.repeat(32)}`],
  );
}

function openNotice(envelope: Buffer, noticeKey: KeyObject): Notice {
  return parseNotice(verifyEnvelope(parseEnvelope(envelope), noticeType, new Map([[keyidOf(noticeKey), createPublicKey(noticeKey)]]), 1));
}

async function insertInvitation(db: Db, gateway: GatewayId, nowMs: number): Promise<string> {
  const token = systemRandom.id();
  await db.query('INSERT INTO invitations (id, gateway_id, token_sha256, created_at, expires_at) VALUES ($1, $2, $3, $4, $5)', [
    systemRandom.id(),
    gateway,
    createHash('sha256').update(token).digest('hex'),
    new Date(nowMs),
    new Date(nowMs + 86_400_000),
  ]);
  return token;
}

export type WantedSoftware = { software: string; version: string; state: string; content: Buffer; models: string[] };

async function insertTarget(db: Db, packagesDir: string, site: RandomId, wanted: Partial<WantedSoftware>, nowMs: number) {
  const { software = 'demo.ipv4', version = '1.0.0', state = 'READY', content = randomBytes(700_000), models = ['*'] } = wanted;
  const now = new Date(nowMs);
  const sha256 = digest.parse(createHash('sha256').update(content).digest('hex'));
  writeFileSync(path.join(packagesDir, sha256), content);
  await db.query("INSERT INTO providers (id, name, created_at) VALUES ('demo', 'Demo', $1) ON CONFLICT DO NOTHING", [now]);
  await db.query(
    "INSERT INTO software (id, provider_id, state, registered_at, created_at) VALUES ($1, 'demo', 'PUBLISHED', $2, $2) ON CONFLICT DO NOTHING",
    [software, now],
  );
  const release = await insertRelease(db, { software, version, content, sha256, models }, now);
  const target = systemRandom.id();
  await db.query(
    `INSERT INTO targets (id, software_id, provider_id, site_id, state, release_id, plan, requested_at, requested_by, ready_at)
     VALUES ($1, $2, 'demo', $3, $4, $5, 1, $6, 'test', $6)`,
    [target, software, site, state, release, now],
  );
  return { target, sha256, content };
}

async function insertRelease(
  db: Db,
  { software, version, content, sha256, models }: { software: string; version: string; content: Buffer; sha256: Digest; models: string[] },
  now: Date,
): Promise<RandomId> {
  const release = systemRandom.id();
  await db.query(
    `INSERT INTO releases (id, software_id, version, state, stored_bytes, installed_bytes, unit_bytes, menu, plan, admitted_at)
     VALUES ($1, $2, $3, 'ADMITTED', $4, 900000, 1000000, 1, 1, $5) ON CONFLICT (software_id, version) DO NOTHING`,
    [release, software, version, content.length, now],
  );
  const [row] = await db.query<{ id: RandomId }>('SELECT id FROM releases WHERE software_id = $1 AND version = $2', [software, version]);
  const id = row?.id ?? release;
  await db.query(
    `INSERT INTO packages (sha256, release_id, bytes, installed_bytes, manifest, manifest_sha256, payload_sha256, models, signer_issuer, signer_serial,
       signer_not_after, admitted_at) VALUES ($1, $2, $3, 900000, $4, $5, $5, $6, $7, '1', $8, $8) ON CONFLICT DO NOTHING`,
    [sha256, id, content.length, aManifest(software, version), '11'.repeat(32), models, `sha256:${'22'.repeat(32)}`, now],
  );
  return id;
}

export function aManifest(software: string, version: string): Record<string, unknown> {
  return {
    v: 1,
    software,
    version,
    provider: 'demo',
    title: { ja: 'デモ', en: 'Demo' },
    customer: { description: '説明', price: '無料', leadTimeDays: 0, contact: '連絡先', termsUrl: 'https://example.jp/terms' },
    models: ['*'],
    requires: { agent: '>=1.0.0' },
    payload: { sha256: '33'.repeat(32), tarBytes: 1_000_000, installedBytes: 900_000, files: 3, encoding: 'br' },
    entry: { runtime: 'node', args: ['main.js'] },
    permissions: { lan: ['udp:3610'], wan: [], telemetry: false },
    resources: { memoryBytes: 50_000_000, cpuPercent: 90, pids: 8, dataBytes: 1_000_000 },
    health: { kind: 'ready', timeoutS: 10 },
    data: { format: 1 },
  };
}

/** One HTTPS request on a connection of its own. */
export function httpsRequest(
  port: number,
  ca: string,
  method: string,
  url: string,
  { as, headers = {}, body }: { as?: ClientIdentity; headers?: Record<string, string>; body?: string | Buffer },
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const identity = as === undefined ? {} : { cert: as.certPem, key: as.keyPem };
    const sent = request({ host: '127.0.0.1', port, path: url, method, ca, agent: false, headers, ...identity }, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('end', () => resolve({ status: response.statusCode ?? 0, headers: response.headers, body: Buffer.concat(chunks) }));
      response.on('error', reject);
    });
    sent.on('error', reject);
    sent.end(body);
  });
}
