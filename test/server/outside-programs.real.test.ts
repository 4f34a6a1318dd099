/** An operator puts a mosquitto beside the server, by the command line alone. */
import { type ChildProcess, execFileSync } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, onTestFinished, test, vi } from 'vitest';
import { est } from '../../protocol/routes.ts';
import { topicOf } from '../../protocol/topics.ts';
import { aBirth } from '../support/birth.ts';
import { aFreePort } from '../support/free-port.ts';
import { aRequest, certificateIn } from '../support/gateway-pki.ts';
import { httpsRequest } from '../support/gateway-side.ts';
import { giveToMosquitto, mosquittoAccount, startMosquitto } from '../support/mosquitto.ts';
import { connectMqtt } from '../support/mqtt-client.ts';
import { openssl } from '../support/openssl.ts';
import { anInstallation, askApi, type RunningServer, runVerb, serverFile, startServer } from '../support/server-process.ts';

const patience = { timeout: 20_000, interval: 50 };
let folder: string;
let data: string;
let files: string;
let token: string;
let port: number;
let serverPort: number;
let server: RunningServer;
let mosquitto: ChildProcess;

beforeAll(async () => {
  folder = mkdtempSync(path.join(tmpdir(), 'tsugite-outside-'));
  chmodSync(folder, 0o711);
  [data, files] = [path.join(folder, 'data'), path.join(folder, 'files')];
  mkdirSync(path.join(folder, 'state'));
  [port, serverPort] = [await aFreePort(), await aFreePort()];
  ({ token } = await anInstallation(data));
  writeFileSync(path.join(folder, 'token'), token, { mode: 0o600 });
  const config = { people: { port: 0 }, gateways: { https: { port: 0 }, mqtt: { port } } };
  writeFileSync(path.join(data, 'config.json'), JSON.stringify(config));
  const state = path.join(folder, 'state');
  const written = await runVerb(pkiMosquitto('--out', files, '--account', mosquittoAccount, '--state', state));
  expect(written).toMatchObject({ code: 0, json: { out: files, url: `mqtts://127.0.0.1:${serverPort}` } });
  giveToMosquitto(folder);
  mosquitto = await startMosquitto(files, port);
  server = await startServer(data, { MQTT_URL: String(written.json.url) });
});
afterAll(async () => {
  server?.process.kill('SIGTERM');
  await server?.ended();
  mosquitto?.kill();
  rmSync(folder, { recursive: true, force: true });
});

const pkiMosquitto = (...more: string[]) => [
  'pki',
  'mosquitto',
  '--data',
  data,
  '--server-listen',
  `127.0.0.1:${serverPort}`,
  ...more,
  '--json',
];
const modeOf = (file: string) => (statSync(file).mode & 0o777).toString(8);

async function anEnrolledGateway(gateway: string) {
  const made = await askApi(server.api, token, 'POST', '/gateways', { gateway, model: 'PR-500KI' });
  expect(made.status).toBe(201);
  const file = path.join(folder, `${gateway}.json`);
  const there = ['--server', server.api, '--token-file', path.join(folder, 'token')];
  expect((await runVerb(['gateway', 'invite', gateway, '--out', file, ...there])).code).toBe(0);
  const invitation = JSON.parse(readFileSync(file, 'utf8'));
  expect(invitation.mqtt).toBe(`mqtts://127.0.0.1:${port}`);
  const serverCaPem = invitation.serverCas[0];
  const { base64, keyPem } = await aRequest(gateway);
  const authorization = `Basic ${Buffer.from(`${gateway}:${invitation.token}`).toString('base64')}`;
  const headers = { authorization, 'content-type': 'application/pkcs10' };
  const answer = await httpsRequest(Number(new URL(server.https).port), serverCaPem, 'POST', est.simpleenroll, { headers, body: base64 });
  const connect = () => connectMqtt(port, { keyPem, ...certificateIn(answer.body.toString()) }, serverCaPem, { clientId: gateway });
  return { connect };
}

