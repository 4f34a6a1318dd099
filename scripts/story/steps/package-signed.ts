import { verify, X509Certificate } from 'node:crypto';
import path from 'node:path';
import { brotliDecompressSync } from 'node:zlib';
import { listTar, must, mustBe, sha256Of, sha256OfFile, takeFromTar } from '../look.ts';
import { repository, tellProgram } from '../programs.ts';
import type { Step } from '../story.ts';
import type { World } from '../world.ts';

export const packageSigned: Step<World> = {
  id: 'package-signed',
  tells: '梱包・測定・署名 / packed, measured and signed by the provider',
  async run(world) {
    const { providerFolder, packageFile } = world;
    const build = path.join(providerFolder, 'build');
    await tellProgram('provider', ['pack', path.join(repository, 'fixtures/software/demo.ipv4'), '--out', build]);
    const measured = await tellProgram('provider', ['measure', build, '--targets', '100']);
    const key = path.join(providerFolder, 'provider.key.pem');
    await tellProgram('provider', ['sign', build, '--key', key, '--cert', path.join(providerFolder, 'chain.pem'), '--out', packageFile]);

    mustBe('entries of the .tsg, as tar lists them', listTar(packageFile), ['manifest.dsse.json', 'payload.tar.br']);
    const envelope = JSON.parse(takeFromTar(packageFile, 'manifest.dsse.json').toString());
    const payload = Buffer.from(envelope.payload, 'base64');
    const [{ sig, x5c }] = envelope.signatures;
    const signed = Buffer.concat([
      Buffer.from(`DSSEv1 ${envelope.payloadType.length} ${envelope.payloadType} ${payload.length} `),
      payload,
    ]);
    const signer = new X509Certificate(Buffer.from(x5c[0], 'base64'));
    must('the manifest is signed with the certified key', verify('sha256', signed, signer.publicKey, Buffer.from(sig, 'base64')));
    const manifest = JSON.parse(payload.toString());
    mustBe('digest of the payload', sha256Of(brotliDecompressSync(takeFromTar(packageFile, 'payload.tar.br'))), manifest.payload.sha256);
    world.packageSha256 = sha256OfFile(packageFile);
    return { sha256: world.packageSha256, installedBytes: manifest.payload.installedBytes, measured };
  },
};
