import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { build } from 'esbuild';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { besideLibraries } from '../support/run-folder.ts';

/** The kit as a person meets it: a process on a real terminal (a pseudo-terminal made by script(1)). */
const program = path.join(besideLibraries(), 'kit.js');
const home = mkdtempSync(path.join(tmpdir(), 'tsugite-terminal-'));
const token = 'tsugite_secretsecretsecretsecret';
const price = { oneOffYen: 29_480, monthlyYen: 11_000, firstChargedMonth: '2026-12', releases: [] };
const answers: Record<string, object> = {
  '/api/v1/whoami': { name: 'x', role: 'provider', provider: 'demo', expires: '2027-01-01T00:00:00.000Z' },
  '/api/v1/uploads': {
    release: 'r1',
    software: 'a.demo',
    version: '1.0.0',
    state: 'MEASURED',
    isRepeat: false,
    admission: { kind: 'admit' },
  },
  '/api/v1/registrations/quote': price,
  '/api/v1/registrations': { order: 'o1', state: 'COMPLETED', completedAt: 'now', items: [{ software: 'a.demo', version: '1.0.0' }] },
};
let server: Server;
let url: string;
const asked: string[] = [];

beforeAll(async () => {
  await build({
    entryPoints: ['provider/main.ts'],
    outfile: program,
    bundle: true,
    platform: 'node',
    format: 'esm',
    target: 'node20',
    packages: 'external',
    logLevel: 'error',
  });
  server = createServer((request, response) => {
    asked.push(`${request.url} ${request.headers.authorization}`);
    request.resume().on('end', () => response.end(JSON.stringify(answers[request.url ?? ''])));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  writeFileSync(path.join(home, 'a.tsg'), 'x'.repeat(2000));
});
afterAll(() => void server.close());

/** @param typed  what a person types at each question that ends with the given text */
async function onTerminal(argv: string, typed: readonly [string, string][]): Promise<{ code: number; shown: string }> {
  const command = `${process.execPath} ${program} ${argv}`;
  const child = spawn('script', ['-qec', command, '/dev/null'], { env: { ...process.env, XDG_CONFIG_HOME: home, TERM: 'dumb' } });
  const waiting = [...typed];
  let shown = '';
  child.stdout.on('data', (bytes) => {
    shown += bytes;
    const [next] = waiting;
    if (next !== undefined && shown.includes(next[0])) {
      waiting.shift();
      child.stdin.write(next[1]);
    }
  });
  const code = await new Promise<number>((resolve) => child.on('close', (status) => resolve(status ?? -1)));
  return { code, shown };
}
const requests = (route: string) => asked.filter((one) => one.startsWith(`/api/v1/${route} `)).length;

test('a token that is typed is not shown, not even while it is typed', async () => {
  const { code, shown } = await onTerminal(`login ${url}`, [['token: ', `${token}\r`]]);
  expect([code, shown]).toEqual([0, expect.stringContaining('ログインしました')]);
  expect(shown).not.toContain('secret');
  expect(asked.at(-1)).toBe(`/api/v1/whoami Bearer ${token}`);
  expect(readFileSync(path.join(home, 'tsugite', 'servers.json'), 'utf8')).toContain(token);
});

test('yes at the terminal spends money; no, an empty line, Ctrl-C and Ctrl-D do not', async () => {
  const publish = (typed: string) => onTerminal(`publish ${path.join(home, 'a.tsg')}`, [['[yes/no]', typed]]);
  for (const typed of ['no\r', '\r', '\u0003', '\u0004', 'yess\r']) {
    const { code, shown } = await publish(typed);
    expect([JSON.stringify(typed), code, shown]).toEqual([JSON.stringify(typed), 3, expect.stringContaining('E722')]);
  }
  expect(requests('registrations')).toBe(0);
  const { code, shown } = await publish('yes\r');
  expect([code, shown]).toEqual([0, expect.stringContaining('公開しました')]);
  expect(requests('registrations')).toBe(1);
});
