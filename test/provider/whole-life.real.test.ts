/** A provider's life by its command line alone, against a server that runs: from the token to the halt. */
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { aBreakingLine } from '../support/cutting-proxy.ts';
import { anOperator, type Operator, portOf } from '../support/delivered-server.ts';
import { anAuthority } from '../support/gateway-pki.ts';
import { anHttpsServer } from '../support/https-server.ts';
import { aKit, type Kit } from '../support/kit.ts';
import { anInstallation, type RunningServer, startServer } from '../support/server-process.ts';
import { tsugite } from '../support/tsugite.ts';

let dir: string;
let server: RunningServer;
let operator: Operator;
let token: string;
let kit: Kit;
const home = mkdtempSync(path.join(tmpdir(), 'tsugite-desk-'));
const at = (...parts: string[]) => path.join(home, ...parts);

beforeAll(async () => {
  dir = mkdtempSync(path.join(tmpdir(), 'tsugite-life-'));
  const installed = await anInstallation(dir);
  server = await startServer(dir);
  operator = anOperator(installed.token);
  operator.at(server);
  await operator.does('provider', 'add', 'demo', '--name', '株式会社デモ');
  ({ token } = (await operator.does('token', 'create', '--role', 'provider', '--provider', 'demo', '--label', 'デモ 配信担当')) as {
    token: string;
  });
  kit = aKit();
});
afterAll(async () => {
  server.process.kill('SIGTERM');
  await server.ended();
  for (const folder of [dir, home]) rmSync(folder, { recursive: true, force: true });
});

const json = (argv: string[], options?: Parameters<Kit['tsugite']>[1]) => kit.tsugite([...argv, '--json'], options);
const stored = () => readFileSync(path.join(kit.folder, 'servers.json'), 'utf8');
let names = 0;
/** A signed package of a software that was never there before. */
async function aSoftware(version = '1.0.0', software = `life-${++names}.demo`): Promise<{ software: string; file: string }> {
  const source = at(`${software}-${version}`);
  mkdirSync(source, { recursive: true });
  await tsugite('init', source, '--provider', 'demo', '--software', software);
  const manifest = path.join(source, 'manifest.json');
  writeFileSync(manifest, JSON.stringify({ ...JSON.parse(readFileSync(manifest, 'utf8')), version }));
  await tsugite('pack', source, '--out', `${source}.build`);
  const file = `${source}.tsg`;
  const signed = await tsugite(
    'sign',
    `${source}.build`,
    '--key',
    at('keys', 'provider.key.pem'),
    '--cert',
    at('chain.pem'),
    '--out',
    file,
  );
  expect(signed.err).toBe('');
  return { software, file };
}
const orders = async (software: string) => {
  const { orders: all } = (await operator.does('work', 'list')) as { orders: { state: string; items: { software: string }[] }[] };
  return all.filter(({ items }) => items.some((item) => item.software === software));
};
const w1 = { oneOffYen: 29_480, monthlyYen: 11_000 };

