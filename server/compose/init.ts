/** `tsugite-server init`: keys, certificates, the first root, the database and the operator's first token. */
import { createPublicKey, generateKeyPairSync, type KeyObject } from 'node:crypto';
import { isIP } from 'node:net';
import { join } from 'node:path';
import { encodeEnvelope, keyidOf } from '../../protocol/dsse.ts';
import { TsugiteError } from '../../protocol/errors.ts';
import type { KeyId } from '../../protocol/fields.ts';
import { signStatement } from '../../protocol/signing.ts';
import { type Root, rootType } from '../../protocol/statements/root.ts';
import {
  beginDataFolder,
  type DataFolder,
  dataFolder,
  finishDataFolder,
  saveAuthority,
  savePrivateKey,
  saveText,
} from '../adapters/data-folder.ts';
import { beginningOfTime, issueLeaf, makeAuthority, type Name, p256, rsa3072 } from '../adapters/x509.ts';
import type { ServerConfig } from '../config.ts';
import { systemActor } from '../flows/actor.ts';
import { appendAudit } from '../flows/audit.ts';
import { makeTokens } from '../flows/tokens.ts';
import type { Authority, Clock, Db, Log, Random, Sql } from '../ports.ts';
import { makeFirstRoot, type PublicKey } from '../rules/first-root.ts';
import { tokenDays } from '../rules/token-life.ts';
import { openServerDatabase } from './database.ts';

const rootSigners = 3;
const signaturesNow = 2;
const serverCertificateYears = 10;

export type Initialised = {
  readonly data: string;
  readonly offlineRoot: string;
  readonly rootVersion: number;
  readonly rootKeys: readonly KeyId[];
  readonly noticeKey: KeyId;
  readonly publicHosts: readonly string[];
  /** Shown now and never again. */
  readonly operatorToken: string;
};
export type InitWishes = {
  readonly publicHosts: readonly string[];
  /** Where gateways find packages besides this server: in the signed root, so for as long as it is in force. */
  readonly packageBases: readonly string[];
};
type Parts = { readonly config: ServerConfig; readonly clock: Clock; readonly random: Random; readonly log: Log };

/** @throws TsugiteError FILE_EXISTS (initialised already, or the database is another installation's) */
export async function initServer(dir: string, { publicHosts, packageBases }: InitWishes, parts: Parts): Promise<Initialised> {
  const { config, clock, random, log } = parts;
  const folder = dataFolder(dir);
  beginDataFolder(folder);
  const nowMs = clock.nowMs();
  const hosts = [...new Set([...publicHosts, config.gateways.publicHost, 'localhost', '127.0.0.1'])];
  const database = await openServerDatabase(folder, config, { clock, log, mayCreate: true });
  try {
    await verifyFresh(database.db, folder);
    const trust = await makeTrust(folder, { operator: config.operator.name, hosts, packageBases }, nowMs);
    await saveFirstRoot(database.db, folder, trust, nowMs);
    const { token } = await makeTokens({ db: database.db, clock, random }).create({
      role: 'operator',
      label: 'operator',
      days: tokenDays.most,
    });
    finishDataFolder(folder, nowMs);
    return {
      data: folder.root,
      offlineRoot: folder.offlineRoot,
      rootVersion: trust.root.version,
      rootKeys: trust.root.roles.root.keyids,
      noticeKey: trust.noticeKeyid,
      publicHosts: hosts,
      operatorToken: token,
    };
  } finally {
    await database.close();
  }
}

type Trust = { readonly root: Root; readonly envelope: Buffer; readonly noticeKeyid: KeyId };

/** Every key and certificate of the installation, and the root that says what they are for. */
type About = { readonly operator: string; readonly hosts: readonly string[]; readonly packageBases: readonly string[] };

