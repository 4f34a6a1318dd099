/** The files of Swagger UI, as its package ships them, read when somebody asks. */
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';

const require = createRequire(import.meta.url);

const pathOf = {
  'swagger-ui-bundle.js': () => require.resolve('swagger-ui-dist/swagger-ui-bundle.js'),
  'swagger-ui.css': () => require.resolve('swagger-ui-dist/swagger-ui.css'),
};

export function readDocsFile(name: keyof typeof pathOf): Promise<Buffer> {
  return readFile(pathOf[name]());
}