describe('login', () => {
  test('tries the token at the server before it keeps it, for its owner alone', async () => {
    expect(await json(['login', server.api, '--token-file', '-'], { input: 'tsugite_wrong' })).toMatchObject({
      code: 1,
      json: { code: 'API_UNAUTHENTICATED' },
    });
    expect(existsSync(path.join(kit.folder, 'servers.json'))).toBe(false);
    const { code, out, json: answer } = await json(['login', `${server.api}/`, '--token-file', '-'], { input: `${token}\n` });
    expect([code, answer]).toMatchObject([0, { server: server.api, role: 'provider', provider: 'demo', name: 'デモ 配信担当' }]);
    expect(out).not.toContain(token);
    expect(statSync(path.join(kit.folder, 'servers.json')).mode & 0o777).toBe(0o600);
    expect(statSync(kit.folder).mode & 0o777).toBe(0o700);
  });

  test('asks at a terminal, and shows nothing of the token', async () => {
    const { code, out, err } = await kit.tsugite(['login', server.api], { person: [token] });
    expect([code, out + err]).toEqual([0, expect.not.stringContaining(token)]);
    expect(kit.asked.at(-1)).toContain('token');
  });

  test('keeps several servers, and forgets one when asked', async () => {
    const other = server.api.replace('127.0.0.1', 'localhost');
    await kit.tsugite(['login', other, '--token-file', '-'], { input: token });
    expect((await json(['login', '--list'])).json.logins).toMatchObject([
      { server: server.api, isCurrent: false },
      { server: other, isCurrent: true, provider: 'demo' },
    ]);
    expect((await json(['logout', other])).json).toMatchObject({ server: other, current: server.api });
    expect(stored()).not.toContain('localhost');
    expect(await json(['publish', '--list', '--server', other])).toMatchObject({ code: 1, json: { code: 'NOT_LOGGED_IN' } });
  });

  test.each(['http://example.jp', 'http://10.0.0.1:8080', 'https://user:pass@example.jp', 'ftp://127.0.0.1', 'example.jp'])(
    'sends no token to %s',
    async (url) =>
      expect(await json(['login', url, '--token-file', '-'], { input: token })).toMatchObject({ code: 2, json: { code: 'USAGE_WRONG' } }),
  );

  test('refuses credentials that others can read, and says what to do', async () => {
    const careless = aKit();
    mkdirSync(careless.folder, { recursive: true });
    writeFileSync(path.join(careless.folder, 'servers.json'), stored(), { mode: 0o644 });
    const { code, err } = await careless.tsugite(['publish', '--list']);
    expect([code, err]).toMatchObject([1, expect.stringContaining('chmod 600')]);
  });

  test('is not needed where the environment names server and token, as in CI', async () => {
    const ci = aKit();
    expect((await ci.tsugite(['publish', '--list'])).err).toContain('E960');
    expect((await ci.tsugite(['publish', '--list'], { environment: { server: server.api, token } })).code).toBe(0);
    expect(
      (await ci.tsugite(['publish', '--list', '--server', 'https://elsewhere.example.jp'], { environment: { server: server.api, token } }))
        .err,
    ).toContain('E960');
  });
});

describe('certificate', () => {
  test('is asked for with the token, issued for the key id that was read out, and fetched for its key', async () => {
    await tsugite('keygen', '--provider', 'demo', '--org', '株式会社デモ', '--out', at('keys'));
    const asked = await json(['certificate', 'request', '--csr', at('keys', 'provider.csr.pem')]);
    const { request, subjectKeyid } = asked.json as { request: string; subjectKeyid: string };
    expect(asked.json).toMatchObject({ state: 'WAITING' });
    const fetch = ['certificate', 'fetch', request, '--out', at('chain.pem'), '--key', at('keys', 'provider.key.pem')];
    expect(await json(fetch)).toMatchObject({ code: 3, json: { code: 'STATE_FORBIDS', detail: { state: 'WAITING' } } });

    expect(await operator.run('pki', 'requests')).toMatchObject({
      code: 0,
      json: { requests: [{ request, provider: 'demo', subjectKeyid }] },
    });
    const wrong = `sha256:${'0'.repeat(64)}`;
    expect(await operator.run('pki', 'issue-provider', '--request', request, '--keyid', wrong)).toMatchObject({
      code: 3,
      json: { code: 'REQUEST_KEY_DIFFERS' },
    });
    expect(await operator.run('pki', 'issue-provider', '--request', request)).toMatchObject({ code: 2 });
    await operator.does('pki', 'issue-provider', '--request', request, '--keyid', subjectKeyid);
    expect(await json(fetch)).toMatchObject({ code: 0, json: { state: 'ISSUED', out: at('chain.pem') } });
    expect(await json(fetch)).toMatchObject({ code: 1, json: { code: 'FILE_EXISTS' } });
    await tsugite('keygen', '--provider', 'demo', '--org', '株式会社デモ', '--out', at('other-keys'));
    const other = [...fetch.slice(0, 4), at('other.pem'), '--key', at('other-keys', 'provider.key.pem')];
    expect(await json(other)).toMatchObject({ code: 1, json: { code: 'KEY_UNUSABLE' } });
    expect(existsSync(at('other.pem'))).toBe(false);
    expect((await json(['certificate', 'list'])).json.requests).toMatchObject([{ request, state: 'ISSUED' }]);
  });

  test('has the key id read out that stands in the file, and no other that came over the line', async () => {
    const ca = await anAuthority('test server CA');
    const who = { name: 'x', role: 'provider', provider: 'demo', expires: null };
    const answer = { request: 'r1', state: 'WAITING', subjectKeyid: `sha256:${'1'.repeat(64)}` };
    const liar = await anHttpsServer(
      { server: ca, device: ca },
      ({ method }, response) => void response.end(JSON.stringify(method === 'GET' ? who : answer)),
    );
    writeFileSync(at('ca.pem'), ca.certPem);
    const desk = aKit();
    await desk.tsugite(['login', liar.url, '--token-file', '-', '--ca', at('ca.pem')], { input: token });
    const asked = await desk.tsugite(['certificate', 'request', '--csr', at('keys', 'provider.csr.pem'), '--json']);
    expect(asked).toMatchObject({ code: 1, json: { code: 'KEY_UNUSABLE', found: answer.subjectKeyid } });
    await liar.stop();
  });
});

