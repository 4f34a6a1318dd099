/**
 * The embedded broker in a process of its own, which lets everybody in: started with another OpenSSL configuration than the tests'. Reads its settings
 * from the file that it is given, says its port, and ends with its standard input.
 */
import { readFileSync } from 'node:fs';
import { pathToFileURL } from 'node:url';
import { makeBroker } from '../../server/adapters/broker.ts';
import { systemClock } from '../../server/adapters/clock.ts';

const { settings, workerFile } = JSON.parse(readFileSync(process.argv[2] ?? '', 'utf8'));
const broker = makeBroker({
  settings,
  clock: systemClock,
  log: { info: () => {}, warn: () => {}, error: () => {} },
  workerFile: pathToFileURL(workerFile),
});
const port = await broker.start({
  mayConnect: async () => 'allow',
  take: async () => {},
  gone: async () => {},
  refill: async () => {},
});
process.stdout.write(`${port}\n`);
process.stdin.on('end', () => process.exit()).resume();
