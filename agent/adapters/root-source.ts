import { TsugiteError } from '../../protocol/errors.ts';
import { limits } from '../../protocol/limits.ts';
import { rootPath } from '../../protocol/routes.ts';
import type { HttpsClient } from '../ports/network.ts';
import type { Identity, RootSource } from '../ports.ts';
import { readAll } from './https-client.ts';

/** `/root/<n>` needs no certificate: a gateway whose own has expired must still be able to follow the roots. */
export function makeRootSource({ https, identity }: { https: HttpsClient; identity: () => Identity }): RootSource {
  return {
    async fetchRoot(version) {
      const { https: base, serverCasPem } = identity();
      const answer = await https.open({ method: 'GET', url: base + rootPath(version), trust: { serverCasPem }, purpose: 'fetch' });
      const envelope = await readAll(answer, limits.envelopeBytes, 'root');
      if (answer.status === 404) return undefined;
      if (answer.status !== 200) throw new TsugiteError('SERVER_UNREACHABLE', { kind: 'root', status: answer.status });
      return envelope;
    },
  };
}