describe('quote', () => {
  test('asks the server that would charge it, and says what publish asks for later', async () => {
    const { software, file } = await aSoftware();
    const source = file.replace(/\.tsg$/, '');
    for (const input of [source, `${source}.build`, file]) {
      const { code, json: quoted } = await json(['quote', input, '--targets', '100']);
      expect([code, quoted]).toMatchObject([
        0,
        {
          oneOff: { totalYen: 29_480 },
          monthly: { baseYen: 11_000, targetsYen: 11_000, totalYen: 22_000 },
          items: [{ software, work: 'new' }],
        },
      ]);
    }
    expect(JSON.stringify((await json(['publish', '--list'])).json)).not.toContain(software);
    const { price } = (await json(['publish', file, '--yes'])).json as { price: object };
    expect(price).toMatchObject(w1);
    const next = await aSoftware('1.1.0', software);
    const change = await kit.tsugite(['quote', next.file]);
    expect([change.code, change.out]).toEqual([0, expect.stringMatching(/変更[\s\S]*26,400 円[\s\S]*現在の月額[\s\S]*11,000 円/)]);
  });

  test('takes sizes in place of files, and one work alone', async () => {
    const sizes = ['--software', 'planned.demo', '--stored', '4999999', '--installed', '1499999', '--targets', '100'];
    expect((await json(['quote', ...sizes])).json).toMatchObject({ oneOff: { totalYen: 29_480 }, monthly: { totalYen: 22_000 } });
    expect(await json(['quote', '--software', 'planned.demo', '--stored', '25000000', '--installed', '1'])).toMatchObject({
      code: 3,
      json: { number: 'E302' },
    });
    expect((await json(['quote', '--software', 'planned.demo', '--stored', '5100000', '--installed', '1'])).json).toMatchObject({
      items: [{ sizes: { menu: 2, otherReading: { menu: 1 } } }],
    });
    const { software, file } = await aSoftware();
    await kit.tsugite(['publish', file, '--yes']);
    expect((await json(['quote', '--software', software, '--work', 'other'])).json).toMatchObject({
      oneOff: { totalYen: 5_500 },
      items: [{ sizes: null }],
    });
    for (const wrong of [
      [],
      ['--software', 'X'],
      ['--software', 'a.b', '--stored', '1'],
      [file, '--software', 'a.b'],
      [file, '--targets', 'many'],
    ])
      expect(await json(['quote', ...wrong])).toMatchObject({ code: 2 });
  });
});

