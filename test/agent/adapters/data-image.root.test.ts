/** Real images, mounted by the launcher itself in a real sandbox. */
import { execFileSync } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { makeChooseArea } from '../../../agent/adapters/app-data/choose.ts';
import { readImage } from '../../../agent/adapters/app-data/image-tools.ts';
import { makeSoftwareFolders } from '../../../agent/adapters/software-folders.ts';
import { imageBytesFor, usableBytesOf } from '../../../agent/rules/data-image.ts';
import { aFlash } from '../../support/flash.ts';
import { mountsAndLoops } from '../../support/leftovers.ts';
import { aSandboxBench, quietApp } from '../../support/running-app.ts';

const mebibyte = 1024 * 1024;
const of = { software: 'demo.test', provider: 'acme' } as never;
const uid = 20_001;

let bench: ReturnType<typeof aSandboxBench>;
beforeEach(() => {
  bench = aSandboxBench();
});
afterEach(async () => {
  await bench.end();
  expect(mountsAndLoops()).toEqual([]);
});

const limits = { installedBytes: 1_000_000, dataBytes: 4 * mebibyte, memoryBytes: 64 << 20, cpuPercent: 100, pids: 32, files: 64 };
const folders = () => makeSoftwareFolders(bench.data, makeChooseArea(bench.runDir));
const folder = () => join(bench.data, 'software', 'acme', 'demo.test');
const image = () => join(folder(), 'data.img');
const prepare = (bytes = 4 * mebibyte) => folders().prepareData(of, { uid, bytes });
/** Runs a program over the data, to its end. */
const inside = async (program: string, bytes = 4 * mebibyte) => {
  const { data, news } = await prepare(bytes);
  const { lines } = await bench.run('a', `const fs = require('fs'); ${program}`, { data, uid } as never);
  return { said: lines, news };
};
const say = (expression: string) => `console.log(JSON.stringify(${expression}));`;
const said = ({ said: [line] }: { said: string[] }) => JSON.parse(line ?? 'null');

describe('what an app gets', () => {
  test.each([65_536, 4 * mebibyte, 8 * mebibyte, 20_000_000])('%i bytes that are usable, its own, and empty', async (bytes) => {
    const answer = await inside(
      say(
        `(() => { const { bavail, bsize } = fs.statfsSync('/data'); return { free: bavail * bsize, uid: fs.statSync('/data').uid, names: fs.readdirSync('/data') }; })()`,
      ),
      bytes,
    );
    const { free, ...rest } = said(answer);
    expect(rest).toEqual({ uid: 1000, names: [] });
    expect(free).toBeGreaterThanOrEqual(bytes);
    expect(free).toBeGreaterThanOrEqual(usableBytesOf(imageBytesFor(bytes)) - 1024);
    expect(free).toBeLessThan(usableBytesOf(imageBytesFor(bytes)) + 64 * 1024);
    expect(statSync(image()).size).toBe(imageBytesFor(bytes));
    // Every block is taken: an app that fills its own storage never meets the end of the gateway's.
    expect(statSync(image()).blocks * 512).toBeGreaterThanOrEqual(statSync(image()).size);
  });

  test('no more than that, in bytes or in files: the kernel says no, and the gateway’s own disk is not touched', async () => {
    const answer = await inside(
      `let bytes = 0, files = 0, why = [];
       const fill = (name, size, step) => { const file = fs.openSync(name, 'w'); try { for (; bytes < size; bytes += step) fs.writeSync(file, Buffer.alloc(step)); } catch (error) { why.push(error.code); } fs.closeSync(file); };
       fill('/data/big', 64 << 20, 65536);
       const full = bytes; fs.rmSync('/data/big');
       try { for (;; files++) fs.writeFileSync('/data/f' + files, ''); } catch (error) { why.push(error.code); }
       ${say('{ full, files, why }')}`,
    );
    const { full, files, why } = said(answer);
    expect(why).toEqual([expect.stringMatching(/ENOSPC|EFBIG/), 'ENOSPC']);
    expect(full).toBeLessThan(usableBytesOf(imageBytesFor(4 * mebibyte)) + 200_000);
    expect(files).toBeLessThan(imageBytesFor(4 * mebibyte) / 4_096);
  });

  test('no program, no device, no setuid file: the mount says so to the kernel', async () => {
    const answer = await inside(
      `fs.copyFileSync('/usr/bin/node', '/tmp/x').toString; `.replace(/^.*$/, '') +
        `fs.writeFileSync('/data/x', '#!/usr/bin/node\\n', { mode: 0o755 }); fs.chmodSync('/data/x', 0o4755);
         const run = require('child_process').spawnSync('/data/x');
         const options = fs.readFileSync('/proc/self/mountinfo', 'utf8').split('\\n').map((line) => line.split(' ')).find((fields) => fields[4] === '/data')[5].split(',');
         ${say('{ why: run.error?.code, options }')}`,
    );
    const { why, options } = said(answer);
    expect(why).toBe('EACCES');
    expect(options).toEqual(expect.arrayContaining(['nosuid', 'nodev', 'noexec']));
  });

  test('its data again at the next start', async () => {
    await inside(`fs.writeFileSync('/data/note', 'of this household');`);
    expect(said(await inside(say(`fs.readFileSync('/data/note', 'utf8')`)))).toBe('of this household');
  });
});

