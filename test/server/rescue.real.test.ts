import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { anInstallation, askApi, runVerb, startServer } from '../support/server-process.ts';

let dir: string;
let token: string;
beforeAll(async () => {
  dir = mkdtempSync(path.join(tmpdir(), 'tsugite-rescue-'));
  ({ token } = await anInstallation(dir));
});
afterAll(() => rmSync(dir, { recursive: true, force: true }));

test('an operator without a token gets one for a day on the stopped server’s machine, and the audit says so', async () => {
  const out = path.join(dir, 'rescued.token');
  const rescued = await runVerb(['token', 'rescue', '--data', dir, '--out', out, '--json']);
  expect([rescued.code, rescued.json.token]).toEqual([0, undefined]);
  expect(statSync(out).mode & 0o777).toBe(0o600);

  const server = await startServer(dir);
  try {
    const bearer = readFileSync(out, 'utf8').trim();
    const { body } = await askApi(server.api, bearer, 'GET', '/whoami');
    expect(body).toMatchObject({ role: 'operator', token: rescued.json.id });
    expect(Date.parse(String(body.expires)) - Date.now()).toBeLessThan(86_400_001);
    const audited = await askApi(server.api, bearer, 'GET', '/audit?action=token.create&limit=1');
    expect((audited.body.items as object[])[0]).toMatchObject({ subject: rescued.json.id, actor: expect.stringMatching(/^local:/) });

    const refused = await runVerb(['token', 'rescue', '--data', dir, '--json']);
    expect(refused).toMatchObject({ code: 1, json: { number: 'E934' } });

    const replaced = await runVerb(['token', 'replace', '--json'], { TSUGITE_TOKEN: token, TSUGITE_SERVER: server.api });
    expect(replaced.code).toBe(0);
    expect((await askApi(server.api, String(replaced.json.token), 'GET', '/whoami')).body).toMatchObject({ token: replaced.json.id });
  } finally {
    server.process.kill('SIGTERM');
    expect(await server.ended()).toBe(0);
  }
});
