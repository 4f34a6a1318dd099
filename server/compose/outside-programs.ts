/** `tsugite-server pki mosquitto | nginx`: everything that these programs need to stand beside this installation, and our certificate for the broker. */
import { createPublicKey, generateKeyPairSync, type KeyObject } from 'node:crypto';
import { existsSync } from 'node:fs';
import { isIPv6 } from 'node:net';
import { resolve } from 'node:path';
import { limits } from '../../protocol/limits.ts';
import { systemClock } from '../adapters/clock.ts';
import { dataFolder, loadAuthority, readText, savePrivateKey, saveText, verifyInitialised } from '../adapters/data-folder.ts';
import { makeCrlMaker } from '../adapters/device-crl.ts';
import { filledFiles, writeFolder } from '../adapters/outside-files.ts';
import { beginningOfTime, issueLeaf } from '../adapters/x509.ts';
import type { Authority } from '../ports.ts';
import { brokerUser } from '../rules/broker-user.ts';

const clientCertificateYears = 10;
/** Room for the topic and MQTT's own bytes beside the largest envelope. */
const packetOverheadBytes = 512;

type Listener = { readonly host: string; readonly port: number };

export type MosquittoWishes = {
  /** Folder to write. */
  readonly out: string;
  /** Where the folder will lie when mosquitto runs; undefined: where it is written. */
  readonly place: string | undefined;
  readonly gateways: Listener;
  readonly server: Listener;
  readonly account: string;
  /** mosquitto's own folder, for what it keeps over a restart. */
  readonly state: string;
};

/** @throws TsugiteError NOT_INITIALISED · FILE_EXISTS */
export async function writeMosquittoFiles(dataDir: string, wishes: MosquittoWishes): Promise<{ out: string; files: string[] }> {
  const folder = dataFolder(dataDir);
  verifyInitialised(folder);
  const server = { certPem: readText(`${folder.server}.pem`), keyPem: readText(`${folder.server}.key.pem`) };
  const pki = { deviceCa: loadAuthority(folder.deviceCa), serverCaPem: readText(`${folder.serverCa}.pem`), server };
  const written = await writeMosquittoFolder(pki, wishes);
  if (!existsSync(`${folder.brokerClient}.pem`)) {
    const { key, certPem } = await issueBrokerClient(loadAuthority(folder.serverCa), systemClock.nowMs());
    savePrivateKey(`${folder.brokerClient}.key.pem`, key);
    saveText(`${folder.brokerClient}.pem`, certPem);
  }
  return written;
}

type Pki = { readonly deviceCa: Authority; readonly serverCaPem: string; readonly server: { certPem: string; keyPem: string } };

export async function writeMosquittoFolder(
  { deviceCa, serverCaPem, server }: Pki,
  wishes: MosquittoWishes,
): Promise<{ out: string; files: string[] }> {
  const values = {
    dir: resolve(wishes.place ?? wishes.out),
    host: wishes.gateways.host,
    port: wishes.gateways.port,
    serverHost: wishes.server.host,
    serverPort: wishes.server.port,
    account: wishes.account,
    state: resolve(wishes.state),
    brokerUser,
    maxPacketBytes: limits.envelopeBytes + packetOverheadBytes,
  };
  // Older than any list that the server will make; mosquitto does not start without one.
  const emptyCrl = await makeCrlMaker(deviceCa).make({ number: 0, thisUpdateMs: 0, revoked: [] });
  const readable = (name: string, text: string) => ({ name, text, mode: 0o644 });
  const files = [
    ...filledFiles('mosquitto', values),
    readable('device-ca.pem', deviceCa.certPem),
    readable('server-ca.pem', serverCaPem),
    readable('server.pem', server.certPem),
    { name: 'server.key.pem', text: server.keyPem, mode: 0o600 },
    readable('crl.pem', emptyCrl),
  ];
  writeFolder(wishes.out, files);
  return { out: resolve(wishes.out), files: files.map(({ name }) => name) };
}

export type NginxWishes = {
  readonly out: string;
  readonly place: string | undefined;
  /** In front of the gateways' side. */
  readonly gateways: Listener;
  /** Packages for whoever knows their digest. */
  readonly packages: Listener;
  readonly socket: string;
  /** Where nginx finds the package files. */
  readonly store: string;
};

/** @throws TsugiteError NOT_INITIALISED · FILE_EXISTS */
export async function writeNginxFiles(dataDir: string, wishes: Omit<NginxWishes, 'store'>): Promise<{ out: string; files: string[] }> {
  const folder = dataFolder(dataDir);
  verifyInitialised(folder);
  const server = { certPem: readText(`${folder.server}.pem`), keyPem: readText(`${folder.server}.key.pem`) };
  return writeNginxFolder(server, { ...wishes, store: folder.packages });
}

export function writeNginxFolder(server: Pki['server'], wishes: NginxWishes): { out: string; files: string[] } {
  const values = {
    dir: resolve(wishes.place ?? wishes.out),
    host: inConfiguration(wishes.gateways.host),
    port: wishes.gateways.port,
    packagesHost: inConfiguration(wishes.packages.host),
    packagesPort: wishes.packages.port,
    socket: wishes.socket,
    packages: resolve(wishes.store),
  };
  const files = [
    ...filledFiles('nginx', values),
    { name: 'server.pem', text: server.certPem, mode: 0o644 },
    { name: 'server.key.pem', text: server.keyPem, mode: 0o600 },
  ];
  writeFolder(wishes.out, files);
  return { out: resolve(wishes.out), files: files.map(({ name }) => name) };
}

function inConfiguration(host: string): string {
  return isIPv6(host) ? `[${host}]` : host;
}

/** By the authority of servers: a gateway's certificate can never be this one, nor the other way round. */
export async function issueBrokerClient(serverCa: Authority, nowMs: number): Promise<{ key: KeyObject; certPem: string }> {
  const notAfter = new Date(nowMs);
  notAfter.setUTCFullYear(notAfter.getUTCFullYear() + clientCertificateYears);
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const { pem } = await issueLeaf(serverCa, {
    subject: { commonName: brokerUser },
    publicKey: createPublicKey(privateKey),
    notBefore: beginningOfTime,
    notAfter,
    extendedKeyUsage: 'clientAuth',
    alternativeNames: [{ type: 'dns', value: brokerUser }],
  });
  return { key: privateKey, certPem: pem };
}
