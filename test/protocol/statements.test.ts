import { createHash, generateKeyPairSync, type KeyObject } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { keyidOf } from '../../protocol/dsse.ts';
import { toCompactJson } from '../../protocol/json.ts';
import { manifestSchema, parseManifest } from '../../protocol/statements/manifest.ts';
import { noticeSchema, parseNotice } from '../../protocol/statements/notice.ts';
import { keysOfRole, parseRoot } from '../../protocol/statements/root.ts';

// biome-ignore lint/suspicious/noExplicitAny: a test changes what a parser will refuse
type Loose = any;
const exampleOf = (name: string): Loose =>
  JSON.parse(readFileSync(new URL(`../../protocol/examples/${name}.json`, import.meta.url), 'utf8'));
/** A copy of the example after `change`. */
const changed = (name: string, change: (statement: Loose) => void): Loose => {
  const statement = exampleOf(name);
  change(statement);
  return statement;
};
const malformed = expect.objectContaining({ code: 'STATEMENT_MALFORMED' });

describe('a manifest', () => {
  const accepts = (change: (manifest: Loose) => void) => manifestSchema.safeParse(changed('manifest', change)).success;

  test.each(['../main.js', '/main.js', 'lib//main.js', './main.js', 'lib/..', 'a\\b.js', ''])(
    'does not start %j, which is not below /app',
    (path) => {
      expect(accepts((manifest) => (manifest.entry.args[0] = path))).toBe(false);
    },
  );
  test('starts a file in a folder', () => {
    expect(accepts((manifest) => (manifest.entry.args = ['lib/main.js']))).toBe(true);
    expect(accepts((manifest) => (manifest.entry.args = []))).toBe(false);
  });
  test.each([
    '*.example.jp:443',
    '192.0.2.1:443',
    '[2001:db8::1]:443',
    'example:443',
    'Example.jp:443',
    'example.jp',
    'example.jp:0',
    'example.jp:65536',
  ])('does not ask for the WAN by %j', (wan) => {
    expect(accepts((manifest) => (manifest.permissions.wan = [wan]))).toBe(false);
  });
  test.each(['udp:0', 'udp:65536', 'sctp:3610', 'udp:03610', 'udp:3610-3611', '3610'])('does not ask for the LAN by %j', (lan) => {
    expect(accepts((manifest) => (manifest.permissions.lan = [lan]))).toBe(false);
  });
  test('that sends something outside says what, to whom and why', () => {
    const silent = (permissions: object) =>
      accepts((manifest) => {
        delete manifest.transmits;
        manifest.permissions = { lan: [], wan: [], telemetry: false, ...permissions };
      });
    expect(silent({})).toBe(true);
    expect(silent({ lan: ['udp:3610'] })).toBe(true);
    expect(silent({ wan: ['api.example.jp:443'] })).toBe(false);
    expect(silent({ telemetry: true })).toBe(false);
    expect(accepts((manifest) => (manifest.transmits = []))).toBe(false);
  });
  test('names models, or every model', () => {
    expect(accepts((manifest) => (manifest.models = ['*']))).toBe(true);
    for (const models of [[], ['*', 'PR-400KI'], ['XG-100NE'], ['PR-400']])
      expect(accepts((manifest) => (manifest.models = models))).toBe(false);
  });
  test.each([
    ['v', 2],
    ['version', '1.0.0+build'],
    ['version', '1.0'],
    ['version', 'v1.0.0'],
    ['software', 'heater'],
    ['software', `jp.${'a'.repeat(62)}`],
    ['provider', 'h'],
    ['provider', 'Hinata'],
    ['supportUntil', '2029-3-31'],
    ['data', { format: 0 }],
    ['health', { kind: 'ready' }],
    ['health', { kind: 'ready', timeoutS: 601 }],
    ['health', { kind: 'http', path: 'check', intervalS: 10, timeoutS: 60 }],
    ['web', { prefix: 'status.json' }],
    ['web', { prefix: 'hinata.heater', main: 'main' }],
    ['resources', { memoryBytes: 1, cpuPercent: 101, pids: 1, dataBytes: 0 }],
    ['resources', { memoryBytes: 1, cpuPercent: 100, pids: 257, dataBytes: 0 }],
    ['resources', { memoryBytes: 1.5, cpuPercent: 100, pids: 1, dataBytes: 0 }],
    ['requires', { agent: '>=1.0.0', arch: ['mips'] }],
    ['requires', { agent: '>=1.0.0', minFirmware: '8.0.4' }],
  ])('is refused with %s = %j', (field, value) => {
    expect(accepts((manifest) => (manifest[field] = value))).toBe(false);
  });
  test.each([
    ['description', 'あ'.repeat(1001)],
    ['description', ''],
    ['leadTimeDays', 366],
    ['leadTimeDays', 0.5],
    ['termsUrl', 'http://hinata.example.jp/terms'],
  ])('tells the customer no %s of %j', (field, value) => {
    expect(accepts((manifest) => (manifest.customer[field] = value))).toBe(false);
  });
  test('that is refused names each faulty field', () => {
    const bad = changed('manifest', (manifest) => {
      manifest.provider = 'Hinata';
      manifest.payload.files = 0;
    });
    expect(() => parseManifest(toCompactJson(bad))).toThrow(
      expect.objectContaining({
        code: 'STATEMENT_MALFORMED',
        detail: {
          what: 'manifest',
          faults: [expect.objectContaining({ field: 'provider' }), expect.objectContaining({ field: 'payload.files' })],
        },
      }),
    );
  });
});

