/** Variants of the sample software, as its provider would make them: a copy of the folder with a few changes, packed, signed and admitted. */
import { createHash } from 'node:crypto';
import { cpSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { sha256OfFile } from './look.ts';
import { repository, tellProgram } from './programs.ts';
import { operator, type World } from './world.ts';

export type Variant = {
  /** Folder of fixtures/software */
  of: string;
  software?: string;
  version: string;
  /** Whose key signs; 'demo' unless said otherwise */
  provider?: string;
  manifest?: Readonly<Record<string, unknown>>;
  /** Run before anything else in main.js (CommonJS). */
  prelude?: string;
  /** Instead of main.js. */
  main?: string;
  /** Filled up with bytes that no compressor makes smaller, to exactly so many installed bytes. */
  installedBytes?: number;
};
export type Published = { software: string; version: string; file: string; sha256: string };

/** Packs and signs; `release admit` takes it to the server. */
export async function signVariant(world: World, variant: Variant): Promise<Published> {
  const { of, version, provider = 'demo', software = of } = variant;
  const name = `${software}-${version}`;
  const source = path.join(world.folder, 'sources', name);
  cpSync(path.join(repository, 'fixtures/software', of), source, { recursive: true });
  const manifestFile = path.join(source, 'manifest.json');
  const manifest = JSON.parse(readFileSync(manifestFile, 'utf8').replaceAll(of, software));
  writeFileSync(manifestFile, JSON.stringify({ ...manifest, version, provider, ...variant.manifest }));
  const mainFile = path.join(source, 'app/main.js');
  const main =
    variant.main ?? readFileSync(mainFile, 'utf8').replaceAll(of, software).replace("version = '1.0.0'", `version = '${version}'`);
  const program = Buffer.from(`${variant.prelude ?? ''}${main}`);
  writeFileSync(mainFile, program);
  if (variant.installedBytes !== undefined)
    writeFileSync(path.join(source, 'app/filler.bin'), fillerOf(variant.installedBytes - program.length));

  const folder = providerFolder(world, provider);
  const file = path.join(folder, `${name}.tsg`);
  const build = path.join(folder, `build-${name}`);
  await tellProgram('provider', ['pack', source, '--out', build]);
  await tellProgram('provider', [
    'sign',
    build,
    '--key',
    path.join(folder, 'provider.key.pem'),
    '--cert',
    path.join(folder, 'chain.pem'),
    '--out',
    file,
  ]);
  return { software, version, file, sha256: sha256OfFile(file) };
}

export async function publishVariant(world: World, variant: Variant): Promise<Published> {
  const published = await signVariant(world, variant);
  await operator(world, 'release', 'admit', published.file);
  return published;
}

/** The first provider's folder is the one of the step that certified it. */
export const providerFolder = (world: World, provider: string): string =>
  provider === 'demo' ? world.providerFolder : path.join(world.folder, `provider-${provider}`);

/** A further provider: key, registration and certificate in one go. */
export async function certifyProvider(world: World, provider: string, organisation: string): Promise<void> {
  const folder = providerFolder(world, provider);
  await tellProgram('provider', ['keygen', '--provider', provider, '--org', organisation, '--out', folder]);
  await operator(
    world,
    'pki',
    'issue-provider',
    '--csr',
    path.join(folder, 'provider.csr.pem'),
    '--provider',
    provider,
    '--out',
    path.join(folder, 'chain.pem'),
  );
}

/** Always the same bytes. */
function fillerOf(bytes: number): Buffer {
  const blocks = Array.from({ length: Math.ceil(bytes / 32) }, (_, block) => createHash('sha256').update(`filler ${block}`).digest());
  return Buffer.concat(blocks).subarray(0, bytes);
}
