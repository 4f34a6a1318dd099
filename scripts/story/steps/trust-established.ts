import { createPublicKey, verify } from 'node:crypto';
import { readFileSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { wanAddress } from '../../../provider/emulator/index.ts';
import { get, must, mustBe } from '../look.ts';
import { commandOf, factsOf, isBelow, processesWhere } from '../processes.ts';
import { startServer, tellProgram } from '../programs.ts';
import type { Step } from '../story.ts';
import type { World } from '../world.ts';

type Root = { version: number; keys: Record<string, { spki: string }>; roles: { root: { keyids: string[]; threshold: number } } };

export const trustEstablished: Step<World> = {
  id: 'trust-established',
  tells: '信頼の起点と配信サーバー / root of trust, authorities, server',
  async run(world) {
    const { serverData, ports, tokenFile } = world;
    const config = path.join(world.folder, 'server.json');
    writeFileSync(config, JSON.stringify(configOf(world)));
    await tellProgram('server', ['init', '--data', serverData, '--config', config, '--public-host', wanAddress, '--token-out', tokenFile]);
    const { child, said } = await startServer(['run', '--data', serverData, '--config', config]);
    world.server = child;

    const serverCa = readFileSync(path.join(serverData, 'pki/server-ca.pem'), 'utf8');
    const answer = await get(`https://127.0.0.1:${ports.https}/root/1`, { ca: serverCa });
    mustBe('GET /root/1 over TLS with the server CA', [answer.status, answer.tls], [200, 'TLSv1.3']);
    const signers = countSigners(answer.body);
    mustBe('different root keys that signed root 1', signers, 2);
    mustBe(
      'mode of the first offline key',
      (statSync(path.join(serverData, 'offline-root/root-1.key.pem')).mode & 0o777).toString(8),
      '600',
    );

    const database = processesWhere((pid, command) => /postgres/.test(command) && isBelow(pid, child.pid ?? -1));
    must('a private PostgreSQL that is not root', database.length > 0 && database.every((pid) => factsOf(pid).uid !== 0), {
      found: database.map(commandOf),
    });
    return { addresses: said, rootSigners: signers, databaseUid: factsOf(database[0] ?? 0).uid };
  },
};

function configOf({ ports, serverConfig }: World): object {
  return {
    people: { port: ports.api },
    gateways: { https: { port: ports.https }, mqtt: { port: ports.mqtt }, publicHost: wanAddress },
    operator: { name: '通信事業者（エミュレーション環境）' },
    // A few seconds instead of a minute: the story is told in one sitting.
    policy: { probationS: 3, jitterS: 0 },
    log: { level: 'warn' },
    ...serverConfig,
  };
}

/** Verified here by hand, apart from the product's own verifier. */
function countSigners(envelopeBytes: Buffer): number {
  const envelope = JSON.parse(envelopeBytes.toString()) as {
    payloadType: string;
    payload: string;
    signatures: { keyid: string; sig: string }[];
  };
  const payload = Buffer.from(envelope.payload, 'base64');
  const root = JSON.parse(payload.toString()) as Root;
  const signed = Buffer.concat([Buffer.from(`DSSEv1 ${envelope.payloadType.length} ${envelope.payloadType} ${payload.length} `), payload]);
  const good = envelope.signatures.filter(({ keyid, sig }) => {
    const spki = root.roles.root.keyids.includes(keyid) ? root.keys[keyid]?.spki : undefined;
    return (
      spki !== undefined &&
      verify(null, signed, createPublicKey({ key: Buffer.from(spki, 'base64'), format: 'der', type: 'spki' }), Buffer.from(sig, 'base64'))
    );
  });
  return new Set(good.map(({ keyid }) => keyid)).size;
}
