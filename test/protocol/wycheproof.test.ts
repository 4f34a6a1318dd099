/**
 * Signature vectors of C2SP/wycheproof (Apache-2.0), read in place from the folder that TSUGITE_CORPORA names: 410 of them, most of them forgeries
 * of a kind that some library once accepted. They go through the very function that verifies an envelope's signature.
 */
import { createPublicKey } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { isSignedBy } from '../../protocol/dsse.ts';

type Vector = { tcId: number; comment: string; flags: string[]; msg: string; sig: string; result: 'valid' | 'invalid' | 'acceptable' };
type VectorFile = { numberOfTests: number; testGroups: { publicKeyDer: string; tests: Vector[] }[] };

const folder = path.join(process.env.TSUGITE_CORPORA ?? '', 'wycheproof');
const isHere = process.env.TSUGITE_CORPORA !== undefined && existsSync(folder);
if (!isHere) console.warn('skipped: the Wycheproof vectors are not here (set TSUGITE_CORPORA to the folder that holds wycheproof/)');

/** RFC 8017 §9.2 and §A.2.4: the NULL of the hash algorithm must be there, so what Wycheproof calls "acceptable" (it is missing) is refused. */
const isGood = (vector: Vector): boolean => vector.result === 'valid';

describe.skipIf(!isHere).each([
  { file: 'ed25519_test.json', count: 151, valid: 88 },
  { file: 'rsa_signature_3072_sha256_test.json', count: 259, valid: 8 },
])('$file', ({ file, count, valid }) => {
  const vectors = isHere ? load(file) : [];

  test(`there are ${count}, ${valid} of them good`, () => {
    expect([vectors.length, vectors.filter(({ vector }) => isGood(vector)).length]).toEqual([count, valid]);
  });

  test.for(vectors)('$vector.tcId $vector.comment: $vector.result', ({ key, vector }) => {
    const verdict = isSignedBy(key, Buffer.from(vector.msg, 'hex'), Buffer.from(vector.sig, 'hex').toString('base64'));
    expect(verdict).toBe(isGood(vector));
  });
});

function load(file: string): { key: ReturnType<typeof createPublicKey>; vector: Vector }[] {
  const { testGroups } = JSON.parse(readFileSync(path.join(folder, file), 'utf8')) as VectorFile;
  return testGroups.flatMap(({ publicKeyDer, tests }) => {
    const key = createPublicKey({ key: Buffer.from(publicKeyDer, 'hex'), format: 'der', type: 'spki' });
    return tests.map((vector) => ({ key, vector }));
  });
}
