/** One file for every arrow of .dependency-cruiser.cjs that breaks it, and files that break none. */

export const violations: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  'no-circular': {
    'protocol/hen.ts': "import { egg } from './egg.ts';\nexport const hen = (): unknown => egg;\n",
    'protocol/egg.ts': "import { hen } from './hen.ts';\nexport const egg = (): unknown => hen;\n",
  },
  'no-unresolvable': { 'protocol/lost.ts': "export { nothing } from './nowhere.ts';\n" },
  'no-dev-dependency-in-programs': { 'server/adapters/tool.ts': "export { build } from 'esbuild';\n" },
  'programs-do-not-meet': { 'agent/compose-server.ts': "export { decideServer } from '../server/rules/good.ts';\n" },
  'protocol-stands-alone': { 'protocol/curious.ts': "export { decide } from '../agent/rules/good.ts';\n" },
  'protocol-has-no-io': { 'protocol/reader.ts': "export { readFileSync } from 'node:fs';\n" },
  'rules-import-protocol-only': { 'agent/rules/with-library.ts': "export { randomBytes } from 'node:crypto';\n" },
  'rules-know-no-outer-room': { 'agent/rules/asks-port.ts': "import type { Store } from '../ports.ts';\nexport type Asked = Store;\n" },
  'flows-ask-rules-and-ports': {
    'agent/flows/meets-adapter.ts': "import type { store } from '../adapters/store.ts';\nexport type S = typeof store;\n",
  },
  'flows-import-no-library': { 'server/flows/with-library.ts': "export { Pool } from 'pg';\n" },
  'ports-are-types': { 'server/ports.ts': "export { serverStore } from './adapters/store.ts';\n" },
  'adapters-start-no-flow': { 'server/adapters/starts-flow.ts': "export { flow } from '../flows/good.ts';\n" },
  'only-compose-meets-adapters': { 'agent/shortcut.ts': "export { store } from './adapters/store.ts';\n" },
  'nobody-imports-main': { 'agent/compose-main.ts': "export { run } from './main.ts';\n" },
  'agent-touches-the-machine-in-adapters': { 'agent/flows/reads-disk.ts': "export { readFileSync } from 'node:fs';\n" },
  'server-touches-the-machine-outside-rules-and-flows': { 'server/flows/calls-out.ts': "export { request } from 'node:https';\n" },
  'zod-mini-only': { 'protocol/classic.ts': "export { z } from 'zod';\n" },
  'forge-has-three-rooms': { 'agent/adapters/forge-here.ts': "export { default } from 'node-forge';\n" },
  'tar-reads-packages-only': { 'agent/adapters/unpacks.ts': "export { Parser } from 'tar';\n" },
  'agent-libraries': { 'agent/adapters/browses.ts': "export { default } from 'fastify';\n" },
  'programs-import-no-tools': { 'provider/uses-test.ts': "export { builder } from '../test/support/builder.ts';\n" },
};

export const allowed: Readonly<Record<string, string>> = {
  'protocol/word.ts': "import { createHash } from 'node:crypto';\nexport const word = createHash;\n",
  'protocol/shape.ts': "export { object } from 'zod/mini';\n",
  'protocol/package/read.ts': "export { Parser } from 'tar';\n",
  'protocol/chain/forge-gate.ts': "export { default } from 'node-forge';\n",
  'agent/rules/good.ts':
    "import type { KeyObject } from 'node:crypto';\nimport { word } from '../../protocol/word.ts';\nexport const decide = (key: KeyObject): unknown => [word, key];\n",
  'agent/ports.ts': "import type { KeyObject } from 'node:crypto';\nexport type Store = { key: KeyObject };\n",
  'agent/flows/good.ts':
    "import type { Store } from '../ports.ts';\nimport { decide } from '../rules/good.ts';\nexport const flow = (store: Store): unknown => decide(store.key);\n",
  'agent/adapters/store.ts':
    "import { readFileSync } from 'node:fs';\nimport type { Store } from '../ports.ts';\nexport const store: [typeof readFileSync, Store?] = [readFileSync];\n",
  'agent/adapters/est-client.ts': "export { default } from 'node-forge';\n",
  'agent/compose.ts': "export { store } from './adapters/store.ts';\nexport { flow } from './flows/good.ts';\n",
  'agent/main.ts':
    "import { readFileSync } from 'node:fs';\nimport { store } from './compose.ts';\nexport const run = [readFileSync, store];\n",
  'server/rules/good.ts': "export { word as decideServer } from '../../protocol/word.ts';\n",
  'server/flows/good.ts': "export { decideServer as flow } from '../rules/good.ts';\n",
  'server/adapters/asks-rule.ts': "export { decideServer } from '../rules/good.ts';\n",
  'server/adapters/store.ts': "export { Pool as serverStore } from 'pg';\n",
  'server/compose.ts': "export { decideServer } from './rules/good.ts';\nexport { serverStore } from './adapters/store.ts';\n",
  'test/support/builder.ts': "export { decide as builder } from '../../agent/rules/good.ts';\n",
};
