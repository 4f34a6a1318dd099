/** A small agent of its own process: starts one app with an image for its data, prints its pid, and waits to be killed. */
import { makeChooseArea } from '../../agent/adapters/app-data/choose.ts';
import { makeSoftwareFolders } from '../../agent/adapters/software-folders.ts';
import { aSandboxBench, quietApp } from './running-app.ts';

const bench = aSandboxBench();
const folders = makeSoftwareFolders(bench.data, makeChooseArea(bench.runDir));
const { data } = await folders.prepareData({ software: 'demo.test', provider: 'acme' } as never, { uid: 20_001, bytes: 65_536 });
const app = await bench.start('a', quietApp, { data });
await app.readiness;
process.stdout.write(`${app.pid}\n`);
setInterval(() => {}, 1_000);
