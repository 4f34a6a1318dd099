/** A small agent of its own process: starts one app, prints its pid, and waits to be killed. */
import { aSandboxBench, quietApp } from './running-app.ts';

const bench = aSandboxBench();
const app = await bench.start('a', quietApp);
await app.readiness;
process.stdout.write(`${app.pid}\n`);
setInterval(() => {}, 1_000);
