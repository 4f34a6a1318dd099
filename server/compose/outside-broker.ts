import { type DataFolder, readText } from '../adapters/data-folder.ts';
import type { Connection } from '../adapters/database.ts';
import { makeTurn } from '../adapters/turn.ts';
import type { ServerConfig } from '../config.ts';
import type { BrokerAccess, OutsideBroker } from '../ports/gateways.ts';
import type { Clock, Log } from '../ports.ts';
import { brokerUser } from '../rules/broker-user.ts';

/**
 * The broker that the settings name, if they do.
 *
 * @throws TsugiteError FILE_UNREADABLE: a certificate or password that is not there
 */
export function outsideBroker(
  folder: DataFolder,
  config: Pick<ServerConfig, 'broker' | 'gateways'>,
  parts: { connection: Connection; clock: Clock; log: Log },
): { broker?: OutsideBroker } {
  const { url, ca } = config.broker;
  if (url === undefined) return {};
  const isSecure = url.startsWith('mqtts:');
  const access = {
    url,
    clientId: brokerUser,
    ...(isSecure && { caPem: readText(ca ?? `${folder.serverCa}.pem`) }),
    ...identityOf(folder, config.broker, isSecure),
  };
  return { broker: { access, publicPort: config.gateways.mqtt.port, turn: makeTurn(parts) } };
}

function identityOf(
  folder: DataFolder,
  { certificate = `${folder.brokerClient}.pem`, key = `${folder.brokerClient}.key.pem`, username, passwordFile }: ServerConfig['broker'],
  isSecure: boolean,
): Pick<BrokerAccess, 'certificate' | 'password'> {
  if (username !== undefined && passwordFile !== undefined)
    return { password: { username, password: readText(passwordFile).replace(/\r?\n$/, '') } };
  // Without TLS nothing proves who we are: a broker on this machine that lets us in by that alone.
  return isSecure ? { certificate: { certPem: readText(certificate), keyPem: readText(key) } } : {};
}
