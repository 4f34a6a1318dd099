import { expect, test } from 'vitest';
import { makeFetchPackage } from '../../../agent/flows/fetch-package.ts';

test('the addresses that the signed root names are asked before the server, whose load they take', async () => {
  const asked: (readonly string[])[] = [];
  const fetchPackage = makeFetchPackage({
    trust: { root: () => ({ packageBases: ['https://mirror.example', 'https://cdn.example'] }) } as never,
    downloads: { pathOf: () => '/nowhere' } as never,
    store: { has: () => false } as never,
    download: { download: async ({ bases }) => void asked.push(bases) },
    random: {} as never,
    log: { write: () => {} },
    serverBase: () => 'https://server.example:8443',
  });
  const wish = { package: { sha256: '0'.repeat(64), bytes: 1 } };
  await fetchPackage({
    deployment: () => ({ wish, verified: null, downloadTries: 0 }),
    change: () => {},
    signal: new AbortController().signal,
  } as never);
  expect(asked).toEqual([['https://mirror.example', 'https://cdn.example', 'https://server.example:8443']]);
});