describe('the mount', () => {
  test('is seen by the app alone: not by the gateway, and gone when the app is killed', async () => {
    const { data } = await prepare();
    const app = await bench.start('a', quietApp, { data, uid } as never);
    await app.readiness;
    expect(readFileSync('/proc/self/mountinfo', 'utf8')).not.toContain('data.img');
    expect(readFileSync(`/proc/${app.pid}/mountinfo`, 'utf8')).toMatch(/ \/data .*ext4/);
    expect(app.dataUsedBytes()).toBeLessThan(64 * 1024);
    process.kill(app.pid, 'SIGKILL');
    await app.exited;
    await folders().prepareData(of, { uid, bytes: 4 * mebibyte }); // waits until the kernel has let go
    expect(mountsAndLoops()).toEqual([]);
  });

  test('behind a folder that only root may enter works like any other', async () => {
    const closed = aSandboxBench({ closedParent: true });
    try {
      const { data } = await makeSoftwareFolders(closed.data, makeChooseArea(closed.runDir)).prepareData(of, { uid, bytes: 65_536 });
      const { lines } = await closed.run('a', `require('fs').writeFileSync('/data/x', 'x'); console.log('written')`, {
        data,
        uid,
      } as never);
      expect(lines).toEqual(['written']);
    } finally {
      await closed.end();
    }
  });
});

