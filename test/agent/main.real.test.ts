/** The program as it is installed: built, started, judged by its exit code and what it prints. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { build } from 'esbuild';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { makeIdentityStore } from '../../agent/adapters/identity-store.ts';
import { makeTrustStore } from '../../agent/adapters/trust-store.ts';
import { encodeEnvelope } from '../../protocol/dsse.ts';
import { toCompactJson } from '../../protocol/json.ts';
import { programs } from '../../scripts/support/programs.ts';
import { anAuthority, anIdentity } from '../support/gateway-pki.ts';
import { aGatewayId, aRoot, signRoot, someRootKeys } from '../support/mint.ts';
import { until } from '../support/until.ts';

let folder: string;
let dataDir: string;
const started: ChildProcess[] = [];
const keys = someRootKeys();
const root = () => signRoot(aRoot(keys), keys.root);
const program = () => join(folder, 'agent', 'main.js');

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'agent-main-'));
  dataDir = join(folder, 'data');
  const agent = programs.find(({ name }) => name === 'agent');
  writeFileSync(join(folder, 'package.json'), '{"type":"module"}');
  await build({ ...agent?.options, entryPoints: { ...agent?.entries }, outdir: join(folder, 'agent') });
  writeFileSync(
    join(folder, 'agent.json'),
    JSON.stringify({ model: 'PR-400KI', page: { listen: ['127.0.0.1:18988'], appPorts: { from: 18989, count: 2 } } }),
  );
});
afterAll(() => {
  for (const child of started) child.kill('SIGKILL');
  rmSync(folder, { recursive: true });
});

const run = (...args: string[]) => {
  const { status, stdout, stderr } = spawnSync(process.execPath, [program(), ...args, '--data', dataDir], {
    encoding: 'utf8',
    timeout: 50_000,
  });
  return { status, stdout, stderr };
};
const config = () => ['--config', join(folder, 'agent.json')];

describe('before it is enrolled', () => {
  test('run and status say E907, with what to do, and make nothing', () => {
    for (const verb of [['run', ...config()], ['status']]) {
      const { status, stderr } = run(...verb);
      expect(status).toBe(1);
      expect(stderr).toMatch(/E907 NOT_ENROLLED[\s\S]*対処:[\s\S]*Remedy:/);
    }
    expect(existsSync(dataDir)).toBe(false);
  });

  test('a configuration with three faults has all three named, for a person and for a program', () => {
    const path = join(folder, 'wrong.json');
    writeFileSync(path, JSON.stringify({ model: 'PR-1', firmware: '1', page: { listen: ['0.0.0.0:1'] } }));
    const { status, stdout } = run('run', '--config', path, '--json');
    expect(status).toBe(1);
    const failure = JSON.parse(stdout);
    expect(failure).toMatchObject({ ok: false, number: 'E930' });
    expect(failure.detail.faults.map(({ field }: { field: string }) => field)).toEqual(['model', 'firmware', 'page.listen[0].host']);
  });

  test('wrong use is exit 2', () => {
    expect(run('why').status).toBe(2);
    expect(run('dance').stderr).toContain('E931');
  });

  test('an enrolment without a server is E403 and exit 1, and leaves no identity', () => {
    const [ca] = aRoot(keys).serverCas;
    const invitation = {
      v: 1,
      gateway: aGatewayId,
      https: 'https://127.0.0.1:9',
      mqtt: 'mqtts://127.0.0.1:9',
      token: 'a'.repeat(26),
      serverCas: [ca],
      root: root(),
    };
    writeFileSync(join(folder, 'invitation.json'), toCompactJson(invitation));
    const { status, stderr } = run('enroll', '--invitation', join(folder, 'invitation.json'), ...config());
    expect([status, stderr.slice(0, 4)]).toEqual([1, 'E403']);
    expect(existsSync(join(dataDir, 'identity'))).toBe(false);
    expect(existsSync(join(dataDir, 'trust', 'root.1.json'))).toBe(false);
  });

  test('an invitation that cannot be read, or is none, changes nothing', () => {
    expect(run('enroll', '--invitation', join(folder, 'nothing'), ...config()).stderr).toContain('E937');
    expect(run('enroll', '--invitation', join(folder, 'agent.json'), ...config()).stderr).toMatch(/E415|E222/);
  });
});

describe('enrolled, with its server down', () => {
  beforeAll(async () => {
    const { keyPem, certPem } = await anIdentity(await anAuthority('device CA'), aGatewayId);
    makeTrustStore(dataDir).pinAnew(1, encodeEnvelope(root()));
    const server = { https: 'https://127.0.0.1:9', mqtt: 'mqtts://127.0.0.1:9' };
    makeIdentityStore(dataDir).save({
      gateway: aGatewayId,
      ...server,
      serverCasPem: [certPem.trim()],
      privateKeyPem: keyPem,
      certificatePem: certPem,
    });
  });

  test('it runs, says why it is alone, keeps a second one out, and ends at SIGTERM with exit 0', async () => {
    const child = spawn(process.execPath, [program(), 'run', '--data', dataDir, ...config()], { stdio: 'pipe' });
    started.push(child);
    const said: string[] = [];
    child.stderr.on('data', (chunk: Buffer) => said.push(chunk.toString()));
    const events = () =>
      JSON.parse(run('log', '--json').stdout).entries.map(({ event, number }: Record<string, string>) =>
        [event, number].filter(Boolean).join(' '),
      );
    await until(
      () => existsSync(join(dataDir, 'log', 'agent.log')) && events().includes('link.offline E403'),
      'the line that is down',
      20_000,
    );
    expect(JSON.parse(run('status', '--json').stdout)).toMatchObject({
      ok: true,
      gateway: aGatewayId,
      isAgentRunning: true,
      line: { ok: false, number: 'E403' },
    });
    expect(run('why', 'demo.ipv4').stdout).toContain('E403');
    const second = run('run', ...config());
    expect([second.status, second.stderr.slice(0, 4)]).toEqual([1, 'E934']);

    child.kill('SIGTERM');
    const status = await new Promise((resolve) => child.once('exit', resolve));
    expect([status, said.join('')]).toEqual([0, '']);
    expect(events().at(-1)).toBe('agent.stopped');
    expect(readdirSync(dataDir)).not.toContain('agent.lock');
  });

  test('stopped, it is still explained', () => {
    const { status, stdout } = run('status');
    expect(status).toBe(0);
    expect(stdout).toContain('停止中');
    expect(stdout).toContain('E909');
  });
});
