/** @types/node-forge describes the whole; the files below it add their part to the one object of forge.js. */
declare module 'node-forge/lib/md.all.js';
declare module 'node-forge/lib/x509.js';
declare module 'node-forge/lib/forge.js' {
  export { default } from 'node-forge';
}
