import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  appendFileSync,
  chmodSync,
  chownSync,
  linkSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { makeInstaller } from '../../../agent/adapters/installer.ts';
import { inspectStagedTree } from '../../../agent/adapters/staged-tree.ts';
import type { InstallRequest } from '../../../agent/ports.ts';
import { TsugiteError } from '../../../protocol/errors.ts';
import { buildTsg, readEnvelopeBytes, splitTsg } from '../../../protocol/package/tsg.ts';
import { anInstallerProgram } from '../../support/installer-program.ts';
import { aFile, aManifest, aPackage, aTar, compress, inMemory, signManifest } from '../../support/packages.ts';
import { aRootCa, aSigner, testTime } from '../../support/provider-pki.ts';
import { aSandboxBench, realClock } from '../../support/running-app.ts';
import { until } from '../../support/until.ts';

const ca = aRootCa();
const signing = { signer: aSigner(ca), chain: [] };
const files = [aFile('bin/tool', '#!/bin/sh\n', true), aFile('lib/説明.txt', '説明'), aFile('main.js', 'console.log(1)')];

let program: { dir: string; file: string };
let bench: ReturnType<typeof aSandboxBench>;
let staging: string;
beforeAll(async () => {
  program = await anInstallerProgram();
});
afterAll(() => rmSync(dirname(program.dir), { recursive: true }));
beforeEach(() => {
  bench = aSandboxBench();
  staging = join(bench.data, 'staging');
  mkdirSync(staging, { mode: 0o755 });
  chownSync(staging, 20_000, 20_000);
});
afterEach(() => bench.end());

function aRequest(tsg: Buffer, change: Partial<InstallRequest['expected']> = {}, more: Partial<InstallRequest> = {}): InstallRequest {
  const packagePath = join(bench.data, 'package.tsg');
  writeFileSync(packagePath, tsg, { mode: 0o600 });
  return {
    packagePath,
    stagingDir: staging,
    expected: {
      software: 'heater.acme',
      version: '1.0.0',
      provider: 'acme',
      model: 'PR-500KI',
      firmware: '01.00.0000',
      manifestSha256: envelopeDigest(tsg),
      installedBytes: files.reduce((sum, file) => sum + file.content.length, 0),
      ...change,
    },
    limitInstalledBytes: 7_500_000,
    host: { agent: '1.0.0', node: process.versions.node, arch: process.arch },
    trust: { providerCas: [ca.pem], revokedSigners: [], atMs: testTime },
    ...more,
  } as unknown as InstallRequest;
}

function envelopeDigest(tsg: Buffer): string {
  try {
    const { readAt, storedBytes } = inMemory(tsg);
    return createHash('sha256')
      .update(readEnvelopeBytes(readAt, splitTsg(readAt, storedBytes)))
      .digest('hex');
  } catch {
    return '0'.repeat(64);
  }
}

const install = (request: InstallRequest, from = program, signal = new AbortController().signal) =>
  makeInstaller({ host: bench.host, prove: bench.sandbox.probe, clock: realClock, program: from }).install(request, signal);

async function refusal(attempt: Promise<unknown>): Promise<TsugiteError> {
  const error = await attempt.then(
    () => new Error('it was accepted'),
    (cause: unknown) => cause,
  );
  if (error instanceof TsugiteError) return error;
  throw error;
}

test('a good package stands in staging as it was packed, owned by the installer’s uid, and nothing of the child is left', async () => {
  const result = await install(aRequest(aPackage(signing, { files })));

  expect(result.manifest).toMatchObject({ software: 'heater.acme', version: '1.0.0', provider: 'acme' });
  expect(result.signer).toMatchObject({ organisation: '株式会社アクメ' });
  expect(readdirSync(staging, { recursive: true }).sort()).toEqual(['bin', 'bin/tool', 'lib', 'lib/説明.txt', 'main.js']);
  expect(readFileSync(join(staging, 'main.js'), 'utf8')).toBe('console.log(1)');
  expect(modeAndOwner('bin/tool')).toBe('755 20000');
  expect(modeAndOwner('main.js')).toBe('644 20000');
  expect(bench.host.open().cgroups.leftovers()).toEqual([]);
});

