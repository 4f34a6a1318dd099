import type { TrustInForce } from '../../protocol/chain/verify-manifest.ts';
import { parseEnvelope, payloadOf } from '../../protocol/dsse.ts';
import { TsugiteError } from '../../protocol/errors.ts';
import { parseRoot, type Root } from '../../protocol/statements/root.ts';
import type { Sql } from '../ports.ts';

/** The newest root of our own database; its signatures were checked when it was published. */
export async function newestRoot(sql: Sql): Promise<{ root: Root; envelope: Buffer }> {
  const [row] = await sql.query<{ envelope: Buffer }>('SELECT envelope FROM roots ORDER BY version DESC LIMIT 1');
  if (row === undefined) throw new TsugiteError('NOT_INITIALISED', { path: 'roots' });
  return { root: parseRoot(payloadOf(parseEnvelope(row.envelope))), envelope: row.envelope };
}

/** What a gateway would believe today: admission must not let pass what an agent refuses. */
export async function trustInForce(sql: Sql, atMs: number): Promise<TrustInForce> {
  const { root } = await newestRoot(sql);
  return { providerCas: root.providerCas, revokedSigners: root.revokedSigners, atMs };
}
