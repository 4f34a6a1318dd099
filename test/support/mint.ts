/** Roots and notices of a test: real Ed25519 keys, real signatures. A builder states only what its test is about. */
import { createHash, createPublicKey, generateKeyPairSync, type KeyObject } from 'node:crypto';
import { type Envelope, encodeEnvelope, keyidOf } from '../../protocol/dsse.ts';
import { type Digest, digest, type GatewayId, gatewayId, type RandomId, randomId, toUtcTime } from '../../protocol/fields.ts';
import { signStatement } from '../../protocol/signing.ts';
import { type Notice, noticeType, type Removal, type Target } from '../../protocol/statements/notice.ts';
import { type Root, rootType } from '../../protocol/statements/root.ts';

const dayMs = 86_400_000;
export const mintedAtMs = Date.parse('2026-11-22T00:00:00Z');
export const aGatewayId: GatewayId = gatewayId.parse('hgw-0001');

export function aKey(): KeyObject {
  return generateKeyPairSync('ed25519').privateKey;
}

export function digestOfText(text: string): Digest {
  return digest.parse(createHash('sha256').update(text).digest('hex'));
}

/** `t` and the name, filled up to the length of a real id. */
export function anId(name: string): RandomId {
  return randomId.parse(`${name.toLowerCase().replace(/[^a-z0-9]/g, '')}${'0'.repeat(26)}`.slice(0, 26));
}

export type RootKeys = { root: readonly KeyObject[]; notice: readonly KeyObject[] };

export function someRootKeys(): RootKeys {
  return { root: [aKey(), aKey(), aKey()], notice: [aKey()] };
}

/** A valid PEM block; not a certificate that could verify anything. */
const anyPem = `-----BEGIN CERTIFICATE-----\n${Buffer.from('a certificate of a test').toString('base64')}\n-----END CERTIFICATE-----\n`;

export function aRoot({ root, notice }: RootKeys, overrides: Partial<Root> = {}, { rootThreshold = 2, noticeThreshold = 1 } = {}): Root {
  return {
    v: 1,
    version: 1,
    issuedAt: toUtcTime(mintedAtMs - dayMs),
    expires: toUtcTime(mintedAtMs + 730 * dayMs),
    keys: Object.fromEntries([...root, ...notice].map((key) => [keyidOf(key), { type: 'ed25519', spki: spkiOf(key) }])) as Root['keys'],
    roles: {
      root: { keyids: root.map(keyidOf), threshold: rootThreshold },
      notice: { keyids: notice.map(keyidOf), threshold: noticeThreshold },
    },
    providerCas: [anyPem],
    serverCas: [anyPem],
    packageBases: [],
    revokedSigners: [],
    ...overrides,
  };
}

export function signRoot(root: Root, signers: readonly KeyObject[]): Envelope {
  return signStatement(rootType, root, signers);
}

export function aTarget(name: string, overrides: Partial<Target> = {}): Target {
  return {
    target: anId(name),
    software: `${name}.acme` as Target['software'],
    version: '1.0.0' as Target['version'],
    provider: 'acme' as Target['provider'],
    attempt: 1,
    package: { sha256: digestOfText(`${name} package`), bytes: 100_000 },
    manifestSha256: digestOfText(`${name} manifest`),
    installedBytes: 300_000,
    plan: 1,
    entitledUntil: toUtcTime(mintedAtMs + 37 * dayMs),
    deadline: toUtcTime(mintedAtMs + 14 * dayMs),
    limits: { installedBytes: 1_500_000, dataBytes: 1_048_576, memoryBytes: 67_108_864, cpuPercent: 25, pids: 32, files: 256 },
    grants: { lan: [], wan: [], telemetry: false },
    ...overrides,
  };
}

export function aRemoval({ target, software, provider }: Target, reason: Removal['reason'] = 'cancelled'): Removal {
  return { target, software, provider, reason };
}

export function aNotice(overrides: Partial<Notice> = {}): Notice {
  return {
    v: 1,
    gateway: aGatewayId,
    version: mintedAtMs,
    issuedAt: toUtcTime(mintedAtMs),
    expires: toUtcTime(mintedAtMs + 21 * dayMs),
    rootVersion: 1,
    policy: {
      keepaliveS: 1680,
      jitterS: 0,
      probationS: 60,
      budget: { targetBytes: 3_000_000, alarmBytes: 4_000_000, ceilingBytes: 5_000_000 },
      telemetryBytesPerMonth: 100_000,
      dataGraceDays: 30,
    },
    targets: [],
    removed: [],
    requests: [],
    ...overrides,
  };
}

export function signNotice(notice: Notice, signers: readonly KeyObject[]): Buffer {
  return encodeEnvelope(signStatement(noticeType, notice, signers));
}

function spkiOf(key: KeyObject): string {
  return createPublicKey(key).export({ type: 'spki', format: 'der' }).toString('base64');
}
