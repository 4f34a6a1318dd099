import { readFileSync } from 'node:fs';
import forge from 'node-forge';
import { beforeAll, describe, expect, test } from 'vitest';
import { forgeGate } from '../../../protocol/chain/forge-gate.ts';
import { nodeGate } from '../../../protocol/chain/node-gate.ts';
import { TsugiteError } from '../../../protocol/errors.ts';
import { derOf, type Issued, keyFile, rsa } from '../../support/openssl.ts';
import { anIntermediate, aRootCa, aSigner, caExtensions, having, leafExtensions, testTime } from '../../support/provider-pki.ts';

type Case = {
  name: string;
  want: 'accept' | 'refuse';
  nodeMayAccept?: true;
  make(pki: Pki): { chain: (Issued | Buffer)[]; pinned?: Issued[] };
};
type Pki = { root: Issued; intermediate: Issued; leaf: Issued };

const ec = ['-algorithm', 'EC', '-pkeyopt', 'ec_paramgen_curve:P-256'];
const past = { from: '20200101000000Z', to: '20210101000000Z' };
const future = { from: '20300101000000Z', to: '20310101000000Z' };
const unknownCritical = '1.2.3.4.5=critical,ASN1:UTF8String:what';
const leafUnder = (issuer: Issued, ...chain: Issued[]) => ({ chain: [aSigner(issuer), issuer, ...chain] });
const intermediateWith = (name: string, value: string | undefined) => ({ extensions: having(caExtensions, name, value) });
const leafWith = (name: string, value: string | undefined) => ({ extensions: having(leafExtensions(), name, value) });