describe('another limit', () => {
  const note = `fs.writeFileSync('/data/note', 'as it was');`;
  const look = say(
    `(() => { const { blocks, bsize } = fs.statfsSync('/data'); return [fs.readFileSync('/data/note', 'utf8'), blocks * bsize]; })()`,
  );

  test('that is higher is there at the next start, the data untouched', async () => {
    await inside(note);
    const answer = await inside(look, 8 * mebibyte);
    expect(answer.news.map(({ event }) => event)).toEqual(['storage.resized']);
    expect(said(answer)).toEqual(['as it was', expect.toSatisfy((bytes: number) => bytes > 8 * mebibyte)]);
    expect(statSync(image()).size).toBe(imageBytesFor(8 * mebibyte));
  });

  test('that is higher is given to software that runs, or waits for its next start where the kernel refuses; it is told which', async () => {
    const { data } = await prepare();
    const app = await bench.start(
      'a',
      `${quietApp}
       const fs = require('fs'); const file = fs.openSync('/data/big', 'w');
       const write = () => { try { for (;;) fs.writeSync(file, Buffer.alloc(65536)); } catch (error) { console.log(error.code + ' ' + fs.fstatSync(file).size); } };
       write(); setInterval(write, 100);`,
      { data, uid, limits: { ...limits, dataBytes: 16 * mebibyte } } as never,
    );
    const sizes = () => bench.lines.map((line) => Number(line.split(' ')[1]));
    await expect.poll(() => sizes().length, { timeout: 10_000 }).toBeGreaterThan(0);
    const had = sizes()[0] ?? 0;
    expect(bench.lines[0]).toMatch(/^ENOSPC/);

    // ext4 asks for CAP_SYS_RESOURCE (bit 24), which this machine's root may lack.
    const mayGrow = (BigInt(`0x${/^CapEff:\s+(\w+)/m.exec(readFileSync('/proc/self/status', 'utf8'))?.[1]}`) & (1n << 24n)) !== 0n;
    expect(await app.growData(8 * mebibyte)).toBe(mayGrow);
    if (mayGrow) await expect.poll(() => sizes().at(-1), { timeout: 10_000 }).toBeGreaterThan(had + 3 * mebibyte);
    await app.stop(1_000);
    expect((await prepare(8 * mebibyte)).news.map(({ event }) => event)).toEqual(mayGrow ? [] : ['storage.resized']);
    expect(readImage(image())).toMatchObject({
      bytes: imageBytesFor(8 * mebibyte),
      usedBytes: expect.toSatisfy((bytes: number) => bytes >= had),
    });
  });

  test.each([
    [65_536, 4 * mebibyte],
    [65_536, 8 * mebibyte],
    [4 * mebibyte, 5_000_000],
    [4 * mebibyte, 20_000_000],
    [20_000_000, 3 * mebibyte],
    [8 * mebibyte, 65_536],
  ])('from %i to %i: what is usable then is at least what is granted then', async (from, to) => {
    await inside('', from);
    const free = said(await inside(say(`(() => { const { bavail, bsize } = fs.statfsSync('/data'); return bavail * bsize; })()`), to));
    expect(free).toBeGreaterThanOrEqual(to);
    expect(statSync(image()).size).toBe(imageBytesFor(to));
  });

  test('that is lower makes it smaller when less is in it', async () => {
    await inside(note, 8 * mebibyte);
    const answer = await inside(look);
    expect(answer.news.map(({ event }) => event)).toEqual(['storage.resized']);
    expect(said(answer)[0]).toBe('as it was');
    expect(statSync(image()).size).toBe(imageBytesFor(4 * mebibyte));
    expect(readdirSync(folder())).toEqual(['data.img']);
  });

  test('that is lower than what is in it is E305: the old size, and everything is there', async () => {
    await inside(`${note} fs.writeFileSync('/data/big', Buffer.alloc(${5 * mebibyte}, 1));`, 8 * mebibyte);
    const answer = await inside(look);
    expect(answer.news).toMatchObject([
      { event: 'storage.not_resized', fault: { code: 'STORE_NO_SPACE', detail: { kind: 'data-limit', limit: 4 * mebibyte } } },
    ]);
    expect(answer.news[0]?.fault?.detail.actual).toBeGreaterThan(5 * mebibyte);
    expect(said(answer)[0]).toBe('as it was');
    expect(statSync(image()).size).toBe(imageBytesFor(8 * mebibyte));
  });
});

