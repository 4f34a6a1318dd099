/** The installer child as it is delivered: one bundle in a folder, made once a test run. */
import { chmodSync, mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { build } from 'esbuild';
import { programs } from '../../scripts/support/programs.ts';

export async function anInstallerProgram(entry = 'agent/installer/main.ts'): Promise<{ dir: string; file: string }> {
  const dir = mkdtempSync(join(tmpdir(), 'tsugite-installer-'));
  chmodSync(dir, 0o755);
  const agent = programs.find(({ name }) => name === 'agent');
  await build({ ...agent?.options, write: true, entryPoints: { installer: entry }, outdir: join(dir, 'agent') });
  return { dir: join(dir, 'agent'), file: 'installer.js' };
}