/** The table of the libraries' measurement, kept for good: what openssl calls it, and what we want. Two gates must both say yes. */
const cases: Case[] = [
  { name: 'good', want: 'accept', make: ({ leaf, intermediate }) => ({ chain: [leaf, intermediate] }) },
  { name: 'good, leaf straight under the pinned CA', want: 'accept', make: ({ root }) => ({ chain: [aSigner(root)] }) },
  {
    name: 'good, the pinned CA is an intermediate',
    want: 'accept',
    make: ({ leaf, intermediate }) => ({ chain: [leaf], pinned: [intermediate] }),
  },
  {
    name: 'good, two pinned CAs of one name',
    want: 'accept',
    make: ({ root, leaf, intermediate }) => ({ chain: [leaf, intermediate], pinned: [aRootCa({ keyFile: keyFile('other-root') }), root] }),
  },
  {
    name: 'good, an unreadable CA is pinned beside the right one',
    want: 'accept',
    make: ({ root, leaf, intermediate }) => ({ chain: [leaf, intermediate], pinned: [aRootCa({ keyFile: keyFile('ec-root', ec) }), root] }),
  },
  {
    name: 'good, critical extendedKeyUsage and subjectAltName',
    want: 'accept',
    make: ({ intermediate }) => ({
      chain: [
        aSigner(intermediate, {
          extensions: leafExtensions().map((line) => line.replace(/^(extendedKeyUsage|subjectAltName)=/, '$1=critical,')),
        }),
        intermediate,
      ],
    }),
  },
  {
    name: 'good, RSA-3072 and SHA-512',
    want: 'accept',
    make: ({ root }) => ({ chain: [aSigner(root, { keyFile: keyFile('leaf3072', rsa(3072)), sign: ['-md', 'sha512'] })] }),
  },
  { name: 'intermediate not supplied', want: 'refuse', make: ({ leaf }) => ({ chain: [leaf] }) },
  { name: 'scrambled order', want: 'refuse', make: ({ leaf, intermediate }) => ({ chain: [intermediate, leaf] }) },
  { name: 'pinned CA in the chain', want: 'refuse', make: ({ root }) => ({ chain: [aSigner(root), root] }) },
  {
    name: 'three certificates and the pinned CA',
    want: 'refuse',
    make: ({ root, leaf, intermediate }) => ({ chain: [leaf, intermediate, root] }),
  },
  {
    name: 'two intermediates, so four certificates',
    want: 'refuse',
    make: ({ root }) => {
      const upper = anIntermediate(root, { keyFile: keyFile('other-intermediate'), subject: '/O=Test Operator/CN=Upper' });
      return leafUnder(anIntermediate(upper), upper);
    },
  },
  {
    name: 'an extension twice, leaf',
    want: 'refuse',
    make: ({ root }) => ({ chain: [withExtensionTwice(aSigner(root), root)] }),
  },
  {
    name: 'another algorithm named outside than inside the signed part',
    want: 'refuse',
    make: ({ leaf, intermediate }) => {
      const der = derOf(leaf.pem);
      const sha256WithRsa = Buffer.from('2a864886f70d01010b', 'hex');
      der[der.lastIndexOf(sha256WithRsa) + 8] = 0x0c;
      return { chain: [der, derOf(intermediate.pem)] };
    },
  },
  { name: 'no certificate', want: 'refuse', make: () => ({ chain: [] }) },
  { name: 'nothing pinned', want: 'refuse', make: ({ leaf, intermediate }) => ({ chain: [leaf, intermediate], pinned: [] }) },
  { name: 'expired leaf', want: 'refuse', make: ({ intermediate }) => ({ chain: [aSigner(intermediate, past), intermediate] }) },
  { name: 'not-yet-valid leaf', want: 'refuse', make: ({ intermediate }) => ({ chain: [aSigner(intermediate, future), intermediate] }) },
  { name: 'expired intermediate', want: 'refuse', make: ({ root }) => leafUnder(anIntermediate(root, past)) },
  {
    name: 'expired pinned CA',
    want: 'refuse',
    make: () => {
      const root = aRootCa(past);
      return { chain: [aSigner(root)], pinned: [root] };
    },
  },
  {
    name: 'intermediate CA:FALSE with keyCertSign',
    want: 'refuse',
    make: ({ root }) => leafUnder(anIntermediate(root, intermediateWith('basicConstraints', 'critical,CA:FALSE'))),
  },
  {
    name: 'intermediate without basicConstraints, with keyUsage',
    want: 'refuse',
    make: ({ root }) => leafUnder(anIntermediate(root, intermediateWith('basicConstraints', undefined))),
  },
  {
    name: 'intermediate without basicConstraints and keyUsage (CVE-2026-33896)',
    want: 'refuse',
    make: ({ root }) =>
      leafUnder(
        anIntermediate(root, {
          extensions: caExtensions.filter((line) => !/^(basicConstraints|keyUsage)=/.test(line)),
        }),
      ),
  },
  {
    name: 'intermediate CA without keyCertSign',
    want: 'refuse',
    make: ({ root }) => leafUnder(anIntermediate(root, intermediateWith('keyUsage', 'critical,cRLSign'))),
  },
  {
    name: 'pinned CA:FALSE',
    want: 'refuse',
    make: () => {
      const root = aRootCa({ extensions: having(caExtensions, 'basicConstraints', 'critical,CA:FALSE') });
      return { chain: [aSigner(root)], pinned: [root] };
    },
  },
  {
    name: 'path length exceeded',
    want: 'refuse',
    make: () => {
      const root = aRootCa({ extensions: having(caExtensions, 'basicConstraints', 'critical,CA:TRUE,pathlen:0') });
      return { ...leafUnder(anIntermediate(root)), pinned: [root] };
    },
  },
  {
    name: 'path length exceeded, no keyUsage (GHSA-h8mc)',
    want: 'refuse',
    make: () => {
      const root = aRootCa({ extensions: ['basicConstraints=CA:TRUE,pathlen:0', 'subjectKeyIdentifier=hash'] });
      return { ...leafUnder(anIntermediate(root)), pinned: [root] };
    },
  },
  {
    name: 'path length 0 above a leaf',
    want: 'accept',
    make: () => {
      const root = aRootCa({ extensions: having(caExtensions, 'basicConstraints', 'critical,CA:TRUE,pathlen:0') });
      return { chain: [aSigner(root)], pinned: [root] };
    },
  },
  {
    name: 'unknown critical extension, leaf',
    want: 'refuse',
    make: ({ intermediate }) => ({ chain: [aSigner(intermediate, { extensions: [...leafExtensions(), unknownCritical] }), intermediate] }),
  },
  {
    name: 'unknown critical extension, intermediate',
    want: 'refuse',
    make: ({ root }) => leafUnder(anIntermediate(root, { extensions: [...caExtensions, unknownCritical] })),
  },
  { name: 'leaf used as CA', want: 'refuse', make: ({ root }) => leafUnder(aSigner(root, { keyFile: keyFile('intermediate') })) },
  {
    name: 'leaf that is a CA',
    want: 'refuse',
    make: ({ intermediate }) => ({
      chain: [
        aSigner(intermediate, {
          extensions: [...having(caExtensions, 'keyUsage', 'critical,digitalSignature,keyCertSign'), 'extendedKeyUsage=codeSigning'],
        }),
        intermediate,
      ],
    }),
  },
  {
    name: 'leaf for TLS servers (EKU serverAuth)',
    want: 'refuse',
    make: ({ intermediate }) => ({ chain: [aSigner(intermediate, leafWith('extendedKeyUsage', 'serverAuth')), intermediate] }),
  },
  {
    name: 'leaf for anything (anyExtendedKeyUsage)',
    want: 'refuse',
    make: ({ intermediate }) => ({ chain: [aSigner(intermediate, leafWith('extendedKeyUsage', 'anyExtendedKeyUsage')), intermediate] }),
  },
  {
    name: 'leaf without EKU',
    want: 'refuse',
    make: ({ intermediate }) => ({ chain: [aSigner(intermediate, leafWith('extendedKeyUsage', undefined)), intermediate] }),
  },
  {
    name: 'leaf without keyUsage',
    want: 'refuse',
    make: ({ intermediate }) => ({ chain: [aSigner(intermediate, leafWith('keyUsage', undefined)), intermediate] }),
  },
  {
    name: 'leaf without digitalSignature',
    want: 'refuse',
    make: ({ intermediate }) => ({ chain: [aSigner(intermediate, leafWith('keyUsage', 'critical,keyEncipherment')), intermediate] }),
  },
  {
    name: 'intermediate for TLS servers only (EKU nesting)',
    want: 'refuse',
    make: ({ root }) => leafUnder(anIntermediate(root, intermediateWith('extendedKeyUsage', 'serverAuth'))),
  },
  {
    name: 'intermediate for code signing',
    want: 'accept',
    make: ({ root }) => leafUnder(anIntermediate(root, intermediateWith('extendedKeyUsage', 'codeSigning'))),
  },
  {
    name: 'nameConstraints satisfied',
    want: 'accept',
    make: ({ root }) =>
      leafUnder(
        anIntermediate(root, {
          extensions: [...caExtensions, 'nameConstraints=critical,excluded;dirName:other', '[other]', 'O=Somebody Else'],
        }),
      ),
  },
  {
    name: 'nameConstraints violated',
    want: 'refuse',
    nodeMayAccept: true,
    make: ({ root }) => {
      const intermediate = anIntermediate(root, {
        extensions: [...caExtensions, 'nameConstraints=critical,permitted;dirName:allowed', '[allowed]', 'O=Somebody Else'],
      });
      return { chain: [aSigner(intermediate), intermediate] };
    },
  },
  {
    name: 'forged root of the same name',
    want: 'refuse',
    make: () => leafUnder(anIntermediate(aRootCa({ keyFile: keyFile('other-root') }))),
  },
  {
    name: 'forged chain with its forged root',
    want: 'refuse',
    make: () => {
      const fake = aRootCa({ keyFile: keyFile('other-root') });
      return { chain: [aSigner(fake), fake] };
    },
  },
  {
    name: 'real intermediate, leaf of a forged one of the same name',
    want: 'refuse',
    make: ({ root, intermediate }) => ({
      chain: [aSigner(anIntermediate(root, { keyFile: keyFile('other-intermediate') })), intermediate],
    }),
  },
  {
    name: 'tampered signature',
    want: 'refuse',
    make: ({ leaf, intermediate }) => {
      const der = derOf(leaf.pem);
      der[der.length - 1] = (der.at(-1) ?? 0) ^ 1;
      return { chain: [der, derOf(intermediate.pem)] };
    },
  },
  {
    name: 'bytes after the certificate',
    want: 'refuse',
    make: ({ leaf, intermediate }) => ({ chain: [Buffer.concat([derOf(leaf.pem), Buffer.from([0])]), derOf(intermediate.pem)] }),
  },
  {
    name: 'SHA-1 signed leaf',
    want: 'refuse',
    make: ({ intermediate }) => ({ chain: [aSigner(intermediate, { sign: ['-md', 'sha1'] }), intermediate] }),
  },
  {
    name: 'MD5 signed leaf',
    want: 'refuse',
    make: ({ intermediate }) => ({ chain: [aSigner(intermediate, { sign: ['-md', 'md5'] }), intermediate] }),
  },
  { name: 'SHA-1 signed intermediate', want: 'refuse', make: ({ root }) => leafUnder(anIntermediate(root, { sign: ['-md', 'sha1'] })) },
  {
    name: 'RSA-1024 leaf',
    want: 'refuse',
    make: ({ intermediate }) => ({ chain: [aSigner(intermediate, { keyFile: keyFile('weak', rsa(1024)) }), intermediate] }),
  },
  {
    name: 'exponent 3',
    want: 'refuse',
    make: ({ intermediate }) => ({ chain: [aSigner(intermediate, { keyFile: keyFile('e3', rsa(2048, 3)) }), intermediate] }),
  },
  {
    name: 'ECDSA P-256 chain',
    want: 'refuse',
    make: () => {
      const root = aRootCa({ keyFile: keyFile('ec-root', ec) });
      return { chain: [aSigner(root, { keyFile: keyFile('ec-leaf', ec) })], pinned: [root] };
    },
  },
  {
    name: 'ECDSA leaf under an RSA CA',
    want: 'refuse',
    make: ({ root }) => ({ chain: [aSigner(root, { keyFile: keyFile('ec-leaf', ec) })] }),
  },
  {
    name: 'Ed25519 leaf',
    want: 'refuse',
    make: ({ root }) => ({ chain: [aSigner(root, { keyFile: keyFile('ed-leaf', ['-algorithm', 'ED25519']) })] }),
  },
  {
    name: 'RSA-PSS signed leaf',
    want: 'refuse',
    make: ({ root }) => ({ chain: [aSigner(root, { sign: ['-md', 'sha256', '-sigopt', 'rsa_padding_mode:pss'] })] }),
  },
  {
    name: 'RSA-PSS key',
    want: 'refuse',
    make: ({ root }) => ({
      chain: [aSigner(root, { keyFile: keyFile('pss-leaf', ['-algorithm', 'RSA-PSS', '-pkeyopt', 'rsa_keygen_bits:2048']) })],
    }),
  },
];