describe('publish', () => {
  test('without a terminal and without --yes refuses, and charges nothing', async () => {
    const { software, file } = await aSoftware();
    const { code, json: answer, err } = await json(['publish', file]);
    expect([code, answer]).toMatchObject([3, { number: 'E722', kind: 'no-terminal', expected: w1 }]);
    expect(err).toContain('29,480 円');
    expect(await orders(software)).toEqual([]);
    expect((await json(['publish', '--list'])).json.uploads).toMatchObject([{ software }]);
  });

  test('asks, takes no for no, and yes for yes', async () => {
    const { software, file } = await aSoftware();
    expect(await json(['publish', file], { person: ['no'] })).toMatchObject({ code: 3, json: { number: 'E722', kind: 'declined' } });
    expect(await json(['publish', file], { person: [''] })).toMatchObject({ code: 3 });
    expect(kit.asked.at(-1)).toContain('29,480 円');
    expect(await orders(software)).toEqual([]);
    const { code, out } = await kit.tsugite(['publish', file], { person: ['yes'] });
    expect([code, out]).toEqual([0, expect.stringContaining('公開しました')]);
    expect(await orders(software)).toMatchObject([{ state: 'COMPLETED' }]);
  });

  test('with --yes shows the price and progress on standard error, and one object on standard output', async () => {
    const { software, file } = await aSoftware();
    const { code, err, json: answer } = await json(['publish', file, '--yes']);
    expect([code, answer]).toMatchObject([
      0,
      {
        ok: true,
        price: { ...w1, firstChargedMonth: expect.stringMatching(/^\d{4}-\d{2}$/) },
        order: { state: 'COMPLETED', isRepeat: false, items: [{ software }] },
      },
    ]);
    expect(err).toContain('100 %');
    expect(err).toMatch(/新設[\s\S]*一時費用[\s\S]*29,480 円/);
  });

  test('again charges nothing and says so; a higher version is a change', async () => {
    const { software, file } = await aSoftware();
    await kit.tsugite(['publish', file, '--yes']);
    expect(await json(['publish', file, '--yes'])).toMatchObject({ code: 0, json: { order: null, uploads: [{ state: 'ADMITTED' }] } });
    const next = await aSoftware('1.1.0', software);
    expect((await json(['publish', next.file, '--yes'])).json).toMatchObject({
      price: { oneOffYen: 26_400 },
      order: { items: [{ work: 'change' }] },
    });
    expect(await orders(software)).toHaveLength(2);
  });

  test('W13: two software given together are one work order', async () => {
    const [one, two] = [await aSoftware(), await aSoftware()];
    expect((await json(['publish', one.file, two.file, '--yes'])).json).toMatchObject({ price: { oneOffYen: 57_860, monthlyYen: 22_000 } });
    expect(await orders(one.software)).toEqual(await orders(two.software));
  });

  test('sends nothing at all when one of the files cannot be', async () => {
    const { software, file } = await aSoftware();
    writeFileSync(at('large.tsg'), Buffer.alloc(25_000_000));
    expect(await json(['publish', file, at('large.tsg'), '--yes'])).toMatchObject({ code: 3, json: { number: 'E302' } });
    expect(await json(['publish', file, at('nowhere.tsg'), '--yes'])).toMatchObject({ code: 1, json: { number: 'E937' } });
    expect(JSON.stringify((await json(['publish', '--list'])).json)).not.toContain(software);
  });

  test('passes on what the server refuses, with number and remedy', async () => {
    const { file } = await aSoftware();
    const bytes = readFileSync(file);
    bytes[bytes.length - 2000] = (bytes[bytes.length - 2000] ?? 0) ^ 1;
    writeFileSync(at('broken.tsg'), bytes);
    const { code, json: answer } = await json(['publish', at('broken.tsg'), '--yes']);
    expect([code, answer]).toMatchObject([3, { ok: false, number: expect.stringMatching(/^E2/), remedy: { ja: expect.any(String) } }]);
  });

  test('drops an upload when asked', async () => {
    const { file, software } = await aSoftware();
    await kit.tsugite(['publish', file]);
    const { uploads } = (await json(['publish', '--list'])).json as { uploads: { release: string; software: string }[] };
    const { release } = uploads.find((one) => one.software === software) as { release: string };
    expect((await json(['publish', '--discard', release])).json).toMatchObject({ discarded: true });
    expect(await json(['publish', '--discard', release])).toMatchObject({ code: 1, json: { code: 'NOT_FOUND' } });
  });
});

