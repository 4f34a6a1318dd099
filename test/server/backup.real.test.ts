import { createHash } from 'node:crypto';
import {
  appendFileSync,
  chmodSync,
  cpSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { verifyRoom } from '../../server/adapters/backup-folder.ts';
import { aGatewayMemory, anOperator, anOrderedGateway, aProvider, type Operator } from '../support/delivered-server.ts';
import { anInstallation, askApi, postmasterOf, type RunningServer, runVerb, startServer, startVerb } from '../support/server-process.ts';
import { until } from '../support/until.ts';

const place = mkdtempSync(path.join(tmpdir(), 'tsugite-backup-'));
chmodSync(place, 0o711);
const at = (name: string) => path.join(place, name);
const running: RunningServer[] = [];

afterAll(async () => {
  for (const server of running) {
    server.process.kill('SIGTERM');
    await server.ended();
  }
  rmSync(place, { recursive: true, force: true });
});

async function start(dir: string): Promise<RunningServer> {
  const server = await startServer(dir);
  running.push(server);
  return server;
}
const everyPath = (folder: string): string[] =>
  readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const inside = path.join(folder, entry.name);
    return entry.isDirectory() ? [inside, ...everyPath(inside)] : [inside];
  });
const backUp = (dir: string, out: string) => startVerb(['backup', '--data', dir, '--out', out, '--json']);
const restore = (backup: string, dir: string, ...more: string[]) => runVerb(['restore', backup, '--data', dir, ...more, '--json']);

