/** A provider's whole way: init, keygen, the operator's certificate, pack, sign, verify; and every way in which verify says no. */
import { createHash } from 'node:crypto';
import {
  chmodSync,
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { splitTsg } from '../../protocol/package/tsg.ts';
import { keyFile, openssl } from '../support/openssl.ts';
import { aFile, aPackage, inMemory } from '../support/packages.ts';
import { aRootCa, aSigner, having, leafExtensions } from '../support/provider-pki.ts';
import { tsugite } from '../support/tsugite.ts';

const home = mkdtempSync(join(tmpdir(), 'tsugite-provider-'));
const at = (...parts: string[]) => join(home, ...parts);
const ca = aRootCa();

beforeAll(async () => {
  await tsugite('init', at('src'), '--provider', 'acme');
  await tsugite('keygen', '--provider', 'acme', '--org', '株式会社アクメ', '--out', at('keys'));
  certify(at('keys', 'provider.csr.pem'), at('leaf.pem'));
  writeFileSync(at('chain.pem'), `${readFileSync(at('leaf.pem'))}${ca.pem}`);
  await tsugite('pack', at('src'), '--out', at('build'));
  await sign(at('good.tsg'));
}, 60_000);

/** The operator's part, with nothing but openssl. */
function certify(csr: string, out: string, serial = '77'): void {
  openssl([
    'x509',
    '-req',
    '-in',
    csr,
    '-CA',
    ca.certFile,
    '-CAkey',
    ca.keyFile,
    '-set_serial',
    serial,
    '-days',
    '1095',
    '-copy_extensions',
    'copyall',
    '-out',
    out,
  ]);
}

const sign = (out: string, build = at('build'), cert = at('chain.pem')) =>
  tsugite('sign', build, '--key', at('keys', 'provider.key.pem'), '--cert', cert, '--out', out, '--json');
const verify = (file: string, ...more: string[]) => tsugite('verify', file, '--ca', ca.certFile, '--json', ...more);
const sha256 = (path: string) => createHash('sha256').update(readFileSync(path)).digest('hex');

test('the key stays with the provider: 0600, RSA-3072, and never overwritten', async () => {
  expect(statSync(at('keys', 'provider.key.pem')).mode & 0o777).toBe(0o600);
  const text = openssl(['req', '-in', at('keys', 'provider.csr.pem'), '-noout', '-text', '-verify', '-nameopt', 'utf8']).toString();
  expect(text).toContain('Public-Key: (3072 bit)');
  expect(text).toContain('O=株式会社アクメ, CN=acme');
  expect(text).toContain('URI:urn:tsugite:provider:acme');
  const before = sha256(at('keys', 'provider.key.pem'));
  expect(await tsugite('keygen', '--provider', 'acme', '--org', 'x', '--out', at('keys'), '--json')).toMatchObject({
    code: 1,
    json: { code: 'FILE_EXISTS' },
  });
  expect(sha256(at('keys', 'provider.key.pem'))).toBe(before);
});

test('what init made, packed and signed, is accepted', async () => {
  const { code, json } = await verify(at('good.tsg'));
  expect(code).toBe(0);
  expect(json).toMatchObject({
    ok: true,
    software: 'hello.acme',
    version: '1.0.0',
    signer: { provider: 'acme', organisation: '株式会社アクメ' },
  });
});

test('the same input gives the same bytes, whatever the times and owners of the files are', async () => {
  cpSync(at('src'), at('copy'), { recursive: true });
  utimesSync(at('copy', 'app', 'main.js'), 1, 1);
  chmodSync(at('copy', 'app', 'main.js'), 0o600);
  await tsugite('pack', at('copy'), '--out', at('build2'));
  for (const file of ['manifest.json', 'payload.tar.br']) expect(sha256(at('build2', file))).toBe(sha256(at('build', file)));
  await sign(at('again.tsg'), at('build2'));
  expect(sha256(at('again.tsg'))).toBe(sha256(at('good.tsg')));
});

test('the bytes of a known folder are known: a change of the format does not pass unseen', async () => {
  await tsugite('pack', 'fixtures/software/demo.ipv4', '--out', at('demo'));
  const { payload } = JSON.parse(readFileSync(at('demo', 'manifest.json'), 'utf8'));
  const app = readFileSync('fixtures/software/demo.ipv4/app/main.js');
  expect(payload).toMatchObject({ files: 1, installedBytes: app.length, tarBytes: 512 + Math.ceil(app.length / 512) * 512 + 1024 });
});

describe('verify refuses, and writes nothing', () => {
  const good = () => readFileSync(at('good.tsg'));
  const flipped = (position: (layout: ReturnType<typeof splitTsg>, length: number) => number) => () => {
    const bytes = good();
    const where = position(splitTsg(inMemory(bytes).readAt, bytes.length), bytes.length);
    bytes[where] = (bytes[where] ?? 0) ^ 1;
    return bytes;
  };
  /** One character of base64 for another: the envelope stays well-formed, whatever stood there, and what it carries is what changed. */
  const exchanged = (position: (layout: ReturnType<typeof splitTsg>) => number) => () => {
    const bytes = good();
    const where = position(splitTsg(inMemory(bytes).readAt, bytes.length));
    bytes.write(bytes.toString('latin1', where, where + 1) === 'A' ? 'B' : 'A', where, 'latin1');
    return bytes;
  };
  const other = () => {
    const signer = aSigner(ca);
    return { signer, chain: [] };
  };
  const cases: [string, () => Buffer, string, string, string[]?][] = [
    ['a bit of the outer header', flipped(() => 100), 'outer', 'PKG_MALFORMED'],
    ['a bit of the outer end', flipped((_, length) => length - 1), 'outer', 'PKG_MALFORMED'],
    ['a bit of the envelope’s JSON', flipped(({ envelope }) => envelope.offset), 'envelope', 'ENVELOPE_MALFORMED'],
    ['a bit of the signed manifest', flipped(({ envelope }) => envelope.offset + 200), 'envelope', 'SIGNATURE_INVALID'],
    [
      'a character of the certificate',
      exchanged(({ envelope }) => envelope.offset + envelope.length - 300),
      'chain',
      'SIGNING_KEY_UNKNOWN',
    ],
    ['a bit of the payload', flipped(({ payload }) => payload.offset + 60), 'payload', ''],
    ['cut short', () => good().subarray(0, -700), 'outer', 'PKG_TRUNCATED'],
    ['a byte too many', () => Buffer.concat([good(), Buffer.from('x')]), 'outer', 'PKG_MALFORMED'],
    [
      'signed under an unpinned CA',
      () => aPackage({ signer: aSigner(aRootCa({ keyFile: keyFile('other-root') })), chain: [] }),
      'chain',
      'SIGNING_KEY_UNKNOWN',
    ],
    [
      'signed by another provider',
      () =>
        aPackage({
          signer: aSigner(ca, { extensions: having(leafExtensions(), 'subjectAltName', 'URI:urn:tsugite:provider:other') }),
          chain: [],
        }),
      'manifest',
      'SIGNER_NOT_PROVIDER',
    ],
    [
      '7.5 M installed',
      () => aPackage(other(), { files: [aFile('main.js'), aFile('big', Buffer.alloc(7_500_000))] }),
      'limits',
      'SIZE_OVER_PLAN',
    ],
    ['25 M stored', () => Buffer.alloc(25_000_000), 'limits', 'SIZE_OVER_MENU'],
    ['at a time after the certificate', good, 'chain', 'SIGNER_EXPIRED', ['--at', '2040-01-01T00:00:00Z']],
    ['at a time before the certificate', good, 'chain', 'SIGNER_EXPIRED', ['--at', '1970-01-01T00:00:00Z']],
  ];
  test.for(cases)('%s', async ([name, make, layer, code, more = []]) => {
    const folder = mkdtempSync(join(tmpdir(), 'tsugite-refused-'));
    const file = join(folder, 'x.tsg');
    writeFileSync(file, make());
    const before = sha256(file);

    const result = await verify(file, ...more);

    expect(result.code, name).toBe(3);
    expect(result.json).toMatchObject({ ok: false, number: expect.stringMatching(/^E\d{3}$/), layer, ...(code === '' ? {} : { code }) });
    expect(result.json.remedy).toMatchObject({ ja: expect.any(String), en: expect.any(String) });
    expect(readdirSync(folder)).toEqual(['x.tsg']);
    expect(sha256(file)).toBe(before);
  });
});

describe('a root statement as trust', () => {
  test('with its CA and without revocation it is believed; with the signer revoked it is not', async () => {
    const { generateKeyPairSync } = await import('node:crypto');
    const { encodeEnvelope, keyidOf } = await import('../../protocol/dsse.ts');
    const { signStatement } = await import('../../protocol/signing.ts');
    const { rootType } = await import('../../protocol/statements/root.ts');
    const { publicKey, privateKey } = generateKeyPairSync('ed25519');
    const id = keyidOf(publicKey);
    const issuer = (await verify(at('good.tsg'))).json.signer as { issuerKeyid: string };
    const writeRoot = (name: string, overrides: object) => {
      const role = { keyids: [id], threshold: 1 };
      const statement = {
        v: 1,
        version: 1,
        issuedAt: '2026-01-01T00:00:00Z',
        expires: '2036-01-01T00:00:00Z',
        keys: { [id]: { type: 'ed25519', spki: publicKey.export({ type: 'spki', format: 'der' }).toString('base64') } },
        roles: { root: role, notice: role },
        providerCas: [ca.pem],
        serverCas: [ca.pem],
        packageBases: [],
        revokedSigners: [],
        ...overrides,
      };
      writeFileSync(at(name), encodeEnvelope(signStatement(rootType, statement, [privateKey])));
      return at(name);
    };
    const byRoot = (path: string) => tsugite('verify', at('good.tsg'), '--root', path, '--json');

    expect((await byRoot(writeRoot('root.json', {}))).code).toBe(0);
    const revoked = writeRoot('revoked.json', {
      revokedSigners: [{ issuer: issuer.issuerKeyid, serial: '4d', since: '2026-02-01T00:00:00Z', reason: 'lost', stop: false }],
    });
    expect(await byRoot(revoked)).toMatchObject({ code: 3, json: { layer: 'chain', code: 'SIGNING_KEY_UNKNOWN', kind: 'revoked' } });
    const expired = writeRoot('expired.json', { expires: '2026-02-01T00:00:00Z' });
    expect(await byRoot(expired)).toMatchObject({ code: 3, json: { layer: 'chain', code: 'ROOT_EXPIRED' } });
    writeFileSync(at('damaged.json'), readFileSync(at('root.json'), 'utf8').replace(/"sig":"..../, '"sig":"AAAA'));
    expect(await byRoot(at('damaged.json'))).toMatchObject({ code: 3, json: { code: 'SIGNATURE_INVALID' } });
  });
});

test('resign keeps manifest and payload, and takes the renewed certificate', async () => {
  certify(at('keys', 'provider.csr.pem'), at('renewed.pem'), '78');
  const { code } = await tsugite(
    'resign',
    at('good.tsg'),
    '--key',
    at('keys', 'provider.key.pem'),
    '--cert',
    at('renewed.pem'),
    '--out',
    at('renewed.tsg'),
  );
  expect(code).toBe(0);
  const [old, renewed] = [await verify(at('good.tsg')), await verify(at('renewed.tsg'))];
  expect(renewed.json.manifest).toEqual(old.json.manifest);
  expect(renewed.json.signer).toMatchObject({ serial: '4e' });
  const payloadOfFile = (path: string) => {
    const bytes = readFileSync(path);
    const { offset, length } = splitTsg(inMemory(bytes).readAt, bytes.length).payload;
    return bytes.subarray(offset, offset + length);
  };
  expect(payloadOfFile(at('renewed.tsg')).equals(payloadOfFile(at('good.tsg')))).toBe(true);
});

describe('sign refuses what every gateway would refuse, and writes nothing', () => {
  test('a certificate of another key', async () => {
    writeFileSync(at('other.pem'), aSigner(ca).pem);
    expect(await sign(at('no.tsg'), at('build'), at('other.pem'))).toMatchObject({ code: 1, json: { code: 'KEY_UNUSABLE' } });
  });
  test('a certificate of another provider', async () => {
    await tsugite('init', at('src-other'), '--provider', 'other');
    await tsugite('pack', at('src-other'), '--out', at('build-other'));
    expect(await sign(at('no.tsg'), at('build-other'))).toMatchObject({
      code: 3,
      json: { code: 'SIGNER_NOT_PROVIDER', expected: 'other', found: 'acme' },
    });
  });
  test('a build that was changed after packing', async () => {
    cpSync(at('build'), at('changed'), { recursive: true });
    writeFileSync(at('changed', 'manifest.json'), readFileSync(at('build', 'manifest.json'), 'utf8').replace('"files":1', '"files":2'));
    expect(await sign(at('no.tsg'), at('changed'))).toMatchObject({
      code: 3,
      json: { code: 'PKG_PAYLOAD_MISMATCH', expected: 2, found: 1 },
    });
    expect(readdirSync(home)).not.toContain('no.tsg');
  });
});

describe('pack refuses', () => {
  const folderWith = (change: (folder: string, draft: Record<string, unknown>) => void) => {
    const folder = mkdtempSync(join(tmpdir(), 'tsugite-src-'));
    cpSync(at('src'), folder, { recursive: true });
    const draft = JSON.parse(readFileSync(join(folder, 'manifest.json'), 'utf8'));
    change(folder, draft);
    writeFileSync(join(folder, 'manifest.json'), JSON.stringify(draft));
    return folder;
  };
  const app =
    (name: string, content: string | Buffer = 'x') =>
    (folder: string) => {
      mkdirSync(join(folder, 'app', name, '..'), { recursive: true });
      writeFileSync(join(folder, 'app', name), content);
    };
  const cases: [string, (folder: string, draft: Record<string, unknown>) => void, string][] = [
    [
      'three faults of the manifest at once',
      (_, draft) => Object.assign(draft, { software: 'X', version: '1', health: { kind: 'ready' } }),
      'STATEMENT_MALFORMED',
    ],
    ['a link', (folder) => symlinkSync('/etc/passwd', join(folder, 'app', 'link')), 'INPUT_REFUSED'],
    ['a decomposed name', app('e\u0301.js'), 'INPUT_REFUSED'],
    [
      'names that differ in case',
      (folder) => {
        app('a/X.js')(folder);
        app('A/x.js')(folder);
      },
      'INPUT_REFUSED',
    ],
    ['a missing entry file', (_, draft) => Object.assign(draft, { entry: { runtime: 'node', args: ['no.js'] } }), 'PKG_MALFORMED'],
    [
      'an entry that cannot be executed',
      (_, draft) => Object.assign(draft, { entry: { runtime: 'exec', args: ['main.js'] } }),
      'PKG_MALFORMED',
    ],
    ['7.5 M installed', app('big', Buffer.alloc(7_500_000)), 'SIZE_OVER_PLAN'],
    ['nothing in it', (folder) => writeFileSync(join(folder, 'app', 'main.js'), ''), 'SIZE_INVALID'],
    [
      'transmits missing with wan',
      (_, draft) => Object.assign(draft, { permissions: { lan: [], wan: ['api.example.jp:443'], telemetry: false } }),
      'STATEMENT_MALFORMED',
    ],
  ];
  test.for(cases)('%s', async ([name, change, code]) => {
    const out = `${folderWith(() => {})}-out`;
    const result = await tsugite('pack', folderWith(change), '--out', out, '--json');
    expect(result.json.code, name).toBe(code);
    expect(result.code).toBe(code === 'INPUT_REFUSED' ? 1 : 3);
    expect(() => readdirSync(out)).toThrow();
    if (name.startsWith('three faults'))
      expect((result.json.detail as { faults: { field: string }[] }).faults.map(({ field }) => field)).toEqual([
        'software',
        'version',
        'health.timeoutS',
      ]);
  });
});

describe('keys from PKCS#12', () => {
  test.for([['as openssl writes it now'], ['as it was written before (-legacy)', '-legacy']])('%s', async ([name = '', ...more]) => {
    const file = at(`${name.length}.p12`);
    writeFileSync(at('password'), 'himitsu\n');
    openssl([
      'pkcs12',
      '-export',
      '-inkey',
      at('keys', 'provider.key.pem'),
      '-in',
      at('leaf.pem'),
      '-certfile',
      ca.certFile,
      '-out',
      file,
      '-passout',
      'pass:himitsu',
      ...more,
    ]);
    const out = at(`from-p12-${name.length}`);
    expect((await tsugite('keygen', '--pkcs12', file, '--password-file', at('password'), '--out', out)).code).toBe(0);
    expect(sha256(join(out, 'provider.key.pem'))).toBe(sha256(at('keys', 'provider.key.pem')));
    expect(statSync(join(out, 'provider.key.pem')).mode & 0o777).toBe(0o600);
    await sign(at('by-p12.tsg'), at('build'), join(out, 'provider.chain.pem'));
    expect(sha256(at('by-p12.tsg'))).toBe(sha256(at('good.tsg')));

    writeFileSync(at('wrong'), 'wrong');
    expect(await tsugite('keygen', '--pkcs12', file, '--password-file', at('wrong'), '--out', at('none'), '--json')).toMatchObject({
      code: 1,
      json: { code: 'KEY_UNUSABLE' },
    });
  });
});

describe('a command used wrongly ends with 2 and says how', () => {
  test.for([
    ['no file', ['verify', '--ca', 'x.pem']],
    ['no trust', ['verify', 'x.tsg']],
    ['two kinds of trust', ['verify', 'x.tsg', '--ca', 'a', '--root', 'b']],
    ['a time that is none', ['verify', 'x.tsg', '--ca', 'a', '--at', 'yesterday']],
    ['an unknown verb', ['frobnicate']],
    ['an unknown option', ['pack', 'x', '--out', 'y', '--fast']],
    ['a missing option', ['pack', 'x']],
    ['a provider id that is none', ['keygen', '--provider', 'ACME', '--org', 'x', '--out', 'y']],
    ['a number of targets that is none', ['measure', 'x', '--targets', '-1']],
  ] as [string, string[]][])('%s', async ([, argv]) => {
    const { code, json } = await tsugite(...argv, '--json');
    expect(code).toBe(2);
    expect(json).toMatchObject({ ok: false, number: 'E931', code: 'USAGE_WRONG' });
  });

  test('help is no error, of each verb', async () => {
    for (const verb of ['init', 'keygen', 'pack', 'measure', 'sign', 'resign', 'verify']) {
      const { code, out } = await tsugite(verb, '--help');
      expect(code).toBe(0);
      expect(out).toContain(`Usage: tsugite ${verb}`);
      expect(out).toContain('--json');
    }
  });
});
