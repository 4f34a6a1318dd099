import { join } from 'node:path';
import type { Answer } from '../../protocol/command-output.ts';
import { TsugiteError } from '../../protocol/errors.ts';
import { providerId, softwareId } from '../../protocol/fields.ts';
import { createFile, isEmptyFolder, isThere, makeFolder } from '../adapters/files.ts';
import { draftFor, mainFor, readmeFor } from '../rules/template.ts';

/** `tsugite init DIR`: a folder that packs as it is. */
export function initFolder(folder: string, options: { provider: string; software?: string }): Answer {
  const provider = providerId.safeParse(options.provider);
  if (!provider.success) throw new TsugiteError('USAGE_WRONG', { at: '--provider ID (^[a-z][a-z0-9-]{1,30}$)' });
  const software = softwareId.safeParse(options.software ?? `hello.${provider.data}`);
  if (!software.success) throw new TsugiteError('USAGE_WRONG', { at: '--software ID (name.example)' });
  if (isThere(folder) && !isEmptyFolder(folder)) throw new TsugiteError('FILE_EXISTS', { path: folder });
  makeFolder(join(folder, 'app'));
  createFile(join(folder, 'manifest.json'), `${JSON.stringify(draftFor(provider.data, software.data), undefined, 2)}\n`, 0o644);
  createFile(join(folder, 'app', 'main.js'), mainFor(software.data), 0o644);
  createFile(join(folder, 'README.md'), readmeFor(software.data), 0o644);
  return {
    value: { folder, provider: provider.data, software: software.data },
    lines: [`${folder}: manifest.json, app/main.js, README.md`, `次は / next: tsugite pack ${folder} --out ${folder}.build`],
  };
}