describe('a server with a delivered target', () => {
  let token: string;
  let operator: Operator;
  let first: RunningServer;
  let sign: Awaited<ReturnType<typeof aProvider>>;
  let home: Awaited<ReturnType<typeof anOrderedGateway>>;
  let memory: ReturnType<typeof aGatewayMemory>;
  let kept: Record<string, unknown>;
  const acknowledged: string[] = [];

  beforeAll(async () => {
    ({ token } = await anInstallation(at('first')));
    first = await start(at('first'));
    operator = anOperator(token);
    operator.at(first);
    sign = await aProvider(operator);
    await operator.does('release', 'admit', await sign('1.0.0'));
    home = await anOrderedGateway(operator, first);
    memory = aGatewayMemory(home.gateway, home.identity);
  });
  const stateOf = async () => String((await operator.does('target', 'show', home.target)).state);

  test('is backed up while it is written to, with everything that was acknowledged before', async () => {
    const link = await memory.connect(first);
    const notice = await link.applies(({ targets }) => targets.length === 1);
    const [wanted] = notice.targets;
    if (wanted === undefined) throw new Error('no target');
    expect(await link.downloads(wanted)).toBe(true);
    await link.reports({ kind: 'end', target: home.target, software: 'demo.ipv4', version: '1.0.0', state: 'committed' });
    expect(await stateOf()).toBe('ACTIVE');

    let isOver = false;
    const writing = (async () => {
      for (let index = 0; !isOver; index += 1) {
        const id = `p-${index}`;
        const reply = await askApi(first.api, token, 'POST', '/providers', { provider: id, name: 'x' });
        if (reply.status === 201) acknowledged.push(id);
      }
    })();
    await until(() => acknowledged.length > 20, 'the writer is at work');
    const before = [...acknowledged];
    const { ended, err } = await backUp(at('first'), at('kept'));
    const made = await ended;
    isOver = true;
    await writing;
    expect(made).toMatchObject({ code: 0, json: { ok: true, database: 'embedded', missingPackages: [], hasOfflineRoot: true } });
    expect(err()).toMatch(/backup: 100 %/);
    expect(acknowledged.length).toBeGreaterThan(before.length);
    acknowledged.splice(before.length); // what came later may be in it, or not
    kept = made.json;
    await link.client.end();
  });

  test('the backup can be read by its owner alone, and holds no offline root key', () => {
    const paths = everyPath(at('kept'));
    expect(statSync(at('kept')).mode & 0o777).toBe(0o700);
    for (const file of paths) expect([file, statSync(file).mode & 0o777]).toEqual([file, statSync(file).isDirectory() ? 0o700 : 0o600]);
    const names = paths.map((file) => path.relative(at('kept'), file));
    expect(names.filter((name) => name.includes('root-'))).toEqual([]);
    expect(names).toEqual(expect.arrayContaining(['pki/notice.key.pem', 'config.json', 'audit-heads', 'database/backup_label']));
    expect(names.filter((name) => name.startsWith('packages/'))).toHaveLength(1);
    const digest = createHash('sha256')
      .update(readFileSync(at('kept/manifest.json')))
      .digest('hex');
    expect(readFileSync(at('kept/manifest.sha256'), 'utf8')).toBe(`${digest}  manifest.json\n`);
    expect(kept.sha256).toBe(digest);
  });

  test('what came after the backup is lost with the server; the restored one says nothing until it is entered again and confirmed', async () => {
    // After the backup: an update reaches the gateway, whose mark is ahead of the backup from then on.
    const update = await sign('1.1.0');
    await operator.does('release', 'admit', update);
    await operator.does('release', 'deploy', 'demo.ipv4', '1.1.0');
    const link = await memory.connect(first);
    await link.applies(({ targets }) => targets[0]?.version === '1.1.0');
    await link.reports({ kind: 'end', target: home.target, software: 'demo.ipv4', version: '1.1.0', state: 'committed' });
    await link.client.end();
    const markBefore = memory.mark()?.version ?? 0;
    first.process.kill('SIGKILL');
    await first.ended();

    const restored = await restore(at('kept'), at('second'), '--sha256', String(kept.sha256));
    expect(restored).toMatchObject({ code: 0, json: { ok: true, missingPackages: [], audit: { faultCount: 0, headsHeld: 1 } } });
    const second = await start(at('second'));
    operator.at(second);
    const { body } = await askApi(second.api, token, 'GET', '/providers?limit=1000');
    const providers = (body as { items: { provider: string }[] }).items.map(({ provider }) => provider);
    expect(acknowledged.filter((id) => !providers.includes(id))).toEqual([]);
    expect(await operator.does('restore', 'show')).toMatchObject({ isHeld: true, why: 'restored', gateways: 1 });
    expect(second.log()).toMatch(/"event":"publication.held".*"number":"E948"/);

    const again = await memory.connect(second);
    await expect.poll(async () => (await operator.does('restore', 'show')).ahead).toBe(1);
    await operator.does('release', 'admit', update);
    await operator.does('release', 'deploy', 'demo.ipv4', '1.1.0');
    await again.reports({ kind: 'supervisor', detail: {} });
    expect(again.notices()).toEqual([]);
    expect(await operator.run('restore', 'confirm')).toMatchObject({ code: 2, json: { number: 'E931' } });

    await operator.does('restore', 'confirm', '--reason', 'release 1.1.0 admitted and deployed again');
    const notice = await again.applies(({ version }) => version > markBefore);
    const [wanted] = notice.targets;
    expect(notice.targets).toMatchObject([{ target: home.target, version: '1.1.0' }]);
    expect(wanted && (await again.downloads(wanted))).toBe(true);
    const [asked] = notice.requests;
    expect(asked).toMatchObject({ kind: 'resync' });
    await again.reports({ kind: 'resync', detail: { request: asked?.id, committed: [`${home.target} 1.1.0`] } });
    expect(await stateOf()).toBe('ACTIVE');
    await again.client.end();
  }, 90_000);

  test('the audit log goes on over the restore, and names who took the backup and who restored it', async () => {
    const verdict = await operator.does('audit', 'verify');
    expect(verdict).toMatchObject({ isWhole: true, restored: [{ base: expect.any(Number) }] });
    const { rows } = await operator.does('audit', 'list', '--limit', '1000');
    const found = (rows as { actor: string; action: string }[]).filter(({ action }) => /^(backup|restore)\./.test(action));
    expect(found.map(({ actor, action }) => `${actor.split(':')[0]} ${action}`)).toEqual([
      'operator restore.confirm',
      'local restore.hold',
      'local backup.make',
    ]);
    // The head that an operator kept of the lost server is gone with it: this has to be looked into by a person.
    const lost = `${Number((verdict.head as { seq: number }).seq) + 500}:${'ab'.repeat(32)}`;
    expect(await operator.run('audit', 'verify', '--head', lost)).toMatchObject({ code: 1, json: { number: 'E945' } });
  });
});

