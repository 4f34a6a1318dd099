/** docs/operations/{operator,provider}-first-day.md, as they are written: one shell, the real programs, one household. */
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { repository } from '../../scripts/story/programs.ts';
import { freePorts } from '../../scripts/story/world.ts';
import { aShell, makeReading, stepsOf } from '../support/transcript.ts';

const documents = ['operator-first-day', 'provider-first-day'].map((name) => path.join(repository, `docs/operations/${name}.md`));
let folder: string;
let shell: ReturnType<typeof aShell>;
const ports = new Map<string, string>();
const reading = makeReading();

beforeAll(async () => {
  folder = mkdtempSync(path.join(tmpdir(), 'tsugite-day-'));
  chmodSync(folder, 0o711);
  const bin = path.join(folder, 'bin');
  mkdirSync(bin);
  for (const [command, program] of Object.entries({ tsugite: 'provider', 'tsugite-server': 'server', 'tsugite-agent': 'agent' }))
    writeFileSync(path.join(bin, command), `#!/bin/sh\nexec ${process.execPath} ${repository}/dist/${program}/main.js "$@"\n`, {
      mode: 0o755,
    });
  const [people, https, mqtt] = await freePorts(3);
  for (const [written, port] of [
    ['8080', people],
    ['8443', https],
    ['8883', mqtt],
  ] as const)
    ports.set(written, String(port));
  writeFileSync(
    path.join(folder, 'server.json'),
    JSON.stringify({
      people: { port: people },
      gateways: { https: { port: https }, mqtt: { port: mqtt }, publicHost: '198.18.0.1' },
      policy: { probationS: 3, jitterS: 0 },
      billing: { registrationNumber: 'none' },
    }),
  );
  shell = aShell(folder, {
    PATH: `${bin}:/usr/sbin:/usr/bin:/sbin:/bin`,
    HOME: folder,
    LANG: 'C.UTF-8',
    TSUGITE_SERVER: `http://127.0.0.1:${people}`,
  });
}, 30_000);
afterAll(async () => {
  await shell.stop();
  rmSync(folder, { recursive: true, force: true });
}, 30_000);

const withOurs = (text: string): string => text.replace(/(?<=:)(8080|8443|8883)/g, (port) => ports.get(port) ?? port);
const asWritten = (text: string): string =>
  [...ports].reduce((rest, [written, port]) => rest.replaceAll(`:${port}`, `:${written}`), text).replaceAll(folder, '/srv/tsugite');

describe.each(documents.map((file) => ({ file, name: path.basename(file, '.md') })))('$name', ({ file }) => {
  test.each(stepsOf(readFileSync(file, 'utf8')))('line $line: $command', async (step) => {
    const printed = asWritten(await shell.run(withOurs(reading.commandFor(step))));
    const expected = reading.differenceTo(step, printed);
    if (expected !== undefined) expect(printed).toBe(expected);
  });
});
