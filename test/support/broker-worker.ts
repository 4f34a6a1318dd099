import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { build } from 'esbuild';
import { onceARun } from './once-a-run.ts';

/** A worker thread runs JavaScript only: bundled as the build does it, once a run. */
export async function brokerWorkerFile(): Promise<URL> {
  const name = 'broker-worker.mjs';
  const folder = await onceARun('broker', async (outdir) => {
    await build({
      entryPoints: ['server/broker/worker.ts'],
      outfile: path.join(outdir, name),
      bundle: true,
      platform: 'node',
      format: 'esm',
      target: 'node20',
      logLevel: 'error',
      banner: { js: "import { createRequire as __createRequire } from 'node:module'; const require = __createRequire(import.meta.url);" },
    });
  });
  return pathToFileURL(path.join(folder, name));
}
