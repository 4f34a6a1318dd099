import { generateKeyPairSync, X509Certificate } from 'node:crypto';
import { encodeEnvelope, keyidOf, parseEnvelope, payloadOf } from '../../protocol/dsse.ts';
import { signStatement } from '../../protocol/signing.ts';
import { parseRoot, rootType } from '../../protocol/statements/root.ts';
import type { Db } from '../../server/ports.ts';

/** The next root of a test's server revokes these signers of its (first) provider CA. */
export async function revokeSigners(db: Db, serials: readonly string[]): Promise<void> {
  const [row] = await db.query<{ envelope: Buffer }>('SELECT envelope FROM roots ORDER BY version DESC LIMIT 1');
  const root = parseRoot(payloadOf(parseEnvelope((row as { envelope: Buffer }).envelope)));
  const issuer = keyidOf(new X509Certificate(root.providerCas[0] as string).publicKey);
  const entries = serials.map((serial) => ({ issuer, serial, since: root.issuedAt, reason: 'lost', stop: false }));
  const next = { ...root, version: root.version + 1, revokedSigners: [...root.revokedSigners, ...entries] };
  const { privateKey } = generateKeyPairSync('ed25519'); // our own database: who signed it was checked when it was published
  await db.query('INSERT INTO roots (version, envelope, issued_at, expires_at) VALUES ($1, $2, $3, $4)', [
    next.version,
    encodeEnvelope(signStatement(rootType, next, [privateKey])),
    new Date(next.issuedAt),
    new Date(next.expires),
  ]);
}
