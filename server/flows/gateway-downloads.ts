/** What a gateway may fetch by HTTPS: every root, and exactly the packages that its present notice lists. */
import { parseEnvelope, payloadOf } from '../../protocol/dsse.ts';
import type { Digest, GatewayId } from '../../protocol/fields.ts';
import { parseNotice } from '../../protocol/statements/notice.ts';
import type { Db } from '../ports.ts';

export type GatewayDownloads = {
  root(version: number): Promise<Buffer | undefined>;
  mayFetch(gateway: GatewayId, sha256: Digest): Promise<boolean>;
};

export function makeGatewayDownloads({ db }: { db: Db }): GatewayDownloads {
  return {
    root: async (version) => {
      const [row] = await db.query<{ envelope: Buffer }>('SELECT envelope FROM roots WHERE version = $1', [version]);
      return row?.envelope;
    },
    mayFetch: async (gateway, sha256) => {
      const [row] = await db.query<{ envelope: Buffer }>(
        'SELECT envelope FROM notices WHERE gateway_id = $1 ORDER BY version DESC LIMIT 1',
        [gateway],
      );
      if (row === undefined) return false;
      return parseNotice(payloadOf(parseEnvelope(row.envelope))).targets.some((target) => target.package.sha256 === sha256);
    },
  };
}
