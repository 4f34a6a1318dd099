/** Stands in the agent's bundle for libraries that the agent never uses (see scripts/build.ts): using one anyway fails loudly. */
export default new Proxy(class {}, {
  construct() {
    throw new Error('not part of the agent: WebSocket and SOCKS are left out of its bundle');
  },
});
export const SocksClient = undefined;
