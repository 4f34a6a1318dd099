/** A running server with a provider, a customer and one gateway: real packages, real enrolment, the gateway's side of MQTT and HTTPS by hand. */
import { createHash } from 'node:crypto';
import { mkdirSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { parseEnvelope, payloadOf } from '../../protocol/dsse.ts';
import { type GatewayId, gatewayId } from '../../protocol/fields.ts';
import { parseInvitation } from '../../protocol/messages/invitation.ts';
import { est } from '../../protocol/routes.ts';
import { type Notice, parseNotice } from '../../protocol/statements/notice.ts';
import { topicOf } from '../../protocol/topics.ts';
import { aRequest, certificateIn } from './gateway-pki.ts';
import { type ClientIdentity, httpsRequest } from './gateway-side.ts';
import { connectMqtt, type TestClient } from './mqtt-client.ts';
import { type Ran, type RunningServer, runVerb } from './server-process.ts';
import { tsugite } from './tsugite.ts';

const software = 'demo.ipv4';
const model = 'PR-500KI';
export const portOf = (url: string): number => Number(new URL(url).port);

/** The operator's command line, to whichever server runs now. */
export function anOperator(token: string) {
  let api = '';
  const run = (...args: string[]): Promise<Ran> => runVerb([...args, '--json'], { TSUGITE_TOKEN: token, TSUGITE_SERVER: api });
  return {
    at: (server: RunningServer) => {
      api = server.api;
    },
    run,
    /** Fails the test when the verb does. */
    does: async (...args: string[]): Promise<Record<string, unknown>> => {
      const ran = await run(...args);
      if (ran.code !== 0) throw new Error(`${args.join(' ')}: ${ran.out}${ran.err}`);
      return ran.json;
    },
  };
}
export type Operator = ReturnType<typeof anOperator>;

/** A provider with its key and certificate. @returns what signs a version of its software */
export async function aProvider(operator: Operator): Promise<(version: string) => Promise<string>> {
  const folder = mkdtempSync(path.join(tmpdir(), 'tsugite-provider-'));
  const at = (...parts: string[]) => path.join(folder, ...parts);
  await tsugite('keygen', '--provider', 'demo', '--org', '株式会社デモ', '--out', at('keys'));
  const csr = at('keys', 'provider.csr.pem');
  await operator.does('pki', 'issue-provider', '--csr', csr, '--provider', 'demo', '--out', at('chain.pem'));
  return async (version) => {
    const source = at(`source-${version}`);
    mkdirSync(source);
    await tsugite('init', source, '--provider', 'demo', '--software', software);
    const manifest = path.join(source, 'manifest.json');
    writeFileSync(manifest, JSON.stringify({ ...JSON.parse(readFileSync(manifest, 'utf8')), software, version, models: [model] }));
    const packed = await tsugite('pack', source, '--out', at(`build-${version}`), '--json');
    if (packed.code !== 0) throw new Error(packed.out + packed.err);
    const out = at(`${version}.tsg`);
    const key = at('keys', 'provider.key.pem');
    const signed = await tsugite('sign', at(`build-${version}`), '--key', key, '--cert', at('chain.pem'), '--out', out, '--json');
    if (signed.code !== 0) throw new Error(signed.out + signed.err);
    return out;
  };
}

/** A customer with a gateway that is enrolled, and an order for the software. */
export async function anOrderedGateway(operator: Operator, server: RunningServer) {
  const contract = ['--line', 'NEXT_OTHER', '--hgw', model, '--denwa', 'STANDARD'];
  const { site } = await operator.does('customer', 'add', '--customer-id', 'CAF00000001', ...contract);
  const gateway = gatewayId.parse('gw-delivered-01');
  await operator.does('gateway', 'add', gateway, '--model', model, '--site', String(site));
  const identity = await enrol(operator, server, gateway);
  const { target } = await operator.does('target', 'order', software, '--customer-id', 'CAF00000001', '--consent', 'A-1');
  return { gateway, target: String(target), identity };
}

type Identity = ClientIdentity & { serverCaPem: string };

async function enrol(operator: Operator, server: RunningServer, gateway: GatewayId): Promise<Identity> {
  const file = path.join(mkdtempSync(path.join(tmpdir(), 'tsugite-invitation-')), 'invitation.json');
  await operator.does('gateway', 'invite', gateway, '--out', file);
  const invitation = parseInvitation(readFileSync(file));
  const serverCaPem = invitation.serverCas.join('');
  const request = await aRequest(gateway);
  const headers = { authorization: `Basic ${Buffer.from(`${gateway}:${invitation.token}`).toString('base64')}` };
  const answer = await httpsRequest(portOf(server.https), serverCaPem, 'POST', est.simpleenroll, { headers, body: request.base64 });
  if (answer.status !== 200) throw new Error(`enrolment: ${answer.status}`);
  return { serverCaPem, keyPem: request.keyPem, ...certificateIn(answer.body.toString()) };
}

/** What a gateway keeps over its connections: its mark, and the number of its last report. */
export function aGatewayMemory(gateway: GatewayId, identity: Identity) {
  let mark: { version: number; sha256: string } | null = null;
  let seq = 0;
  return {
    mark: () => mark,
    connect: async (server: RunningServer) => {
      const client = await connectMqtt(portOf(server.mqtt), identity, identity.serverCaPem, { clientId: gateway, clean: false });
      await client.subscribe({ [topicOf(gateway, 'notice')]: { qos: 1 }, [topicOf(gateway, 'ack')]: { qos: 0 } });
      const about = { agent: '1.0.0', model, firmware: '08.00.0004', node: '20.20.2', arch: 'x64', speaks: [1] };
      const birth = { v: 1, online: true, epoch: 'e'.repeat(32), bootId: 'b'.repeat(32), ...about, appliedNotice: mark, rootVersion: 1 };
      await client.publish(topicOf(gateway, 'presence'), JSON.stringify(birth), { retain: true });
      return {
        client,
        notices: (): Notice[] =>
          client.heard.filter(({ topic }) => topic === topicOf(gateway, 'notice')).map(({ payload }) => open(payload)),
        /** Waits for a notice that `isWanted`, and applies it. */
        applies: async (isWanted: (notice: Notice) => boolean): Promise<Notice> => {
          const { payload } = await client.hears(topicOf(gateway, 'notice'), (bytes) => isWanted(open(bytes)));
          const notice = open(payload);
          mark = { version: notice.version, sha256: createHash('sha256').update(payload).digest('hex') };
          return notice;
        },
        downloads: async ({ package: { sha256 } }: Notice['targets'][number]): Promise<boolean> => {
          const answer = await httpsRequest(portOf(server.https), identity.serverCaPem, 'GET', `/packages/${sha256}`, { as: identity });
          return answer.status === 200 && createHash('sha256').update(answer.body).digest('hex') === sha256;
        },
        reports: async (report: Record<string, unknown>): Promise<void> => {
          seq += 1;
          const whole = { v: 1, epoch: 'e'.repeat(32), seq, at: '2026-11-22T00:00:00Z', ...report };
          await client.publish(topicOf(gateway, 'report'), JSON.stringify(whole));
          await acknowledged(client, gateway, seq);
        },
      };
    },
  };
}

function open(envelope: Buffer): Notice {
  return parseNotice(payloadOf(parseEnvelope(envelope)));
}

async function acknowledged(client: TestClient, gateway: GatewayId, seq: number): Promise<void> {
  await client.hears(topicOf(gateway, 'ack'), (bytes) => (JSON.parse(bytes.toString()) as { upTo: number }).upTo >= seq);
}