async function makeTrust(folder: DataFolder, { operator, hosts, packageBases }: About, nowMs: number): Promise<Trust> {
  const providerName = { organisation: operator, commonName: `${operator} provider CA` };
  const providerCa = await authority(folder.providerCa, rsa3072, providerName, new Date(nowMs));
  // Short names: they travel in every handshake, and are pinned by their keys.
  await authority(folder.deviceCa, p256, { commonName: 'Tsugite device CA' }, new Date(nowMs));
  const serverCa = await authority(folder.serverCa, p256, { commonName: 'Tsugite server CA' }, beginningOfTime);
  await makeServerCertificate(folder, serverCa, hosts, nowMs);
  const noticeKey = generateKeyPairSync('ed25519').privateKey;
  savePrivateKey(folder.noticeKey, noticeKey);
  const rootKeys = makeOfflineRoot(folder, operator);
  const root = makeFirstRoot({
    rootKeys: rootKeys.map(publicPart),
    noticeKey: publicPart(noticeKey),
    providerCaPem: providerCa.certPem,
    serverCaPem: serverCa.certPem,
    packageBases,
    nowMs,
  });
  const envelope = encodeEnvelope(signStatement(rootType, root, rootKeys.slice(0, signaturesNow)));
  saveText(join(folder.pki, 'root.1.dsse.json'), envelope.toString('utf8'));
  return { root, envelope, noticeKeyid: keyidOf(noticeKey) };
}

async function authority(path: string, kind: typeof p256 | typeof rsa3072, name: Name, from: Date): Promise<Authority> {
  const made = await makeAuthority(kind, name, from);
  saveAuthority(path, made);
  return made;
}

async function makeServerCertificate(folder: DataFolder, ca: Authority, hosts: readonly string[], nowMs: number): Promise<void> {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const notAfter = new Date(nowMs);
  notAfter.setUTCFullYear(notAfter.getUTCFullYear() + serverCertificateYears);
  const { pem } = await issueLeaf(ca, {
    subject: { commonName: (hosts[0] as string).slice(0, 64) }, // ub-common-name of X.520; the names that count stand in the SAN
    publicKey,
    notBefore: beginningOfTime,
    notAfter,
    extendedKeyUsage: 'serverAuth',
    alternativeNames: hosts.map((value) => ({ type: isIP(value) ? 'ip' : 'dns', value })),
  });
  savePrivateKey(`${folder.server}.key.pem`, privateKey);
  saveText(`${folder.server}.pem`, pem);
}

/** The keys that can replace every other key. They sign the first root here and are then taken away. */
function makeOfflineRoot(folder: DataFolder, operator: string): KeyObject[] {
  const keys = Array.from({ length: rootSigners }, () => generateKeyPairSync('ed25519').privateKey);
  keys.forEach((key, index) => {
    savePrivateKey(join(folder.offlineRoot, `root-${index + 1}.key.pem`), key);
  });
  const lines = keys.map((key, index) => `root-${index + 1}.key.pem  ${keyidOf(key)}`);
  saveText(join(folder.offlineRoot, 'README.txt'), offlineReadme(operator, lines));
  return keys;
}

function offlineReadme(operator: string, lines: readonly string[]): string {
  return `${operator}: offline root keys
${'-'.repeat(60)}
TAKE THIS FOLDER AWAY from the server, today. The server never needs it.

Two of these three Ed25519 keys sign a new root: they can replace the notice
key and every authority of this installation. Whoever has two of them owns
every gateway, and without two of them no key can ever be replaced.
Keep each on a medium of its own, with a person of its own.

このフォルダーは、今日中にサーバーから取り外してください。サーバーでは使いません。
3つの鍵のうち2つで新しいルート情報に署名できます。鍵ごとに別の媒体・別の担当者が保管します。

${lines.join('\n')}
`;
}

/** Keys of another installation pin its gateways: a second root 1 would cut them off. */
async function verifyFresh(sql: Sql, folder: DataFolder): Promise<void> {
  const others = await sql.query('SELECT version FROM roots');
  if (others.length > 0) throw new TsugiteError('FILE_EXISTS', { path: `${folder.root} (database)` });
}

async function saveFirstRoot(db: Db, folder: DataFolder, { root, envelope }: Trust, nowMs: number): Promise<void> {
  await db.tx(async (sql) => {
    await verifyFresh(sql, folder);
    await sql.query('INSERT INTO roots (version, envelope, issued_at, expires_at) VALUES ($1, $2, $3, $4)', [
      root.version,
      envelope,
      new Date(root.issuedAt),
      new Date(root.expires),
    ]);
    const detail = { keyids: root.roles.root.keyids };
    await appendAudit(sql, { actor: systemActor, action: 'root.publish', subject: `root ${root.version}`, detail }, nowMs);
  });
}

function publicPart(key: KeyObject): PublicKey {
  return { keyid: keyidOf(key), spki: createPublicKey(key).export({ type: 'spki', format: 'der' }).toString('base64') };
}
