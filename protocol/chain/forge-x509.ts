/**
 * The part of node-forge that reads certificates, as an object of the library's own shape. The whole library is loaded by its name alone, TLS
 * and PKCS#12 included: 120 kB more to read and compile, each time an installer child starts.
 */
import 'node-forge/lib/md.all.js';
import 'node-forge/lib/x509.js';

export { default } from 'node-forge/lib/forge.js';
