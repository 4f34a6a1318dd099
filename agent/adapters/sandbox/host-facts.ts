/** What this machine gives to every sandbox: node, its libraries and a generated /etc. */

import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { etcFiles } from '../../rules/sandbox-etc.ts';
import type { HostFacts } from '../../rules/sandbox-profile.ts';

/** @param runDir  a folder of this agent's run; the generated /etc is written below it */
export function readHostFacts(runDir: string): HostFacts {
  const etcDir = join(runDir, 'etc');
  mkdirSync(etcDir, { recursive: true, mode: 0o755 });
  for (const [name, content] of Object.entries(etcFiles)) writeFileSync(join(etcDir, name), content, { mode: 0o644 });
  // Apps run the agent's own binary, the same inode, so that its pages are shared.
  return { nodeBinary: process.execPath, nodeLibraries: loadedLibraries(), etcDir };
}

/** As the loader of this very process found them: no guess about paths, no `ldd`, right on glibc and musl alike. */
function loadedLibraries(): string[] {
  const report = process.report.getReport() as unknown as { sharedObjects: string[] };
  return report.sharedObjects.filter((path) => path.startsWith('/') && path !== process.execPath);
}