describe('a folder from before there were images', () => {
  const make = (bytes: number) => {
    const data = join(folder(), 'data');
    mkdirSync(join(data, 'deep', 'er'), { recursive: true });
    writeFileSync(join(data, 'deep', 'er', '日本語'), 'kept');
    writeFileSync(join(data, 'big'), Buffer.alloc(bytes, 1));
    symlinkSync('/etc/shadow', join(data, 'link'));
    execFileSync('chown', ['-Rh', `${uid}:${uid}`, data]);
  };
  const look = say(
    `[fs.readFileSync('/data/deep/er/日本語', 'utf8'), fs.statSync('/data/big').size, fs.readlinkSync('/data/link'), fs.statSync('/data/big').uid]`,
  );

  test('is moved into one, links as links, owners as they were, and the folder is erased', async () => {
    make(1_000_000);
    const answer = await inside(look);
    expect(answer.news.map(({ event }) => event)).toEqual(['storage.moved']);
    expect(said(answer)).toEqual(['kept', 1_000_000, '/etc/shadow', 1000]);
    expect(readdirSync(folder())).toEqual(['data.img']);
  });

  test('with more in it than the limit is kept whole, and told', async () => {
    make(6 * mebibyte);
    const answer = await inside(look);
    expect(answer.news.map(({ event }) => event)).toEqual(['storage.moved', 'storage.not_resized']);
    expect(said(answer)[1]).toBe(6 * mebibyte);
  });

  test('without room for both stays a folder for now, and the software runs', async () => {
    const small = mkdtempSync(join(tmpdir(), 'small-'));
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=3m', 'small', small]);
    try {
      const data = join(small, 'software', 'acme', 'demo.test', 'data');
      mkdirSync(data, { recursive: true });
      writeFileSync(join(data, 'note'), 'kept');
      const prepared = await makeSoftwareFolders(small, makeChooseArea(join(small, 'run'))).prepareData(of, { uid, bytes: 4 * mebibyte });
      expect(prepared).toMatchObject({
        data: { kind: 'folder', path: data },
        news: [{ event: 'storage.not_moved', fault: { code: 'STORE_NO_SPACE' } }],
      });
      expect(readFileSync(join(data, 'note'), 'utf8')).toBe('kept');
    } finally {
      execFileSync('umount', [small]);
      rmSync(small, { recursive: true });
    }
  });

  test('that a power cut found half moved is moved again', async () => {
    make(1_000);
    writeFileSync(join(folder(), 'data.img.new'), 'half');
    expect(said(await inside(look))[0]).toBe('kept');
  });
});

describe('data set aside for an update', () => {
  test('come back as they were, and are dropped with the commit', async () => {
    await inside(`fs.writeFileSync('/data/note', 'format 1');`);
    await folders().keepData(of);
    await inside(`fs.writeFileSync('/data/note', 'format 2');`);
    await folders().restoreData(of);
    expect(said(await inside(say(`fs.readFileSync('/data/note', 'utf8')`)))).toBe('format 1');
    await folders().keepData(of);
    await folders().dropKeptData(of);
    expect(readdirSync(folder())).toEqual(['data.img']);
  });

  test('before there were images come back too', async () => {
    mkdirSync(join(folder(), 'data'), { recursive: true });
    writeFileSync(join(folder(), 'data', 'note'), 'format 1');
    execFileSync('cp', ['-a', join(folder(), 'data'), join(folder(), 'data.kept')]);
    execFileSync('chown', ['-R', `${uid}:${uid}`, folder()]);
    await inside(`fs.writeFileSync('/data/note', 'format 2');`);
    await folders().restoreData(of);
    expect(said(await inside(say(`fs.readFileSync('/data/note', 'utf8')`)))).toBe('format 1');
  });
});

