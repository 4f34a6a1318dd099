import { existsSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const programs = { agent: 'agent/main.js', inside: 'provider/inside.js' } as const;

/** The emulator starts built programs, as a gateway would: those of the dist folder of the package that this file belongs to. */
export function programPath(program: keyof typeof programs): string {
  for (let folder = path.dirname(fileURLToPath(import.meta.url)); folder !== path.dirname(folder); folder = path.dirname(folder)) {
    const candidate = path.join(folder, 'dist', programs[program]);
    if (existsSync(candidate)) return candidate;
  }
  throw new Error(`dist/${programs[program]} is not built: run scripts/setup`);
}
