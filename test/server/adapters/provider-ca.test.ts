import { execFileSync } from 'node:child_process';
import { createPublicKey, X509Certificate } from 'node:crypto';
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { forgeGate } from '../../../protocol/chain/forge-gate.ts';
import { nodeGate } from '../../../protocol/chain/node-gate.ts';
import { readSigner } from '../../../protocol/chain/signer.ts';
import { providerId } from '../../../protocol/fields.ts';
import { makeProviderCa } from '../../../server/adapters/provider-ca.ts';
import { beginningOfTime, issueLeaf, makeAuthority, p256, rsa3072 } from '../../../server/adapters/x509.ts';
import type { Authority, ProviderCa } from '../../../server/ports.ts';
import { derOf, keyFile, openssl, rsa } from '../../support/openssl.ts';

const now = Date.UTC(2026, 10, 22);
const acme = providerId.parse('acme');
let authority: Authority;
let ca: ProviderCa;
beforeAll(async () => {
  authority = await makeAuthority(rsa3072, { organisation: 'Test Operator', commonName: 'Test Operator provider CA' }, new Date(now));
  ca = makeProviderCa(authority);
});

function aRequest({
  subject = '/O=株式会社アクメ, 東京/CN=signer',
  san = 'URI:urn:tsugite:provider:acme',
  key = keyFile('leaf'),
} = {}): string {
  const extension = san === '' ? [] : ['-addext', `subjectAltName=${san}`];
  return openssl(['req', '-new', '-utf8', '-key', key, '-subj', subject, ...extension]).toString();
}

test('a certificate from an openssl request passes both gates and openssl, and keeps the organisation', async () => {
  const issued = await ca.issue(aRequest(), { provider: acme, organisation: '株式会社アクメ, 東京', nowMs: now });
  const der = derOf(issued.pem);
  forgeGate([der], [authority.certPem], now);
  const signer = readSigner(nodeGate([der], [authority.certPem], now));
  expect(signer).toMatchObject({ provider: 'acme', organisation: '株式会社アクメ, 東京', serial: issued.serial });
  expect(signer.keyid).toBe(issued.subjectKeyid);
  expect(signer.issuerKeyid).toBe(issued.issuerKeyid);
  expect(Date.parse(signer.notAfter) - now).toBeGreaterThan(3 * 365.25 * 86_400_000);

  const folder = mkdtempSync(join(tmpdir(), 'tsugite-ca-'));
  writeFileSync(join(folder, 'ca.pem'), authority.certPem);
  writeFileSync(join(folder, 'leaf.pem'), issued.pem);
  const args = ['verify', '-x509_strict', '-purpose', 'any', '-attime', String(now / 1000 + 60), '-CAfile', join(folder, 'ca.pem')];
  expect(execFileSync('openssl', [...args, join(folder, 'leaf.pem')]).toString()).toMatch(/OK/);
});

describe('a request is refused when', () => {
  const issue = (csr: string, organisation?: string) => ca.issue(csr, { provider: acme, organisation, nowMs: now });
  test.each([
    ['its URI names another provider', { san: 'URI:urn:tsugite:provider:other' }, 'SIGNER_NOT_PROVIDER'],
    ['it has no URI', { san: '' }, 'SIGNER_NOT_PROVIDER'],
    ['it has two URIs', { san: 'URI:urn:tsugite:provider:acme,URI:urn:tsugite:provider:other' }, 'SIGNER_NOT_PROVIDER'],
    ['it asks for a host name too', { san: 'URI:urn:tsugite:provider:acme,DNS:ntt.setup' }, 'KEY_UNUSABLE'],
    ['it names no organisation', { subject: '/CN=signer' }, 'KEY_UNUSABLE'],
    ['its key is shorter than 2048 bits', { key: keyFile('short', rsa(1024)) }, 'KEY_UNUSABLE'],
    ['its exponent is 3', { key: keyFile('three', rsa(2048, 3)) }, 'KEY_UNUSABLE'],
    ['its key is not RSA', { key: keyFile('ec', ['-algorithm', 'EC', '-pkeyopt', 'ec_paramgen_curve:P-256']) }, 'KEY_UNUSABLE'],
  ])('%s', async (_, request, code) => {
    await expect(issue(aRequest(request))).rejects.toMatchObject({ code });
  });

  test('its organisation is not the registered one', async () => {
    await expect(issue(aRequest(), '株式会社オリーブ')).rejects.toMatchObject({
      code: 'SIGNER_NOT_PROVIDER',
      detail: { kind: 'organisation', expected: '株式会社オリーブ', found: '株式会社アクメ, 東京' },
    });
  });

  test('it is not a request at all, or its signature was changed', async () => {
    await expect(issue('hello')).rejects.toMatchObject({ code: 'KEY_UNUSABLE' });
    const lines = aRequest().split('\n');
    const at = lines.length - 4;
    lines[at] = `${lines[at]?.startsWith('AAAA') ? 'BBBB' : 'AAAA'}${lines[at]?.slice(4)}`;
    await expect(issue(lines.join('\n'))).rejects.toMatchObject({ code: 'KEY_UNUSABLE' });
  });
});

test('a server certificate is good in 1970 and for every public host', async () => {
  const serverCa = await makeAuthority(p256, { organisation: 'Test Operator', commonName: 'server CA' }, beginningOfTime);
  const { publicKey } = await import('node:crypto').then(({ generateKeyPairSync }) => generateKeyPairSync('ec', { namedCurve: 'P-256' }));
  const { pem } = await issueLeaf(serverCa, {
    subject: { organisation: 'Test Operator', commonName: 'delivery server' },
    publicKey,
    notBefore: beginningOfTime,
    notAfter: new Date(now + 1e10),
    extendedKeyUsage: 'serverAuth',
    alternativeNames: [
      { type: 'dns', value: 'localhost' },
      { type: 'ip', value: '198.18.0.1' },
    ],
  });
  const certificate = new X509Certificate(pem);
  expect(certificate.verify(createPublicKey(serverCa.certPem))).toBe(true);
  expect(certificate.checkIssued(new X509Certificate(serverCa.certPem))).toBe(true);
  expect(Date.parse(certificate.validFrom)).toBe(0);
  expect(certificate.checkHost('localhost')).toBe('localhost');
  expect(certificate.checkIP('198.18.0.1')).toBe('198.18.0.1');
});