test('a gateway is invited to the mosquitto, is born there, and gets its notice from the server behind it', async () => {
  const { connect } = await anEnrolledGateway('gw-outside-0001');
  const client = await connect();
  await client.subscribe({ [topicOf('gw-outside-0001' as never, 'notice')]: { qos: 1 } });
  await client.publish(topicOf('gw-outside-0001' as never, 'presence'), aBirth(), { retain: true });
  const { payload } = await client.hears(topicOf('gw-outside-0001' as never, 'notice'));
  expect(JSON.parse(payload.toString())).toMatchObject({ payloadType: 'application/vnd.tsugite.notice+json' });
  await client.end();
});

test('what the timer runs brings a blocked gateway’s certificates to the mosquitto, and leaves an unchanged list alone', async () => {
  const { connect } = await anEnrolledGateway('gw-outside-0002');
  await (await connect()).end();
  const bin = path.join(folder, 'bin');
  mkdirSync(bin);
  writeFileSync(path.join(bin, 'tsugite-server'), `#!/bin/sh\nexec ${process.execPath} ${await serverFile()} "$@"\n`, { mode: 0o755 });
  writeFileSync(path.join(bin, 'reload'), `#!/bin/sh\nkill -HUP ${mosquitto.pid}\necho again >>${folder}/reloads\n`, { mode: 0o755 });
  const refresh = () =>
    execFileSync(path.join(files, 'refresh-crl'), ['--server', server.api, '--token-file', path.join(folder, 'token')], {
      env: {
        ...process.env,
        PATH: `${bin}:${process.env.PATH}`,
        TSUGITE_RELOAD: path.join(bin, 'reload'),
      },
    });
  const reloads = () => readFileSync(path.join(folder, 'reloads'), 'utf8').split('\n').length - 1;
  refresh();
  refresh();
  expect(reloads()).toBe(1); // the empty list that the folder came with, and the first of the server
  await askApi(server.api, token, 'POST', '/gateways/gw-outside-0002/block', { reason: 'test' });
  refresh();
  expect(reloads()).toBe(2);
  await vi.waitFor(() => expect(connect()).rejects.toThrow(/revoked/), patience);
  const listed = openssl([
    'crl',
    '-in',
    path.join(files, 'crl.pem'),
    '-noout',
    '-text',
    '-CAfile',
    path.join(files, 'device-ca.pem'),
  ]).toString();
  expect(listed).toMatch(/CRL Number: \n\s+2\n/);
  expect(listed.match(/Serial Number:/g)).toHaveLength(1);
});

test('the folder is written once: nothing in it is ever replaced', async () => {
  const again = await runVerb(pkiMosquitto('--out', files));
  expect(again).toMatchObject({ code: 1, json: { code: 'FILE_EXISTS' } });
});

test('keys are for their owners, and the same certificate of the server serves a second folder', async () => {
  expect([modeOf(path.join(files, 'server.key.pem')), modeOf(path.join(data, 'pki', 'broker-client.key.pem'))]).toEqual(['600', '600']);
  const certificate = readFileSync(path.join(data, 'pki', 'broker-client.pem'), 'utf8');
  expect(openssl(['x509', '-noout', '-subject', '-ext', 'extendedKeyUsage'], certificate).toString()).toBe(
    'subject=CN = tsugite.server\nX509v3 Extended Key Usage: \n    TLS Web Client Authentication\n',
  );
  const second = path.join(folder, 'second');
  expect((await runVerb(pkiMosquitto('--out', second, '--place', '/etc/mosquitto/tsugite', '--listen', '0.0.0.0:8883'))).code).toBe(0);
  expect(readFileSync(path.join(data, 'pki', 'broker-client.pem'), 'utf8')).toBe(certificate);
  const configuration = readFileSync(path.join(second, 'mosquitto.conf'), 'utf8');
  expect(configuration).toContain('listener 8883 0.0.0.0\n');
  expect(configuration).toContain('acl_file /etc/mosquitto/tsugite/acl\n');
});