describe('a line that breaks', () => {
  const onLine = async (cuts: Parameters<typeof aBreakingLine>[1], file: string) => {
    const line = await aBreakingLine(portOf(server.api), cuts);
    const result = await json(['publish', file, '--yes'], { environment: { server: line.url, token } });
    await line.stop();
    return { ...result, connections: line.connections() };
  };

  test.each([
    ['in the middle of the upload, twice', [{ afterSent: 3_000 }, { afterSent: 6_000 }], 5],
    ['before the answer to the upload comes', [{ afterAnswered: 1 }], 4],
    ['before the answer to the registration comes', [{}, {}, { afterAnswered: 1 }], 4],
    ['everywhere once', [{ afterAnswered: 1 }, {}, { afterAnswered: 1 }, {}, { afterAnswered: 1 }], 6],
  ])('%s: the upload is one, the order is one', async (_, cuts, connections) => {
    const { software, file } = await aSoftware();
    const result = await onLine(cuts, file);
    expect([result.code, result.connections]).toEqual([0, connections]);
    expect(await orders(software)).toMatchObject([{ state: 'COMPLETED' }]);
  });

  test('for good ends with its number, and the same command goes on later', async () => {
    const { software, file } = await aSoftware();
    expect(
      await onLine(
        Array.from({ length: 9 }, () => ({ afterSent: 1 })),
        file,
      ),
    ).toMatchObject({ code: 1, connections: 4, json: { number: 'E403' } });
    expect(await orders(software)).toEqual([]);
    expect((await json(['publish', file, '--yes'])).code).toBe(0);
  });
});

