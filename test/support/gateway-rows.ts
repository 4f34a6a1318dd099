/** Rows of a database as the gateways' side finds them, without the people's side that would have written them. */
import { createHash, createPublicKey, generateKeyPairSync, type KeyObject, randomBytes } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { encodeEnvelope, keyidOf } from '../../protocol/dsse.ts';
import { type Digest, digest, type GatewayId, gatewayId, type RandomId, toUtcTime } from '../../protocol/fields.ts';
import { signStatement } from '../../protocol/signing.ts';
import { type Root, rootType } from '../../protocol/statements/root.ts';
import { systemRandom } from '../../server/adapters/random.ts';
import type { Authority, Db } from '../../server/ports.ts';

export async function insertRoot(db: Db, serverCa: Authority, noticeKey: KeyObject, nowMs: number): Promise<void> {
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

export async function insertGateway(db: Db, name: string, model: string, nowMs: number): Promise<{ gateway: GatewayId; site: RandomId }> {
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

export async function insertCertificate(db: Db, gateway: GatewayId, serial: string): Promise<void> {
  await db.query(
    `INSERT INTO gateway_certificates (serial, gateway_id, subject_keyid, not_before, not_after, issued_at)
     VALUES ($1, $2, $3, '1970-01-01', '2100-01-01', '2020-01-01')`,
    [serial, gateway, `sha256:${'44'.repeat(32)}`],
  );
}

export async function insertInvitation(db: Db, gateway: GatewayId, nowMs: number): Promise<string> {
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

export async function insertTarget(db: Db, packagesDir: string, site: RandomId, wanted: Partial<WantedSoftware>, nowMs: number) {
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