describe('a backup', () => {
  const dir = at('quiet');
  const good = at('good');
  beforeAll(async () => {
    await anInstallation(dir);
    expect((await (await backUp(dir, good)).ended).json).toMatchObject({ ok: true });
  });
  const copyOf = (name: string) => {
    cpSync(good, at(name), { recursive: true });
    return at(name);
  };
  /** With the digest made right again: somebody changed it on purpose. */
  const rewrite = (backup: string, change: (manifest: { files: { path: string }[]; database: { migrations: string[] } }) => void) => {
    const manifest = JSON.parse(readFileSync(path.join(backup, 'manifest.json'), 'utf8'));
    change(manifest);
    const text = JSON.stringify(manifest);
    writeFileSync(path.join(backup, 'manifest.json'), text);
    writeFileSync(path.join(backup, 'manifest.sha256'), `${createHash('sha256').update(text).digest('hex')}  manifest.json\n`);
  };

  test('of a server that does not run starts the database for itself, and leaves nothing running', () => {
    expect(postmasterOf(dir)).toBeUndefined();
    expect(existsSync(path.join(dir, 'server.pid'))).toBe(false);
  });

  test('is never written over what is there', async () => {
    expect(await (await backUp(dir, good)).ended).toMatchObject({ code: 1, json: { number: 'E936' } });
    expect(await runVerb(['backup', 'verify', good, '--json'])).toMatchObject({ code: 0, json: { ok: true } });
  });

  test('that is killed leaves nothing that a restore would take, and the next one removes it', async () => {
    const { process: child, ended } = await backUp(dir, at('killed'));
    const unfinished = await until(() => readdirSync(place).find((name) => name.startsWith('killed.unfinished-')), 'it has begun');
    await until(() => readdirSync(at(unfinished)).includes('database'), 'it copies the database');
    child.kill('SIGKILL');
    await ended;
    expect(existsSync(at('killed'))).toBe(false);
    expect(await restore(at(unfinished), at('never'))).toMatchObject({ code: 1, json: { number: 'E946', kind: 'incomplete' } });
    // PostgreSQL ends with it, or a moment later; the next one waits for that.
    expect(await (await backUp(dir, at('killed'))).ended).toMatchObject({ code: 0 });
    expect(readdirSync(place).filter((name) => name.startsWith('killed'))).toEqual(['killed']);
    expect(await runVerb(['backup', 'verify', at('killed'), '--json'])).toMatchObject({ code: 0 });
  });

  test('with one byte changed, or one file missing, is refused by that file’s name, and nothing starts on what was copied', async () => {
    const damaged = copyOf('damaged');
    appendFileSync(path.join(damaged, 'pki', 'notice.key.pem'), '\n');
    for (const ran of [await runVerb(['backup', 'verify', damaged, '--json']), await restore(damaged, at('half'))])
      expect(ran).toMatchObject({ code: 1, json: { number: 'E946', detail: { at: 'pki/notice.key.pem' } } });
    expect(await runVerb(['run', '--data', at('half'), '--json'])).toMatchObject({ code: 1, json: { number: 'E935' } });
    // Once more from a good one into what the refused restore has left.
    expect((await restore(good, at('half'))).json).toMatchObject({ ok: true });

    rmSync(path.join(damaged, 'database', 'PG_VERSION'));
    writeFileSync(path.join(damaged, 'pki', 'notice.key.pem'), readFileSync(path.join(good, 'pki', 'notice.key.pem')));
    expect(await runVerb(['backup', 'verify', damaged, '--json'])).toMatchObject({ json: { detail: { at: 'database/PG_VERSION' } } });
  });

  test('whose list was changed on purpose is refused where the list’s digest was kept, and writes nowhere else in any case', async () => {
    const changed = copyOf('changed');
    rewrite(changed, (manifest) => void manifest.files.pop());
    const { sha256 } = (await runVerb(['backup', 'verify', good, '--json'])).json;
    expect(sha256).toBeUndefined();
    const digest = createHash('sha256')
      .update(readFileSync(path.join(good, 'manifest.json')))
      .digest('hex');
    expect(await restore(changed, at('never'), '--sha256', digest)).toMatchObject({ code: 1, json: { number: 'E946' } });

    for (const outside of ['../outside', 'pki/../../outside', '/etc/outside', 'elsewhere/file', 'pki/deep/file', 'packages']) {
      const bad = copyOf(`bad-${createHash('sha256').update(outside).digest('hex').slice(0, 8)}`);
      rewrite(bad, (manifest) => {
        const [one] = manifest.files;
        if (one !== undefined) one.path = outside;
      });
      expect([outside, (await restore(bad, at('untouched'))).json.number]).toEqual([outside, 'E946']);
    }
    expect([existsSync(at('outside')), existsSync(at('untouched'))]).toEqual([false, false]);
  }, 60_000);

  test('of a newer program is refused with its migration’s name', async () => {
    const newer = copyOf('newer');
    rewrite(newer, ({ database }) => void database.migrations.push('9999-from-the-future.sql'));
    expect(await restore(newer, at('never'))).toMatchObject({
      code: 1,
      json: { number: 'E946', detail: { at: '9999-from-the-future.sql' } },
    });
  });

  test('is restored into a new or empty folder only', async () => {
    expect(await restore(good, dir)).toMatchObject({ code: 1, json: { number: 'E936' } });
    expect(await restore(at('no-such-backup'), at('never'))).toMatchObject({ code: 1, json: { number: 'E946' } });
  });

  test('does not begin where there is no room for it', async () => {
    await expect(verifyRoom(place, 10 ** 17)).rejects.toMatchObject({ code: 'DISK_FULL', detail: { limit: expect.any(Number) } });
  });
});
