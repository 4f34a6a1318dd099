/** A program's folder that another uid can read: the folder itself, or a copy where the clone was made with a closed umask. */
import { chmodSync, copyFileSync, mkdirSync, readdirSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';

const othersRead = 0o004;
const othersEnter = 0o005;

/** @param copyDir  made anew when it is needed; nothing else may stand there */
export function readableProgram(dir: string, copyDir: string): string {
  if (isReadable(dir)) return dir;
  rmSync(copyDir, { recursive: true, force: true });
  mkdirSync(copyDir, { recursive: true });
  chmodSync(copyDir, 0o755); // mkdir's mode would be cut by the same umask
  for (const { name } of filesOf(dir)) {
    copyFileSync(join(dir, name), join(copyDir, name));
    chmodSync(join(copyDir, name), 0o644);
  }
  return copyDir;
}

function isReadable(dir: string): boolean {
  return (
    (statSync(dir).mode & othersEnter) === othersEnter &&
    filesOf(dir).every(({ name }) => (statSync(join(dir, name)).mode & othersRead) !== 0)
  );
}

function filesOf(dir: string) {
  return readdirSync(dir, { withFileTypes: true }).filter((entry) => entry.isFile());
}
