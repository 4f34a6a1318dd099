import { X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { must, mustBe } from '../look.ts';
import { tellProgram } from '../programs.ts';
import type { Step } from '../story.ts';
import { operator, type World } from '../world.ts';

export const providerCertified: Step<World> = {
  id: 'provider-certified',
  tells: '事業者の鍵と証明書 / the provider makes a key, the operator certifies it',
  async run(world) {
    const { providerFolder, serverData } = world;
    await tellProgram('provider', ['keygen', '--provider', 'demo', '--org', 'デモ事業者', '--out', providerFolder]);
    await operator(world, 'provider', 'add', 'demo', '--name', 'デモ事業者');
    const chain = path.join(providerFolder, 'chain.pem');
    await operator(
      world,
      'pki',
      'issue-provider',
      '--csr',
      path.join(providerFolder, 'provider.csr.pem'),
      '--provider',
      'demo',
      '--out',
      chain,
    );

    const leaf = new X509Certificate(readFileSync(chain));
    const ca = new X509Certificate(readFileSync(path.join(serverData, 'pki/provider-ca.pem')));
    must('the certificate is signed by the provider CA', leaf.checkIssued(ca) && leaf.verify(ca.publicKey));
    mustBe('SAN', leaf.subjectAltName, 'URI:urn:tsugite:provider:demo');
    mustBe('extended key usage', leaf.keyUsage, ['1.3.6.1.5.5.7.3.3']);
    const years = (Date.parse(leaf.validTo) - Date.now()) / (365 * 86_400_000);
    must('valid for three years or more', years > 2.99, { validTo: leaf.validTo });
    return { subject: leaf.subject, serial: leaf.serialNumber, validTo: leaf.validTo };
  },
};
