/**
 * Writes what is made from code: docs/ERRORS.md, docs/EVENTS.md and protocol/schemas/*.json. Run it in the repository's folder after a change of the
 * catalogue or of a schema: `npm run build && node dist/scripts/generate-docs.js`. The tests fail while a made file differs.
 */
import { writeFileSync } from 'node:fs';
import { errorsDocument } from './support/errors-document.ts';
import { eventsDocument } from './support/events-document.ts';
import { schemaFiles } from './support/schema-files.ts';

writeFileSync('docs/ERRORS.md', errorsDocument());
writeFileSync('docs/EVENTS.md', eventsDocument());
for (const [name, text] of schemaFiles()) writeFileSync(`protocol/schemas/${name}`, text);
