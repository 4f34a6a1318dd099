/** What is built, and how: one folder of dist/ a program. A new child process or worker is a new row of `entries`, and of knip.jsonc. */
import { readdirSync } from 'node:fs';
import path from 'node:path';
import type { BuildOptions } from 'esbuild';

export type Program = {
  readonly name: string;
  /** output name without `.js` → source file */
  readonly entries: Readonly<Record<string, string>>;
  readonly isCommand: boolean;
  readonly options: BuildOptions;
};

const common: BuildOptions = {
  bundle: true,
  platform: 'node',
  format: 'esm',
  target: 'node20',
  charset: 'utf8', // the Japanese sentences: 3 bytes a character, not 6 as an escape
  logLevel: 'silent',
};
// CommonJS libraries inside an ES module bundle still call require() for Node's own modules.
const requireBanner = "import { createRequire as __createRequire } from 'node:module'; const require = __createRequire(import.meta.url);";

const leftOut = './scripts/support/not-in-the-agent.cjs';
/** What other people's modules ask for when they are loaded, and the agent has no use for: a quarter of what it would hold in memory. */
const agentAliases = {
  ws: leftOut, // mqtt.js: MQTT over WebSocket
  socks: leftOut, // mqtt.js: through a proxy
  'worker-timers': leftOut, // mqtt.js in a browser; ours are the clock's
  'lru-cache': leftOut, // mqtt.js: topic aliases of MQTT 5
  'thread-stream': leftOut, // pino's transports; ours writes synchronously
  debug: './scripts/support/silent-debug.cjs', // mqtt.js
  'readable-stream': 'node:stream', // the same code, from this Node
};

export const programs: readonly Program[] = [
  {
    name: 'agent',
    entries: { main: 'agent/main.ts', installer: 'agent/installer/main.ts' },
    isCommand: true,
    options: {
      ...common,
      // Each lazily loaded library is a chunk of its own: what an idle gateway does not use costs it no memory.
      splitting: true,
      minify: true,
      chunkNames: 'chunk-[name]-[hash]',
      banner: { js: requireBanner },
      alias: agentAliases,
    },
  },
  {
    name: 'server',
    entries: { main: 'server/main.ts', 'broker-worker': 'server/broker/worker.ts' },
    isCommand: true,
    // A verb that only asks the API loads the command line, not the server.
    options: { ...common, packages: 'external', sourcemap: 'linked', splitting: true, chunkNames: 'chunk-[name]-[hash]' },
  },
  {
    name: 'provider',
    entries: { main: 'provider/main.ts', inside: 'provider/emulator/inside.ts' },
    isCommand: true,
    options: { ...common, packages: 'external', sourcemap: 'linked' },
  },
  { name: 'scripts', entries: scriptEntries(), isCommand: false, options: { ...common, packages: 'external', sourcemap: 'linked' } },
];

/** Every scripts/*.ts is a program of its own, started by the thin shell script of the same name. */
function scriptEntries(): Record<string, string> {
  const names = readdirSync('scripts').filter((file) => file.endsWith('.ts') && file !== 'build.ts');
  return Object.fromEntries(names.map((file) => [path.basename(file, '.ts'), `scripts/${file}`]));
}
