import { createPrivateKey, X509Certificate } from 'node:crypto';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import * as z from 'zod/mini';
import { gatewayId, pem } from '../../protocol/fields.ts';
import type { IdentityStore } from '../ports/enrolment.ts';
import type { Identity } from '../ports.ts';
import { makeFolder, readFileIfAny, replaceFile, syncFolder } from './durable-file.ts';
import { makeJsonDocument } from './json-document.ts';

type Server = { v: 1 } & Pick<Identity, 'gateway' | 'https' | 'mqtt' | 'serverCasPem'>;
const server = z.strictObject({ v: z.literal(1), gateway: gatewayId, https: z.string(), mqtt: z.string(), serverCasPem: z.array(pem) });

/**
 * `<data>/identity/`, 0700: `private-key.pem`, `certificate.pem`, `server.json`. The certificate is written last: with it enrolment is complete.
 *
 * @throws TsugiteError STATE_DAMAGED · STORE_IO · DISK_FULL
 */
export function makeIdentityStore(dataDir: string): IdentityStore {
  const folder = join(dataDir, 'identity');
  const keyFile = join(folder, 'private-key.pem');
  const certificateFile = join(folder, 'certificate.pem');
  const document = makeJsonDocument<Server>(join(folder, 'server.json'), (value) => server.parse(value));
  const read = (file: string) => readFileIfAny(file)?.toString('utf8');

  return {
    load() {
      const privateKeyPem = read(keyFile);
      const certificatePem = read(certificateFile);
      if (privateKeyPem === undefined || certificatePem === undefined) return undefined;
      const known = document.load();
      if (known === undefined || !belongTogether(privateKeyPem, certificatePem)) return undefined;
      const { gateway, https, mqtt, serverCasPem } = known;
      return { gateway, https, mqtt, serverCasPem, privateKeyPem, certificatePem };
    },
    loadKey: () => read(keyFile),
    saveKey(privateKeyPem) {
      makeFolder(folder, 0o700);
      replaceFile(keyFile, privateKeyPem, { mode: 0o600 });
    },
    dropKey() {
      if (read(certificateFile) !== undefined) return;
      rmSync(folder, { recursive: true, force: true });
      syncFolder(dataDir);
    },
    save({ gateway, https, mqtt, serverCasPem, privateKeyPem, certificatePem }) {
      makeFolder(folder, 0o700);
      document.save({ v: 1, gateway, https, mqtt, serverCasPem });
      replaceFile(keyFile, privateKeyPem, { mode: 0o600 });
      replaceFile(certificateFile, certificatePem, { mode: 0o600 });
    },
  };
}

/** A damaged key or certificate is as good as none: the gateway is enrolled again, and says so instead of failing at every connect. */
function belongTogether(privateKeyPem: string, certificatePem: string): boolean {
  try {
    return new X509Certificate(certificatePem).checkPrivateKey(createPrivateKey(privateKeyPem));
  } catch {
    return false;
  }
}