test.each([
  ['--listen', '0.0.0.0'],
  ['--server-listen', '127.0.0.1:99999'],
  ['--account', 'mosquitto\nallow_anonymous true'],
  ['--place', '/etc/a b'],
])('%s %j is refused before anything is written', async (option, value) => {
  const out = path.join(folder, 'never');
  const refused = await runVerb(['pki', 'mosquitto', '--data', data, '--out', out, option, value, '--json']);
  expect(refused).toMatchObject({ code: 2, json: { code: 'USAGE_WRONG' } });
  expect(() => statSync(out)).toThrow();
});

describe('a web server in front', () => {
  test('pki nginx writes what it needs, and the server then listens at the socket, for its group alone', async () => {
    const [behind, socketFolder, out] = ['behind', 'socket', 'nginx'].map((name) => path.join(folder, name)) as [string, string, string];
    await anInstallation(behind);
    mkdirSync(socketFolder);
    const socket = path.join(socketFolder, 'gateways.sock');
    const anyPort = { port: 0 };
    const gateways = { https: { host: '127.0.0.1', port: 8443 }, mqtt: anyPort, front: { socket } };
    writeFileSync(path.join(behind, 'config.json'), JSON.stringify({ people: anyPort, gateways }));
    const written = await runVerb([
      'pki',
      'nginx',
      '--data',
      behind,
      '--out',
      out,
      '--socket',
      socket,
      '--listen',
      '0.0.0.0:8443',
      '--json',
    ]);
    expect(written).toMatchObject({ code: 0, json: { out, socket, files: expect.arrayContaining(['gateways.conf', 'packages.conf']) } });
    const configuration = readFileSync(path.join(out, 'gateways.conf'), 'utf8');
    for (const line of [`server unix:${socket};`, 'listen 0.0.0.0:8443 ssl;', `alias ${behind}/packages/;`])
      expect(configuration).toContain(line);
    expect(modeOf(path.join(out, 'server.key.pem'))).toBe('600');

    writeFileSync(socket, 'of somebody else');
    const refused = await startServer(behind);
    onTestFinished(() => void refused.process.kill('SIGKILL'));
    expect(await refused.ended()).toBe(1);
    expect(readFileSync(socket, 'utf8')).toBe('of somebody else');
    rmSync(socket);
    const running = await startServer(behind);
    try {
      expect(running.https).toBe('https://127.0.0.1:8443');
      expect(modeOf(socket)).toBe('660');
      const [cacerts, packages] = await Promise.all([est.cacerts, `/packages/${'0'.repeat(64)}`].map((url) => statusAt(socket, url)));
      expect([cacerts, packages]).toEqual([200, 403]);
    } finally {
      running.process.kill('SIGKILL');
      await running.ended();
    }
    // What the killed one left there is in nobody's way.
    const again = await startServer(behind);
    expect(await statusAt(socket, est.cacerts)).toBe(200);
    again.process.kill('SIGTERM');
    await again.ended();
  });

  test('the addresses that init is given stand in the first root; one that is not https is refused', async () => {
    const dir = path.join(folder, 'with-bases');
    const init = (base: string) => runVerb(['init', '--data', dir, '--package-base', base, '--json']);
    expect(await init('http://packages.example')).toMatchObject({ code: 2, json: { code: 'USAGE_WRONG' } });
    expect((await init('https://packages.example:8444')).code).toBe(0);
    const envelope = JSON.parse(readFileSync(path.join(dir, 'pki', 'root.1.dsse.json'), 'utf8'));
    expect(JSON.parse(Buffer.from(envelope.payload, 'base64').toString()).packageBases).toEqual(['https://packages.example:8444']);
  });
});

function statusAt(socketPath: string, url: string): Promise<number | undefined> {
  return new Promise((resolve, reject) => {
    request({ socketPath, path: url }, (response) => {
      response.resume();
      resolve(response.statusCode);
    })
      .on('error', reject)
      .end();
  });
}
