import { beforeAll, describe, expect, test } from 'vitest';
import { hostileKinds } from '../../fixtures/hostile/index.ts';
import { type By, packed } from '../../fixtures/hostile/kind.ts';
import type { TrustInForce } from '../../protocol/chain/verify-manifest.ts';
import { TsugiteError } from '../../protocol/errors.ts';
import { noSink } from '../../protocol/package/payload-reader.ts';
import { verifyPackage } from '../../protocol/package/verify-package.ts';
import { inMemory } from '../support/packages.ts';
import { anIntermediate, aRootCa, aSigner, testTime } from '../support/provider-pki.ts';

let by: By;
let trust: TrustInForce;

beforeAll(() => {
  const root = aRootCa();
  const intermediate = anIntermediate(root);
  by = { signing: { signer: aSigner(intermediate), chain: [intermediate] }, provider: 'acme', software: 'heater.acme' };
  trust = { providerCas: [root.pem], revokedSigners: [], atMs: testTime };
}, 60_000);

const refusalOf = (bytes: Buffer): Promise<unknown> =>
  verifyPackage(inMemory(bytes), trust, noSink).then(
    () => 'accepted',
    (error: unknown) => {
      if (!(error instanceof TsugiteError)) throw error;
      const { layer, kind } = error.detail;
      return { layer, code: error.code, kind };
    },
  );

test('the package that all of them are made from is good', async () => {
  expect(await refusalOf(packed(by))).toBe('accepted');
});

test('every kind has a name of its own', () => {
  const names = hostileKinds.map(({ layer, name }) => `${layer}: ${name}`);
  expect(new Set(names).size).toBe(names.length);
  expect(names.length).toBeGreaterThanOrEqual(60);
});

describe('a hostile package is refused', () => {
  test.each(hostileKinds)('$layer: $name', async ({ make, layer, code, kind }) => {
    expect(await refusalOf(make(by))).toMatchObject({ layer, code, ...(kind === undefined ? {} : { kind }) });
  });
});
