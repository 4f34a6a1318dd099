/** The files of Swagger UI, as its package ships them, read when somebody asks. */
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';

const require = createRequire(import.meta.url);

export type DocsFile = 'swagger-ui-bundle.js' | 'swagger-ui.css';

export function readDocsFile(name: DocsFile): Promise<Buffer> {
  return readFile(require.resolve(`swagger-ui-dist/${name}`));
}