describe('order and halt', () => {
  let software: string;
  let customers = 0;
  const aCustomer = async (...more: string[]) => {
    customers += 1;
    const id = `CAF7${String(customers).padStart(7, '0')}`;
    await operator.does(
      'customer',
      'add',
      '--customer-id',
      id,
      '--line',
      'NEXT_OTHER',
      '--hgw',
      'PR-400KI',
      '--denwa',
      'STANDARD',
      ...more,
    );
    return id;
  };
  beforeAll(async () => {
    const made = await aSoftware();
    software = made.software;
    await kit.tsugite(['publish', made.file, '--yes']);
  });

  test('takes the お客さまID from a file, standard input or the terminal, and shows it nowhere', async () => {
    const ids = [await aCustomer(), await aCustomer(), await aCustomer()] as const;
    writeFileSync(at('id.txt'), `${ids[0]}\n`);
    const consent = ['--consent', 'A-1'];
    const results = [
      await json(['order', software, '--customer-id-file', at('id.txt'), ...consent]),
      await json(['order', software, '--customer-id-file', '-', ...consent], { input: ids[1] }),
      await json(['order', software, ...consent], { person: [ids[2]] }),
    ];
    for (const { code, out, err, json: answer } of results) {
      expect([code, answer]).toMatchObject([0, { software, state: 'READY', isRepeat: false }]);
      for (const id of ids) expect(out + err).not.toContain(id);
    }
    const again = await json(['order', software, '--customer-id-file', at('id.txt'), ...consent]);
    expect(again.json).toMatchObject({ target: results[0]?.json.target, isRepeat: true });
  });

  test('without consent, or for an unknown customer, is refused with its number', async () => {
    const id = await aCustomer();
    expect(await json(['order', software], { input: id })).toMatchObject({ code: 3, json: { number: 'E710' } });
    const unknown = await json(['order', software, '--consent', 'A-2'], { input: 'CAF00000000' });
    expect([unknown.code, unknown.json.number]).toEqual([3, 'E112']);
    expect(unknown.out).not.toContain('CAF00000000');
    expect(await json(['order', software, '--consent', 'A-2', '--consent-at', 'yesterday'], { input: id })).toMatchObject({ code: 2 });
    expect(await json(['order', software, '--consent', 'A-2'], { input: ' ' })).toMatchObject({ code: 2 });
  });

  test('takes a table: each line on its own, and the same table again orders nothing twice', async () => {
    const [good, bad] = [await aCustomer(), await aCustomer('--line-cancelled', 'yes')];
    const table = `\uFEFFお客さまID,申込番号,申込日時\r\n${good},B-1,2026-11-20T10:00:00+09:00\r\n"${bad}",B-2,2026-11-20T10:00:00+09:00\r\n`;
    writeFileSync(at('orders.csv'), table);
    const first = await json(['order', software, '--csv', at('orders.csv')]);
    expect([first.code, first.json]).toMatchObject([
      3,
      {
        number: 'E729',
        detail: {
          refused: 1,
          of: 2,
          orders: [
            { line: 2, state: 'READY', isRepeat: false },
            { line: 3, number: 'E100' },
          ],
        },
      },
    ]);
    for (const id of [good, bad]) expect(first.out + first.err).not.toContain(id);
    const again = await json(['order', software, '--csv', '-'], { input: table });
    expect(again.json.detail).toMatchObject({ orders: [{ line: 2, isRepeat: true }, { line: 3 }] });
  });

  test('takes no table that has a fault', async () => {
    const id = await aCustomer();
    const {
      code,
      json: answer,
      out,
    } = await json(['order', software, '--csv', '-'], { input: `customerId,consent\n${id},C-1\n${id},C-2\n,C-3\n` });
    expect([code, answer.number]).toEqual([1, 'E932']);
    expect(out).not.toContain(id);
    expect((await json(['order', software, '--consent', 'C-1'], { input: id })).json).toMatchObject({ isRepeat: false });
  });

  test('halt stops new installs, is told how many, and is undone by --resume', async () => {
    expect(await json(['halt', software, '1.0.0'])).toMatchObject({ code: 2 });
    expect((await json(['halt', software, '1.0.0', '--reason', 'crashes'])).json).toMatchObject({
      state: 'HALTED',
      haltedBy: 'provider',
      running: 0,
      waiting: expect.any(Number),
    });
    const id = await aCustomer();
    expect(await json(['order', software, '--consent', 'D-1'], { input: id })).toMatchObject({ code: 3, json: { number: 'E715' } });
    await operator.does('release', 'halt', software, '1.0.0', '--reason', 'complaints');
    expect(await json(['halt', software, '1.0.0', '--resume', '--reason', 'fixed'])).toMatchObject({ code: 3, json: { number: 'E724' } });
    await operator.does('release', 'resume', software, '1.0.0', '--reason', 'checked');
    expect((await kit.tsugite(['halt', software, '1.0.0', '--resume', '--reason', 'x'])).out).toContain('解除');
  });
});

test('every verb has its help, with --json', async () => {
  for (const verb of [
    'login',
    'logout',
    'quote',
    'publish',
    'order',
    'halt',
    'report',
    'certificate request',
    'certificate fetch',
    'certificate list',
  ]) {
    const { code, out } = await kit.tsugite([...verb.split(' '), '--help']);
    expect([code, out]).toEqual([0, expect.stringContaining(`Usage: tsugite ${verb}`)]);
    expect(out).toContain('--json');
  }
});
