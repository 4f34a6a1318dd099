import type { TrustInForce } from '../../protocol/chain/verify-manifest.ts';
import { parseEnvelope, payloadOf } from '../../protocol/dsse.ts';
import { TsugiteError } from '../../protocol/errors.ts';
import type { KeyId } from '../../protocol/fields.ts';
import { parseRoot, type Root } from '../../protocol/statements/root.ts';
import type { Sql } from '../ports.ts';

/** The newest root of our own database; its signatures were checked when it was published. */
export async function newestRoot(sql: Sql): Promise<{ root: Root; envelope: Buffer }> {
  const [row] = await sql.query<{ envelope: Buffer }>('SELECT envelope FROM roots ORDER BY version DESC LIMIT 1');
  if (row === undefined) throw new TsugiteError('NOT_INITIALISED', { path: 'roots' });
  return { root: parseRoot(payloadOf(parseEnvelope(row.envelope))), envelope: row.envelope };
}

/**
 * A server that would sign with a key which no root names speaks to nobody: its folder and its database belong to two installations.
 *
 * @throws TsugiteError DATABASE_UNSUITABLE (other-installation)
 */
export async function verifyNoticeKey(sql: Sql, keyid: KeyId): Promise<void> {
  const [has] = await sql.query<{ roots: string | null }>(`SELECT to_regclass('roots')::text AS roots`);
  const newest = 'SELECT envelope FROM roots ORDER BY version DESC LIMIT 1';
  const roots = has?.roots == null ? [] : await sql.query<{ envelope: Buffer }>(newest);
  const isNamed = roots.some(({ envelope }) => parseRoot(payloadOf(parseEnvelope(envelope))).roles.notice.keyids.includes(keyid));
  if (!isNamed) throw new TsugiteError('DATABASE_UNSUITABLE', { kind: 'other-installation' });
}

/** What a gateway would believe today: admission must not let pass what an agent refuses. */
export async function trustInForce(sql: Sql, atMs: number): Promise<TrustInForce> {
  const { root } = await newestRoot(sql);
  return { providerCas: root.providerCas, revokedSigners: root.revokedSigners, atMs };
}
