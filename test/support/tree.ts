/** What stands on a disk below a folder: every name with its kind, owner, mode and content, to be compared with how it was. */
import { createHash } from 'node:crypto';
import { existsSync, lstatSync, readdirSync, readFileSync, readlinkSync } from 'node:fs';
import path from 'node:path';

export function treeOf(folder: string, name = ''): Record<string, string> {
  if (!existsSync(folder)) return {};
  const entries = readdirSync(folder, { recursive: true, encoding: 'utf8' }).sort();
  return Object.fromEntries(entries.map((entry) => [path.join(name, entry), lookAt(path.join(folder, entry))]));
}

function lookAt(file: string): string {
  const { mode, uid } = lstatSync(file);
  const about = `${mode.toString(8)} ${uid}`;
  const kind = mode & 0o170000;
  if (kind === 0o120000) return `${about} → ${readlinkSync(file)}`;
  return kind === 0o100000 ? `${about} ${createHash('sha256').update(readFileSync(file)).digest('hex')}` : about;
}