describe('a notice', () => {
  const accepts = (change: (notice: Loose) => void) => noticeSchema.safeParse(changed('notice', change)).success;

  test('names a target once, whether it is to run or to go', () => {
    expect(accepts((notice) => notice.targets.push({ ...notice.targets[0], software: 'jp.example.other' }))).toBe(false);
    expect(accepts((notice) => (notice.removed[0].target = notice.targets[0].target))).toBe(false);
  });
  test('names a software of a provider once', () => {
    expect(accepts((notice) => notice.targets.push({ ...notice.targets[0], target: 'z'.repeat(16) }))).toBe(false);
    expect(accepts((notice) => notice.targets.push({ ...notice.targets[0], target: 'z'.repeat(16), provider: 'kanade' }))).toBe(true);
  });
  test('may remove the target of a software that it also names anew', () => {
    expect(
      accepts((notice) => Object.assign(notice.removed[0], { software: notice.targets[0].software, provider: notice.targets[0].provider })),
    ).toBe(true);
  });
  test('has at most 64 targets', () => {
    const many = (count: number) =>
      accepts((notice) => {
        const [target] = notice.targets;
        notice.targets = Array.from({ length: count }, (_, at) => ({
          ...target,
          target: `t${String(at).padStart(15, '0')}`,
          software: `jp.example.n${at}`,
        }));
      });
    expect(many(64)).toBe(true);
    expect(many(65)).toBe(false);
  });
  test.each([
    ['version', 0],
    ['version', Number.MAX_SAFE_INTEGER + 1],
    ['issuedAt', '2026-11-22T03:00:00+09:00'],
    ['issuedAt', '2026-11-22T03:00:00.000Z'],
    ['issuedAt', '2026-02-30T03:00:00Z'],
    ['gateway', 'HGW-1'],
    ['gateway', 'a'],
    ['requests', [{ id: 'r9g3x7k1v5b2n8q4', kind: 'shell', expires: '2026-11-23T03:00:00Z', maxBytes: 0 }]],
  ])('is refused with %s = %j', (field, value) => {
    expect(accepts((notice) => (notice[field] = value))).toBe(false);
  });
  test.each([
    ['attempt', 0],
    ['plan', 6],
    ['plan', 0],
    ['target', 'short'],
    ['manifestSha256', 'AB'.repeat(32)],
    ['window', { from: '24:00', to: '05:00' }],
    ['rollback', { from: '1.2.0', order: 'x', reason: '' }],
  ])('is refused with a target whose %s is %j', (field, value) => {
    expect(accepts((notice) => (notice.targets[0][field] = value))).toBe(false);
  });
  test('keeps the keep-alive between 60 s and 1,800 s', () => {
    for (const keepaliveS of [59, 1801]) expect(accepts((notice) => (notice.policy.keepaliveS = keepaliveS))).toBe(false);
    for (const keepaliveS of [60, 1800]) expect(accepts((notice) => (notice.policy.keepaliveS = keepaliveS))).toBe(true);
  });
  test('is read from its bytes only', () => {
    expect(() => parseNotice(Buffer.from(JSON.stringify(exampleOf('notice'), null, 1)))).toThrow(
      expect.objectContaining({ code: 'JSON_NOT_COMPACT' }),
    );
  });
});

describe('a root', () => {
  const spkiOf = (key: KeyObject): string => key.export({ type: 'spki', format: 'der' }).toString('base64');
  const read = (change: (root: Loose) => void) => parseRoot(toCompactJson(changed('root', change)));
  const firstKeyid = (): string => exampleOf('root').roles.root.keyids[0];

  test('gives the keys of each role', () => {
    const root = read(() => {});
    expect(keysOfRole(root, 'root').size).toBe(3);
    expect([...keysOfRole(root, 'notice')].map(([id, key]) => id === keyidOf(key))).toEqual([true]);
  });
  test('that names a key twice is refused, so one key can never count as two', () => {
    expect(() =>
      read((root) => {
        const [first, second] = root.roles.root.keyids;
        root.roles.root.keyids = [first, first, second];
      }),
    ).toThrow(malformed);
  });
  test('whose threshold is above its number of keys, or zero, is refused', () => {
    expect(() => read((root) => (root.roles.root.threshold = 4))).toThrow(malformed);
    expect(() => read((root) => (root.roles.notice.threshold = 0))).toThrow(malformed);
  });
  test('that names a key it does not bring is refused', () => {
    expect(() => read((root) => delete root.keys[firstKeyid()])).toThrow(malformed);
  });
  test('that brings a key under the id of another is refused', () => {
    const { publicKey } = generateKeyPairSync('ed25519');
    expect(() => read((root) => (root.keys[firstKeyid()].spki = spkiOf(publicKey)))).toThrow(malformed);
  });
  test('that brings an RSA key in the place of an Ed25519 key is refused', () => {
    const { publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
    const id = `sha256:${createHash('sha256')
      .update(publicKey.export({ type: 'spki', format: 'der' }))
      .digest('hex')}`;
    expect(() =>
      read((root) => {
        root.keys[id] = { type: 'ed25519', spki: spkiOf(publicKey) };
        root.roles.root.keyids[0] = id;
      }),
    ).toThrow(malformed);
  });
  test('that brings bytes which are no key is refused', () => {
    expect(() => read((root) => (root.keys[firstKeyid()].spki = 'AAAA'))).toThrow(malformed);
  });
  test.each(['03d9', '3D9', '', '0'])('does not revoke the serial %j, which is not lower-case hex without leading zeros', (serial) => {
    expect(() => read((root) => (root.revokedSigners[0].serial = serial))).toThrow(malformed);
  });
});