describe('a power cut', () => {
  test('right after a start was prepared: what was made, resized or moved is on the flash, whole', async () => {
    const flash = aFlash(64);
    try {
      const onFlash = () => makeSoftwareFolders(flash.at, makeChooseArea(join(flash.at, 'run')));
      const there = join(flash.at, 'software', 'acme', 'demo.test');
      const whole = () => execFileSync('e2fsck', ['-f', '-n', join(there, 'data.img')], { stdio: 'pipe' });
      mkdirSync(join(there, 'data'), { recursive: true });
      writeFileSync(join(there, 'data', 'note'), 'from before');
      execFileSync('sync', ['-f', flash.at]);
      for (const bytes of [4 * mebibyte, 8 * mebibyte, 65_536]) {
        await onFlash().prepareData(of, { uid, bytes });
        flash.cutPower();
        expect(readdirSync(there)).toEqual(['data.img']);
        expect(readImage(join(there, 'data.img')).bytes).toBe(imageBytesFor(bytes));
        whole();
        expect(execFileSync('debugfs', ['-R', 'cat /note', join(there, 'data.img')], { encoding: 'utf8', stdio: 'pipe' })).toBe(
          'from before',
        );
      }
    } finally {
      flash.remove();
    }
  });

  test('while a smaller image takes the place of a larger: one of the two is in force', async () => {
    await inside(`fs.writeFileSync('/data/note', 'x');`, 8 * mebibyte);
    renameSync(image(), join(folder(), 'data.img.old'));
    writeFileSync(join(folder(), 'data.img.new'), 'half');
    expect(said(await inside(say(`fs.readFileSync('/data/note', 'utf8')`), 8 * mebibyte))).toBe('x');
    expect(readdirSync(folder())).toEqual(['data.img']);
  });

  test('after the file was made longer and before its file system was: the next start makes up for it', async () => {
    await inside(`fs.writeFileSync('/data/note', 'x');`);
    execFileSync('truncate', ['-s', String(imageBytesFor(8 * mebibyte)), image()]);
    await inside('', 8 * mebibyte);
    expect(readImage(image()).bytes).toBe(imageBytesFor(8 * mebibyte));
  });

  test('that left the file system half-written: it is mended before it is mounted, and what was synced is there', async () => {
    const { data } = await prepare();
    const app = await bench.start(
      'a',
      `${quietApp} const fs = require('fs'); const file = fs.openSync('/data/synced', 'w'); fs.writeSync(file, 'whole'); fs.fsyncSync(file);
       const d = fs.openSync('/data', 'r'); fs.fsyncSync(d); for (let i = 0; i < 200; i++) fs.writeFileSync('/data/later' + i, Buffer.alloc(5000)); console.log('go');`,
      { data, uid } as never,
    );
    await expect.poll(() => bench.lines).toContain('go');
    // As the flash is at this moment, the journal not yet played: what a cut leaves.
    const cut = readFileSync(image());
    await app.stop(1_000);
    await prepare();
    writeFileSync(image(), cut);
    const answer = await inside(say(`fs.readFileSync('/data/synced', 'utf8')`));
    expect(said(answer)).toBe('whole');
  });

  test('that tore the tables themselves: mended by force, told, and the software starts', async () => {
    await inside(`fs.writeFileSync('/data/note', 'x');`);
    for (const tear of ['set_super_value state 0', 'set_inode_field <2> mode 0100644'])
      execFileSync('debugfs', ['-w', '-R', tear, image()], { stdio: 'ignore' });
    const { news } = await prepare();
    expect(news).toMatchObject([{ event: 'storage.repaired', detail: { how: 'force' } }]);
    expect((await inside(say('1'))).said).toEqual(['1']);
  });

  test('that left nothing of an image: the software does not start, E502, and nothing is deleted', async () => {
    await inside('');
    const size = statSync(image()).size;
    writeFileSync(image(), Buffer.alloc(size, 0x55));
    await expect(prepare()).rejects.toThrowError(/E502/);
    expect(readFileSync(image()).every((byte) => byte === 0x55)).toBe(true);
  });
});

test('a purge overwrites the image, with everything that the app had deleted in it', async () => {
  await inside(
    `const file = fs.openSync('/data/note', 'w'); fs.writeSync(file, 'of this household'.repeat(1000)); fs.fsyncSync(file); fs.rmSync('/data/note');`,
  );
  expect(readFileSync(image()).includes('of this household')).toBe(true);
  execFileSync('ln', [image(), join(bench.data, 'witness')]);
  await folders().purge(of);
  expect(readFileSync(join(bench.data, 'witness')).every((byte) => byte === 0)).toBe(true);
  expect(existsSync(folder())).toBe(false);
});

test('a disk without room for the image is E305, and leaves nothing half-made', async () => {
  const small = mkdtempSync(join(tmpdir(), 'small-'));
  execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=3m', 'small', small]);
  try {
    const tight = makeSoftwareFolders(small, makeChooseArea(join(small, 'run')));
    await expect(tight.prepareData(of, { uid, bytes: 4 * mebibyte })).rejects.toMatchObject({
      code: 'STORE_NO_SPACE',
      detail: { need: imageBytesFor(4 * mebibyte) },
    });
    expect(readdirSync(join(small, 'software', 'acme', 'demo.test'))).toEqual([]);
  } finally {
    execFileSync('umount', [small]);
    rmSync(small, { recursive: true });
  }
});
