import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { parseEnvelope, verifyEnvelope } from '../../protocol/dsse.ts';
import { parseInvitation } from '../../protocol/messages/invitation.ts';
import { keysOfRole, parseRoot, rootType } from '../../protocol/statements/root.ts';
import { startEmbeddedPostgres } from '../../server/adapters/embedded-postgres.ts';
import { japanDay } from '../../server/rules/japan-day.ts';
import { anInstallation, askApi, postmasterOf, type RunningServer, runVerb, startServer } from '../support/server-process.ts';

let dir: string;
let token: string;
let server: RunningServer | undefined;
beforeAll(async () => {
  dir = aFolder();
  ({ token } = await anInstallation(dir));
});
afterAll(async () => {
  server?.process.kill('SIGTERM');
  await server?.ended();
  rmSync(dir, { recursive: true, force: true });
});

/** Open for passing through, as a place for a server's data is: behind a closed folder PostgreSQL's files would go to /var/lib. */
function aFolder(): string {
  const folder = mkdtempSync(path.join(tmpdir(), 'tsugite-server-'));
  chmodSync(folder, 0o711);
  return folder;
}

async function start(): Promise<RunningServer> {
  server = await startServer(dir);
  return server;
}
const verb = (...args: string[]) => runVerb([...args, '--json'], { TSUGITE_TOKEN: token, TSUGITE_SERVER: server?.api ?? '' });

describe('init', () => {
  test('keeps every private file to its owner, and says to take the offline root away', () => {
    const everyFile = (folder: string): string[] =>
      readdirSync(folder, { withFileTypes: true }).flatMap((entry) =>
        entry.isDirectory() ? everyFile(path.join(folder, entry.name)) : [path.join(folder, entry.name)],
      );
    const secrets = everyFile(dir).filter((file) => file.endsWith('.key.pem'));
    expect(secrets.map((file) => path.relative(dir, file)).sort()).toEqual([
      'offline-root/root-1.key.pem',
      'offline-root/root-2.key.pem',
      'offline-root/root-3.key.pem',
      'pki/device-ca.key.pem',
      'pki/notice.key.pem',
      'pki/provider-ca.key.pem',
      'pki/server-ca.key.pem',
      'pki/server.key.pem',
    ]);
    for (const file of secrets) expect(statSync(file).mode & 0o777).toBe(0o600);
    expect(readFileSync(path.join(dir, 'offline-root', 'README.txt'), 'utf8')).toMatch(/TAKE THIS FOLDER AWAY/);
  });

  test('signs root 1 with two of three keys, good for two years', () => {
    const envelope = parseEnvelope(readFileSync(path.join(dir, 'pki', 'root.1.dsse.json')));
    const claimed = parseRoot(Buffer.from(envelope.payload, 'base64'));
    const root = parseRoot(verifyEnvelope(envelope, rootType, keysOfRole(claimed, 'root'), 2));
    expect(root.roles.root).toMatchObject({ threshold: 2, keyids: { length: 3 } });
    expect(() => verifyEnvelope(envelope, rootType, keysOfRole(claimed, 'root'), 3)).toThrow();
    expect(Math.round((Date.parse(root.expires) - Date.parse(root.issuedAt)) / 86_400_000)).toBeGreaterThanOrEqual(730);
  });

  test('is refused where there is an installation, which stays as it is', async () => {
    const before = readFileSync(path.join(dir, 'pki', 'notice.key.pem'), 'utf8');
    const again = await runVerb(['init', '--data', dir, '--json']);
    expect(again).toMatchObject({ code: 1, json: { ok: false, number: 'E936' } });
    expect(readFileSync(path.join(dir, 'pki', 'notice.key.pem'), 'utf8')).toBe(before);
  });

  test('never touches keys because a marker is missing; only what it left unfinished itself is begun anew', async () => {
    const key = () => readFileSync(path.join(dir, 'pki', 'notice.key.pem'), 'utf8');
    const before = key();
    renameSync(path.join(dir, 'initialised'), path.join(dir, 'aside'));
    expect((await runVerb(['init', '--data', dir, '--json'])).json.number).toBe('E936');
    renameSync(path.join(dir, 'aside'), path.join(dir, 'initialised'));
    expect(key()).toBe(before);

    const half = aFolder();
    mkdirSync(path.join(half, 'pki'));
    writeFileSync(path.join(half, 'pki', 'notice.key.pem'), 'half');
    writeFileSync(path.join(half, 'initialising'), '');
    expect((await runVerb(['init', '--data', half, '--json'])).json).toMatchObject({ ok: true });
    expect(readFileSync(path.join(half, 'pki', 'notice.key.pem'), 'utf8')).toMatch(/PRIVATE KEY/);
    rmSync(half, { recursive: true, force: true });
  });
});