/** openssl does not write such a certificate, so forge has to. */
function withExtensionTwice(leaf: Issued, issuer: Issued): Buffer {
  const cert = forge.pki.certificateFromPem(leaf.pem);
  cert.extensions.push(cert.getExtension('extKeyUsage'));
  cert.sign(forge.pki.privateKeyFromPem(readFileSync(issuer.keyFile, 'utf8')), forge.md.sha256.create());
  return derOf(forge.pki.certificateToPem(cert));
}

describe('hostile chains: each gate by itself', () => {
  let pki: Pki;
  beforeAll(() => {
    const root = aRootCa();
    const intermediate = anIntermediate(root);
    pki = { root, intermediate, leaf: aSigner(intermediate) };
  }, 60_000);

  test.for(cases)('$name: $want', ({ make, want, nodeMayAccept }) => {
    const { chain, pinned = [pki.root] } = make(pki);
    const ders = chain.map((link) => (Buffer.isBuffer(link) ? link : derOf(link.pem)));
    const cas = pinned.map((ca) => ca.pem);

    expect(
      verdict(() => forgeGate(ders, cas, testTime)),
      'forge gate',
    ).toBe(want);
    if (nodeMayAccept !== true)
      expect(
        verdict(() => nodeGate(ders, cas, testTime)),
        'node gate',
      ).toBe(want);
  });
});

/** A gate that crashes instead of refusing would hide its reason from the technician. */
function verdict(gate: () => unknown): string {
  try {
    gate();
    return 'accept';
  } catch (error) {
    return error instanceof TsugiteError ? 'refuse' : `crash: ${error}`;
  }
}
