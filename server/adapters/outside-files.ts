/** Configuration of programs that are not ours (server/outside/), filled in for one installation. */
import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { TsugiteError } from '../../protocol/errors.ts';
import { saveText } from './data-folder.ts';
import { packageRoot } from './package-root.ts';

export type Values = Readonly<Record<string, string | number>>;

/**
 * Every file of `server/outside/<program>`, with `{{name}}` replaced by the value of that name.
 *
 * @throws Error when a file asks for a value that there is not: a fault of ours
 */
export function filledFiles(program: 'mosquitto' | 'nginx', values: Values): { name: string; text: string; mode: number }[] {
  const folder = join(packageRoot(), 'server', 'outside', program);
  return readdirSync(folder)
    .sort()
    .map((name) => {
      const text = readFileSync(join(folder, name), 'utf8').replace(/\{\{(\w+)\}\}/g, (_, key: string) => {
        const value = values[key];
        if (value === undefined) throw new Error(`server/outside/${program}/${name}: no value for ${key}`);
        return String(value);
      });
      const isProgram = (statSync(join(folder, name)).mode & 0o100) !== 0;
      return { name, text, mode: isProgram ? 0o755 : 0o644 };
    });
}

/**
 * Writes all of them into a new or empty folder; nothing that is there is ever replaced.
 *
 * @throws TsugiteError FILE_EXISTS
 */
export function writeFolder(folder: string, files: readonly { name: string; text: string; mode: number }[]): void {
  if (existsSync(folder) && readdirSync(folder).length > 0) throw new TsugiteError('FILE_EXISTS', { path: folder });
  mkdirSync(folder, { recursive: true, mode: 0o750 });
  for (const { name, text, mode } of files) {
    const path = join(folder, name);
    saveText(path, text, mode);
    chmodSync(path, mode); // not what the umask leaves
  }
}