describe('run', () => {
  test('what was acknowledged is there after kill -9, and PostgreSQL does not outlive the server', async () => {
    const { api, process: child, ended } = await start();
    const acknowledged: string[] = [];
    const writing = (async () => {
      for (let index = 0; ; index += 1) {
        const id = `provider-${index}`;
        const reply = await askApi(api, token, 'POST', '/providers', { provider: id, name: 'x' }).catch(() => undefined);
        if (reply?.status !== 201) return;
        acknowledged.push(id);
        if (index === 30) child.kill('SIGKILL');
      }
    })();
    await writing;
    expect(await ended()).toBe('SIGKILL');
    expect(acknowledged.length).toBeGreaterThan(30);

    const again = await start();
    const { body } = await askApi(again.api, token, 'GET', '/providers');
    const kept = (body.items as { provider: string }[]).map(({ provider }) => provider);
    expect(acknowledged.filter((id) => !kept.includes(id))).toEqual([]);
  });

  test('a second server on the same folder is refused with the first one’s pid', async () => {
    const second = await runVerb(['run', '--data', dir, '--json']);
    expect(second).toMatchObject({ code: 1, json: { number: 'E934', detail: { pid: server?.process.pid } } });
  });

  test('the whole set of verbs tells the story through the API, and the invitation is what an agent reads', async () => {
    const folder = mkdtempSync(path.join(tmpdir(), 'tsugite-verbs-'));
    const site = (
      await verb('customer', 'add', '--customer-id', 'CAF1', '--line', 'NEXT_OTHER', '--hgw', 'PR-400KI', '--denwa', 'STANDARD')
    ).json.site;
    expect((await verb('gateway', 'add', 'gw-0001', '--model', 'PR-400KI', '--site', String(site))).code).toBe(0);
    const out = path.join(folder, 'invitation.json');
    expect((await verb('gateway', 'invite', 'gw-0001', '--out', out)).code).toBe(0);
    expect(statSync(out).mode & 0o777).toBe(0o600);
    const invitation = parseInvitation(readFileSync(out));
    expect(invitation).toMatchObject({ gateway: 'gw-0001', token: expect.stringMatching(/^[a-z2-7]{26}$/) });
    expect(await verb('gateway', 'invite', 'gw-0001', '--out', out)).toMatchObject({ code: 1, json: { number: 'E936' } });
    expect(await verb('target', 'order', 'no.software', '--customer-id', 'CAF1')).toMatchObject({ code: 1, json: { number: 'E953' } });
    expect(await verb('gateway', 'add', 'gw-0002', '--model', 'PR-500KI', '--site', String(site))).toMatchObject({
      code: 3,
      json: { number: 'E113' },
    });
    expect(await verb('gateway', 'add', 'gw-0003')).toMatchObject({ code: 2, json: { number: 'E931' } });
    expect((await verb('status')).json).toMatchObject({ customers: 1, gateways: 1 });
    rmSync(folder, { recursive: true });
  });

  test('a contract event is entered by its verb, judged when it is asked for, and each mistake has its exit code', async () => {
    const nextWeek = japanDay(Date.now() + 7 * 86_400_000);
    const add = ['customer', 'add', '--customer-id', 'CAF2', '--line', 'NEXT_OTHER', '--hgw', 'PR-400KI', '--denwa', 'STANDARD'];
    const site = String((await verb(...add)).json.site);
    const phone = await verb('contract', 'cancel-phone', '--customer-id', 'CAF2', '--effective', nextWeek);
    expect(phone).toMatchObject({ code: 0, json: { ok: true, kind: 'cancel-phone', site, effectiveOn: nextWeek } });
    expect((await verb('contract', 'void', String(phone.json.event), '--reason', 'a mistake')).json).toMatchObject({ outcome: 'void' });
    expect((await verb('contract', 'cancel-line', '--site', site)).code).toBe(0);
    expect((await verb('contract', 'evaluate', '--through', 'today')).json).toMatchObject({ ok: true, sites: 1, moves: [] });
    expect((await verb('contract', 'list', '--site', site, '--why', 'test')).json.events).toMatchObject([
      { kind: 'cancel-line', outcome: 'applied' },
      { kind: 'cancel-phone', outcome: 'void' },
    ]);
    expect(await verb('contract', 'cancel-line')).toMatchObject({ code: 2, json: { number: 'E931' } });
    expect(await verb('contract', 'change-line', '--site', site)).toMatchObject({ code: 2, json: { number: 'E931' } });
    expect(await verb('contract', 'swap-device', '--site', site, '--new-gateway', 'gw-0009')).toMatchObject({
      code: 1,
      json: { number: 'E932' },
    });
    expect(await verb('prohibit', 'no.software', '--reason', 'x')).toMatchObject({ code: 1, json: { number: 'E953' } });
    expect(await verb('approve', 'a'.repeat(26))).toMatchObject({ code: 1, json: { number: 'E953' } });
    expect((await verb('change', 'list')).json).toEqual({ ok: true, changes: [] });
  });

  test('an upload that is refused at its first bytes is answered at once', async () => {
    const file = path.join(dir, 'large.bin');
    writeFileSync(file, Buffer.alloc(40_000_000));
    expect(await verb('release', 'admit', file)).toMatchObject({ code: 3, json: { number: 'E302' } });
    const stranger = await runVerb(['release', 'admit', file, '--json'], {
      TSUGITE_TOKEN: 'tsugite_wrong',
      TSUGITE_SERVER: server?.api ?? '',
    });
    expect(stranger).toMatchObject({ code: 1, json: { number: 'E951' } });
    rmSync(file);
  }, 20_000);

  test('SIGTERM stops it cleanly with PostgreSQL, though somebody dribbles an upload', async () => {
    const { process: child, ended, api } = server as RunningServer;
    const slow = connect(Number(new URL(api).port), '127.0.0.1');
    slow.on('error', () => {});
    slow.write(`POST /api/v1/releases HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${token}\r\n`);
    slow.write('Content-Type: application/octet-stream\r\nContent-Length: 1000\r\n\r\nabc');
    await expect.poll(() => readdirSync(path.join(dir, 'packages', 'incoming'))).toHaveLength(1);
    const postgres = postmasterOf(dir);
    expect(postgres?.pid).toBeGreaterThan(1);
    if (process.getuid?.() === 0) expect(postgres?.uid).not.toBe(0);
    child.kill('SIGTERM');
    expect(await ended()).toBe(0);
    expect(postmasterOf(dir)).toBeUndefined();
    expect(existsSync(path.join(dir, 'server.pid'))).toBe(false);
    server = undefined;
  });

  test('the environment names another PostgreSQL, which holds one installation and no second', async () => {
    const place = aFolder();
    const other = await startEmbeddedPostgres({ dataDir: place, isThrowaway: true });
    const { host } = other.connection as { host: string };
    const environment = { DATABASE_URL: `postgres://tsugite@localhost/postgres?host=${host}` };
    const data = path.join(place, 'server');
    const installed = await anInstallation(data, environment);
    expect(existsSync(path.join(data, 'postgres'))).toBe(false);
    const running = await startServer(data, environment);
    expect((await askApi(running.api, installed.token, 'GET', '/status')).status).toBe(200);
    running.process.kill('SIGTERM');
    expect(await running.ended()).toBe(0);
    expect((await runVerb(['init', '--data', path.join(place, 'second'), '--json'], environment)).json).toMatchObject({
      ok: false,
      number: 'E936',
    });
    await other.stop();
    rmSync(place, { recursive: true, force: true });
  });

  test('verbs without a server, without a token, and a folder that was never initialised say so', async () => {
    const at = { TSUGITE_TOKEN: token, TSUGITE_SERVER: 'http://127.0.0.1:9' };
    expect(await runVerb(['status', '--json'], at)).toMatchObject({ code: 1, json: { number: 'E403' } });
    expect(await runVerb(['status', '--json'], { TSUGITE_TOKEN: '' })).toMatchObject({ code: 1, json: { number: 'E951' } });
    expect(await runVerb(['run', '--data', path.join(tmpdir(), 'nothing-here'), '--json'])).toMatchObject({
      code: 1,
      json: { number: 'E935' },
    });
  });

  test('a configuration with three faults names all three', async () => {
    const file = path.join(dir, 'faulty.json');
    writeFileSync(file, JSON.stringify({ people: { port: 99999 }, gateways: { publicHost: '' }, colour: 'red' }));
    const { code, json } = await runVerb(['run', '--data', dir, '--config', file, '--json']);
    expect([code, json.number]).toEqual([1, 'E930']);
    const { faults } = json.detail as { faults: { field: string }[] };
    expect(faults.map(({ field }) => field).sort()).toEqual(['(top)', 'gateways.publicHost', 'people.port']);
    for (const name of ['people.port', 'gateways.publicHost', 'colour']) expect(String(json.en)).toContain(name);
  });

  test('a port that is taken is named, and nothing is left running', async () => {
    const blocker = (await import('node:net')).createServer().listen(0, '127.0.0.1');
    await new Promise((resolve) => blocker.once('listening', resolve));
    const { port } = blocker.address() as { port: number };
    const file = path.join(dir, 'taken.json');
    writeFileSync(file, JSON.stringify({ people: { port }, gateways: { https: { port: 0 }, mqtt: { port: 0 } } }));
    const { code, json } = await runVerb(['run', '--data', dir, '--config', file, '--json']);
    expect([code, json.number]).toEqual([1, 'E933']);
    expect(String(json.en)).toContain(`127.0.0.1:${port}`);
    expect(postmasterOf(dir)).toBeUndefined();
    blocker.close();
  });
});
