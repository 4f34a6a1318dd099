/**
 * The arrows of the house (docs/ARCHITECTURE.md). test/house.test.ts plants a violation of every rule below and checks that it is found.
 *
 *   main → compose → adapters → ports → protocol
 *          compose → flows → rules → protocol        flows → ports        adapters → rules
 *   agent ✗ server ✗ provider
 */
const program = '^(agent|server|provider)/';
const library = (name) => `(^|/)node_modules/${name}/`;

/** Node's own modules that only compute: no disk, no network, no clock, no process. */
const computingModules = '^(node:)?(assert|buffer|crypto|stream|stream/promises|string_decoder|util|zlib)$';
const builtIn = { dependencyTypes: ['core'], dependencyTypesNot: ['type-only'] };

const forbidden = [
  {
    name: 'no-circular',
    comment: 'Two files that need each other are one file, or a third one is missing.',
    from: {},
    to: { circular: true, viaOnly: { dependencyTypesNot: ['type-only'] } },
  },
  { name: 'no-unresolvable', comment: 'An import that leads nowhere.', from: {}, to: { couldNotResolve: true } },
  {
    name: 'no-dev-dependency-in-programs',
    comment: 'What runs at a user may need only "dependencies".',
    from: { path: '^(protocol|agent|server|provider)/' },
    to: { dependencyTypes: ['npm-dev'], dependencyTypesNot: ['type-only'] },
  },
  {
    name: 'programs-do-not-meet',
    comment:
      'The three programs talk through protocol/ and the network. The emulator and the testkit start the others as programs; they do not import them.',
    from: { path: program },
    to: { path: program, pathNot: '^$1/' },
  },
  {
    name: 'protocol-stands-alone',
    comment: 'Everybody imports protocol/; it imports nobody.',
    from: { path: '^protocol/' },
    to: { path: '^(agent|server|provider|scripts|test|fixtures)/' },
  },
  {
    name: 'protocol-has-no-io',
    comment: 'protocol/ computes: bytes in, values out.',
    from: { path: '^protocol/' },
    to: { ...builtIn, pathNot: computingModules },
  },
  {
    name: 'rules-import-protocol-only',
    comment: 'A rule is proven with plain values: no disk, network, clock, random, log or library.',
    from: { path: '^(agent|server|provider)/rules/' },
    to: { pathNot: ['^protocol/', '^$1/rules/'], dependencyTypesNot: ['type-only'] },
  },
  {
    name: 'rules-know-no-outer-room',
    comment: 'Not even a type of a port, a flow or an adapter: a rule is the innermost room.',
    from: { path: '^(agent|server|provider)/rules/' },
    to: { path: program, pathNot: '^$1/rules/' },
  },
  {
    name: 'flows-ask-rules-and-ports',
    comment: 'A flow is tested with fakes in memory: it never meets an adapter.',
    from: { path: '^(agent|server)/flows/' },
    to: { path: program, pathNot: '^$1/(flows/|rules/|ports[./]|config[.]|events[.])' },
  },
  {
    name: 'flows-import-no-library',
    comment: 'A library is an outside thing: it stands behind a port.',
    from: { path: '^(agent|server)/flows/' },
    to: { path: '(^|/)node_modules/', dependencyTypesNot: ['type-only'] },
  },
  {
    name: 'ports-are-types',
    comment: 'A port says what a flow needs; it knows protocol/ and nothing that runs.',
    from: { path: '^(agent|server)/ports[./]' },
    to: { path: [program, '(^|/)node_modules/'], pathNot: '^$1/(ports[./]|rules/)', dependencyTypesNot: ['type-only'] },
  },
  {
    name: 'adapters-start-no-flow',
    comment: 'An adapter does one outside thing for whoever calls it. It may ask a rule (docs/decisions/0009), never a flow or compose.',
    from: { path: '^(agent|server)/adapters/' },
    to: { path: '^$1/flows/|^$1/(main|compose)[.]' },
  },
  {
    name: 'only-compose-meets-adapters',
    comment: 'compose.ts is the one page that shows what is joined to what. The installer and the broker worker are programs of their own.',
    from: { path: '^(agent|server)/', pathNot: '^(agent|server)/(adapters|installer|broker)/|^(agent|server)/compose([.]|/)' },
    to: { path: '^$1/adapters/', dependencyTypesNot: ['type-only'] },
  },
  {
    name: 'nobody-imports-main',
    comment: 'main.ts reads the command line, calls compose and sets the exit code.',
    from: { path: '^(protocol|agent|server|provider|scripts)/' },
    to: { path: '^(agent|server|provider)/main[.]ts$' },
  },
  {
    name: 'agent-touches-the-machine-in-adapters',
    comment: 'Disk, network and processes of the gateway stand behind ports.',
    from: { path: '^agent/', pathNot: '^agent/(adapters|installer)/|^agent/(main|config)[.]ts$|^agent/compose([.]|/)' },
    to: { ...builtIn, pathNot: computingModules },
  },
  {
    name: 'server-touches-the-machine-outside-rules-and-flows',
    comment: 'Disk, network and processes of the server stand behind ports.',
    from: { path: '^server/(rules|flows)/|^server/ports[./]' },
    to: { ...builtIn, pathNot: computingModules },
  },
  {
    name: 'zod-mini-only',
    comment: 'Classic zod costs the agent 3 MB of memory; protocol/ and agent/ use zod/mini.',
    from: { path: '^(agent|protocol)/' },
    to: { path: library('zod'), pathNot: '(^|/)node_modules/zod/mini/' },
  },
  {
    name: 'forge-has-three-rooms',
    comment: 'node-forge is loaded where RSA chains are checked or made, and for the enrolment request; the idle agent never holds it.',
    from: { path: '^(protocol|agent|server|provider)/', pathNot: '^protocol/chain/|^provider/|^agent/adapters/est|^server/adapters/' },
    to: { path: library('node-forge') },
  },
  {
    name: 'tar-reads-packages-only',
    comment: 'One reader of foreign archives, with one set of name rules.',
    from: { path: '^(protocol|agent|server|provider)/', pathNot: '^protocol/package/' },
    to: { path: library('tar') },
  },
  {
    name: 'agent-libraries',
    comment: 'Every library in the agent is memory and attack surface on a million gateways: a new one needs a decision record.',
    from: { path: '^(agent|protocol)/' },
    to: {
      path: '(^|/)node_modules/',
      pathNot: '(^|/)node_modules/(mqtt|node-forge|tar|semver|pino|zod|@types)/',
      dependencyTypesNot: ['type-only'],
    },
  },
  {
    name: 'programs-import-no-tools',
    comment: 'scripts/ and test/ use the programs, not the other way round.',
    from: { path: '^(protocol|agent|server|provider)/' },
    to: { path: '^(scripts|test|fixtures)/' },
  },
];

module.exports = {
  forbidden: forbidden.map((rule) => ({ severity: 'error', ...rule })),
  options: {
    doNotFollow: { path: 'node_modules' },
    exclude: { path: '^dist/' },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    enhancedResolveOptions: { exportsFields: ['exports'], conditionNames: ['import', 'node', 'default', 'types'] },
  },
};
