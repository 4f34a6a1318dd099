// Stands in the agent's bundle for libraries that others ask for at load and the agent never uses (./programs.ts says why): use one and it fails.
function fail() {
  throw new Error('left out of the agent: see scripts/support/programs.ts');
}
module.exports = new Proxy(fail, {
  get: (target, name) => (name === '__esModule' || typeof name === 'symbol' ? undefined : target),
});
