import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type GatewayId, gatewayId } from '../../protocol/fields.ts';
import { parseInvitation } from '../../protocol/messages/invitation.ts';
import { est } from '../../protocol/routes.ts';
import { topicOf } from '../../protocol/topics.ts';
import { openDatabase } from '../../server/adapters/database.ts';
import { aRequest, certificateIn } from '../support/gateway-pki.ts';
import { type ClientIdentity, httpsRequest } from '../support/gateway-side.ts';
import { connectMqtt, type TestClient } from '../support/mqtt-client.ts';
import { anInstallation, databaseOf, type RunningServer, runVerb, startServer } from '../support/server-process.ts';

const gateway: GatewayId = gatewayId.parse('gw-killed-0001');
const epoch = 'd'.repeat(32);
const reportsUntilKill = 40;
let dir: string;
let token: string;
let server: RunningServer;

beforeAll(async () => {
  dir = mkdtempSync(path.join(tmpdir(), 'tsugite-killed-'));
  ({ token } = await anInstallation(dir));
});
afterAll(async () => {
  server.process.kill('SIGKILL');
  await server.ended();
  // The database ends with the server, a moment later: a start and an orderly stop leave nothing behind.
  server = await startServer(dir);
  server.process.kill('SIGTERM');
  expect(await server.ended()).toBe(0);
  rmSync(dir, { recursive: true, force: true });
});

const portOf = (url: string): number => Number(new URL(url).port);
const verb = (...args: string[]) => runVerb([...args, '--json'], { TSUGITE_TOKEN: token, TSUGITE_SERVER: server.api });

async function enrol(): Promise<ClientIdentity & { serverCaPem: string }> {
  expect(await verb('gateway', 'add', gateway, '--model', 'PR-500KI')).toMatchObject({ code: 0 });
  const file = path.join(dir, 'invitation.json');
  expect(await verb('gateway', 'invite', gateway, '--out', file)).toMatchObject({ code: 0 });
  const invitation = parseInvitation(readFileSync(file));
  const serverCaPem = invitation.serverCas.join('');
  const request = await aRequest(gateway);
  const headers = { authorization: `Basic ${Buffer.from(`${gateway}:${invitation.token}`).toString('base64')}` };
  const answer = await httpsRequest(portOf(server.https), serverCaPem, 'POST', est.simpleenroll, { headers, body: request.base64 });
  expect(answer.status).toBe(200);
  return { serverCaPem, keyPem: request.keyPem, ...certificateIn(answer.body.toString()) };
}

/** Sends one report after the other until the connection ends, as an outbox that fills up all the time. */
async function keepReporting(client: TestClient, from: number): Promise<void> {
  for (let seq = from; client.client.connected; seq += 1) {
    const report = { v: 1, epoch, seq, at: '2026-11-22T00:00:00Z', kind: 'supervisor', detail: { seq } };
    const isLost = await client.publish(topicOf(gateway, 'report'), JSON.stringify(report)).then(
      () => false,
      () => true,
    );
    if (isLost) return;
  }
}

async function storedReports(): Promise<number[]> {
  const db = openDatabase(databaseOf(dir));
  const rows = await db.query<{ seq: number }>('SELECT seq FROM reports ORDER BY seq');
  await db.close();
  return rows.map(({ seq }) => seq);
}

test('kill -9 of the server loses no report that it has acknowledged, and stores none twice', async () => {
  server = await startServer(dir);
  const identity = await enrol();
  let upTo = 0;
  for (const round of [1, 2, 3]) {
    const client = await connectMqtt(portOf(server.mqtt), identity, identity.serverCaPem, { clientId: gateway });
    await client.subscribe({ [topicOf(gateway, 'ack')]: { qos: 0 } });
    const before = upTo;
    client.client.on('message', (_topic, payload) => {
      upTo = Math.max(upTo, (JSON.parse(payload.toString()) as { upTo: number }).upTo);
      if (upTo >= before + reportsUntilKill) server.process.kill('SIGKILL');
    });
    const reporting = keepReporting(client, upTo + 1);
    await client.closed();
    client.client.end(true);
    await reporting;
    await server.ended();

    server = await startServer(dir);
    const stored = await storedReports();
    expect([round, stored.slice(0, upTo)]).toEqual([round, Array.from({ length: upTo }, (_, index) => index + 1)]);
    expect(upTo).toBeGreaterThanOrEqual(before + reportsUntilKill);
    expect(new Set(stored).size).toBe(stored.length);
  }
}, 60_000);