test('gzip is understood too, and a package below a folder that only root may enter', async () => {
  await bench.end();
  bench = aSandboxBench({ closedParent: true });
  staging = join(bench.data, 'staging');
  mkdirSync(staging);
  chownSync(staging, 20_000, 20_000);
  chmodSync(dirname(program.dir), 0o700);
  expect((await install(aRequest(aPackage(signing, { files, encoding: 'gz' })))).manifest.payload.encoding).toBe('gz');
});

test('a program that was built under a closed umask is copied to where the installer’s uid can read it', async () => {
  const closed = await anInstallerProgram();
  bench.atEnd(() => rmSync(dirname(closed.dir), { recursive: true }));
  for (const name of readdirSync(closed.dir)) chmodSync(join(closed.dir, name), 0o600);
  chmodSync(closed.dir, 0o700);
  await install(aRequest(aPackage(signing, { files })), closed);
  expect(readdirSync(join(bench.runDir, 'installer-program'))).toContain('installer.js');
});

describe('refused, each with its own code', () => {
  const good = aPackage(signing, { files });

  test.each<[string, () => InstallRequest, string]>([
    ['truncated', () => aRequest(good.subarray(0, good.length - 2_000)), 'PKG_TRUNCATED'],
    ['one bit of the payload flipped', () => aRequest(flipped(good, good.length - 1_600)), 'PKG_MALFORMED'],
    [
      'one bit of the signature flipped',
      () => aRequest(withEnvelope(good, (text) => text.replace(/"sig":"./, (match) => (match.endsWith('A') ? '"sig":"B' : '"sig":"A')))),
      'SIGNATURE_INVALID',
    ],
    [
      'signed under a CA that is not pinned',
      () =>
        aRequest(
          good,
          {},
          { trust: { providerCas: [aRootCa({ subject: '/O=Other/CN=Other CA' }).pem], revokedSigners: [], atMs: testTime } },
        ),
      'SIGNING_KEY_UNKNOWN',
    ],
    ['another manifest than the notice names', () => aRequest(good, { manifestSha256: '1'.repeat(64) as never }), 'PKG_NOTICE_MISMATCH'],
    ['another version', () => aRequest(good, { version: '1.0.1' as never }), 'PKG_NOTICE_MISMATCH'],
    ['for another model', () => aRequest(aPackage(signing, { files, manifest: { models: ['PR-400KI'] } })), 'PKG_WRONG_MODEL'],
    ['for a newer agent', () => aRequest(aPackage(signing, { files, manifest: { requires: { agent: '^2.0.0' } } })), 'REQUIREMENT_UNMET'],
    [
      'for newer firmware',
      () => aRequest(aPackage(signing, { files, manifest: { requires: { agent: '^1.0.0', minFirmware: '01.00.0001' } } })),
      'REQUIREMENT_UNMET',
    ],
    [
      'as large as the limit, which is exclusive',
      () => aRequest(good, {}, { limitInstalledBytes: files.reduce((sum, file) => sum + file.content.length, 0) }),
      'SIZE_OVER_LIMIT',
    ],
    ['a bomb', () => aRequest(aBomb()), 'PKG_MALFORMED'],
  ])('%s', async (_, request, code) => {
    expect((await refusal(install(request()))).code).toBe(code);
    expect(bench.host.open().cgroups.leftovers()).toEqual([]);
  });

  test('a revoked signer', async () => {
    const { signer } = await install(aRequest(good));
    const revoked = { issuer: signer.issuer, serial: signer.serial, since: '2026-01-01T00:00:00Z', reason: 'stolen', stop: false };
    rmSync(staging, { recursive: true });
    mkdirSync(staging);
    chownSync(staging, 20_000, 20_000);
    const request = aRequest(good, {}, { trust: { providerCas: [ca.pem], revokedSigners: [revoked as never], atMs: testTime } });
    expect((await refusal(install(request))).code).toBe('SIGNING_KEY_UNKNOWN');
    expect(readdirSync(staging)).toEqual([]);
  });

  test('a full disk is the disk’s fault', async () => {
    const request = aRequest(good);
    rmSync(staging, { recursive: true });
    staging = aFullDisk();
    const error = await refusal(install({ ...request, stagingDir: staging }));
    expect(error.code).toBe('DISK_FULL');
  });
});

describe('a child that was captured', () => {
  const captured = async (source: string) => {
    const folder = mkdtempSync(join(tmpdir(), 'tsugite-captured-'));
    writeFileSync(join(folder, 'main.mjs'), source);
    const built = await anInstallerProgram(join(folder, 'main.mjs'));
    rmSync(folder, { recursive: true });
    bench.atEnd(() => rmSync(dirname(built.dir), { recursive: true }));
    return built;
  };
  const yes = (manifest: unknown) =>
    JSON.stringify({ ok: true, manifest, signer: { issuer: `sha256:${'0'.repeat(64)}`, serial: '1', organisation: 'x', notAfterMs: 1 } });
  const manifest = aManifest(aTar(files), files);

  test.each<[string, string, string, string]>([
    ['says nothing', '', 'INSTALLER_FAILED', 'answer'],
    ['says nonsense', 'console.log("{}")', 'INSTALLER_FAILED', 'answer'],
    ['never stops talking', 'for (;;) require("fs").writeSync(1, "x".repeat(65536))', 'INSTALLER_FAILED', 'output'],
    ['takes all memory', 'const held = []; for (;;) held.push(Buffer.alloc(8 << 20, 1))', 'INSTALLER_FAILED', 'memory'],
    [
      'speaks for the law',
      'console.log(JSON.stringify({ ok: false, code: "SOFTWARE_PROHIBITED", detail: {} }))',
      'INSTALLER_FAILED',
      'answer',
    ],
    ['says yes and leaves nothing', `console.log(${JSON.stringify(yes(manifest))})`, 'INSTALLER_FAILED', 'staged-tree'],
    [
      'says yes to another software',
      `console.log(${JSON.stringify(yes({ ...manifest, software: 'other.acme' }))})`,
      'PKG_NOTICE_MISMATCH',
      '',
    ],
    [
      'leaves a link',
      `require("fs").symlinkSync("/etc", "/staging/main.js"); console.log(${JSON.stringify(yes(manifest))})`,
      'INSTALLER_FAILED',
      'staged-tree',
    ],
    ['reaches for the package', 'require("fs").writeFileSync("/proc/self/fd/3", "x")', 'INSTALLER_FAILED', 'exit'],
    [
      'reaches for the network',
      'require("net").connect(80, "127.0.0.1").on("error", (error) => { console.error(error.code); process.exit(7); })',
      'INSTALLER_FAILED',
      'exit',
    ],
  ])('and %s', async (_, source, code, kind) => {
    const request = aRequest(aPackage(signing, { files }));
    const before = readFileSync(request.packagePath);
    const error = await refusal(install(request, await captured(source)));
    expect([error.code, error.detail.kind ?? '']).toEqual([code, kind]);
    expect(readFileSync(request.packagePath)).toEqual(before);
    expect(bench.host.open().cgroups.leftovers()).toEqual([]);
  });

  test('is ended, with what it started, when the deployment is given up', async () => {
    await bench.sandbox.probe();
    const stubborn = await captured(
      `require("child_process").spawn("/usr/bin/node", ["-e", "setInterval(() => {}, 9)"], { detached: true }); setInterval(() => {}, 9)`,
    );
    const abort = new AbortController();
    const attempt = install(aRequest(aPackage(signing, { files })), stubborn, abort.signal);
    const started = () =>
      bench.host
        .open()
        .cgroups.leftovers()
        .flatMap(({ cgroup }) => cgroup.pids());
    await until(() => started().some((pid) => commandOf(pid).includes('\0-e\0')), 'what it starts');
    abort.abort(new Error('superseded'));
    await expect(attempt).rejects.toThrow('superseded');
    expect(bench.host.open().cgroups.leftovers()).toEqual([]);
  });

  test('is ended also when the deployment is given up while its sandbox is made', async () => {
    const abort = new AbortController();
    const { cgroups, facts } = bench.host.open();
    const make = (...of: Parameters<typeof cgroups.make>) => {
      abort.abort(new Error('superseded'));
      return cgroups.make(...of);
    };
    const host = { ...bench.host, open: () => ({ facts, cgroups: { ...cgroups, make } }) };
    const stubborn = await captured('setInterval(() => {}, 9)');
    const installer = makeInstaller({ host, prove: bench.sandbox.probe, clock: realClock, program: stubborn });
    await expect(installer.install(aRequest(aPackage(signing, { files })), abort.signal)).rejects.toThrow('superseded');
    expect(cgroups.leftovers()).toEqual([]);
  });
});

function commandOf(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8');
  } catch {
    return ''; // ended meanwhile
  }
}

describe('the tree that a child left', () => {
  const aTree = () => {
    const folder = mkdtempSync(join(bench.data, 'tree-'));
    mkdirSync(join(folder, 'lib'), { mode: 0o755 });
    writeFileSync(join(folder, 'lib', 'a.js'), 'abc', { mode: 0o644 });
    return folder;
  };

  test('is counted', () => {
    expect(inspectStagedTree(aTree(), 0)).toEqual({ files: 1, bytes: 3 });
  });

  test.each<[string, (folder: string) => void]>([
    ['type', (folder) => symlinkSync('/etc/passwd', join(folder, 'link'))],
    ['hard-link', (folder) => linkSync(join(folder, 'lib', 'a.js'), join(folder, 'again.js'))],
    ['mode', (folder) => chmodSync(join(folder, 'lib', 'a.js'), 0o4755)],
    ['mode', (folder) => chmodSync(join(folder, 'lib'), 0o777)],
    ['owner', (folder) => chownSync(join(folder, 'lib', 'a.js'), 20_001, 20_001)],
  ])('is refused for its %s', (fault, spoil) => {
    const folder = aTree();
    spoil(folder);
    expect(() => inspectStagedTree(folder, 0)).toThrow(
      expect.objectContaining({ detail: expect.objectContaining({ kind: 'staged-tree', fault }) }),
    );
  });
});

function modeAndOwner(name: string): string {
  const { mode, uid } = statSync(join(staging, name));
  return `${(mode & 0o7777).toString(8)} ${uid}`;
}

function flipped(bytes: Buffer, at: number): Buffer {
  const copy = Buffer.from(bytes);
  copy.writeUInt8(copy.readUInt8(at) ^ 1, at);
  return copy;
}

function withEnvelope(tsg: Buffer, change: (text: string) => string): Buffer {
  const { readAt, storedBytes } = inMemory(tsg);
  const layout = splitTsg(readAt, storedBytes);
  const payload = Buffer.from(readAt(layout.payload.offset, layout.payload.length));
  return buildTsg(Buffer.from(change(Buffer.from(readEnvelopeBytes(readAt, layout)).toString('utf8'))), payload, layout.payload.encoding);
}

/** A manifest that promises little, over a stream that gives 600 MB of zeros. */
function aBomb(): Buffer {
  const envelope = signManifest(aManifest(aTar(files), files), signing);
  return buildTsg(envelope, compress(Buffer.alloc(600_000_000)), 'br');
}

/** A file system of 64 KiB, already full. */
function aFullDisk(): string {
  const folder = join(bench.data, 'full');
  mkdirSync(folder);
  execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=64k,mode=0755,uid=20000,gid=20000', 'full', folder]);
  bench.atEnd(() => execFileSync('umount', [folder]));
  const target = join(folder, 'filler');
  try {
    for (;;) appendFileSync(target, Buffer.alloc(4096));
  } catch {
    // full
  }
  return folder;
}
