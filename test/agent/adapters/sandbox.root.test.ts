import { execFileSync } from 'node:child_process';
import { copyFileSync, existsSync, readFileSync, readlinkSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { openAppSocket, requestApp } from '../../../agent/adapters/app-socket.ts';
import { probeSandbox } from '../../../agent/adapters/sandbox/probe.ts';
import { TsugiteError } from '../../../protocol/errors.ts';
import { aSandboxBench, quietApp } from '../../support/running-app.ts';

let bench: ReturnType<typeof aSandboxBench>;
beforeEach(() => {
  bench = aSandboxBench();
});
afterEach(() => bench.end());

const limits = { installedBytes: 1_000_000, dataBytes: 4 << 20, memoryBytes: 64 << 20, cpuPercent: 100, pids: 32, files: 64 };

test('the probe proves the real profile: uid, no capability, a filter, no new privileges', async () => {
  expect(await bench.sandbox.probe()).toEqual({
    backend: 'bwrap',
    cgroup: 'v1',
    uid: 1000,
    capabilities: Array(5).fill('0000000000000000').join(' '),
    seccomp: 2,
    noNewPrivileges: true,
  });
});

describe('nothing is started in a sandbox that has not been proven', () => {
  test('and the proof is made again when it is asked for again', async () => {
    let probes = 0;
    const doubtful = aSandboxBench({
      probe: async (host) => {
        probes += 1;
        if (probes === 1) throw new TsugiteError('SANDBOX_UNAVAILABLE', { kind: 'profile', at: 'seccomp' });
        return probeSandbox(host);
      },
    });
    try {
      await expect(doubtful.start('a', `require('fs').writeFileSync('/data/ran', '')`)).rejects.toThrowError(/E508/);
      expect(existsSync(join(doubtful.data, 'software', 'a', 'data', 'ran'))).toBe(false);
      expect(doubtful.host.open().cgroups.leftovers()).toEqual([]);
      const [one, other] = await Promise.all([doubtful.start('a', quietApp), doubtful.start('b', quietApp)]);
      expect([await one.readiness, await other.readiness]).toEqual([{ kind: 'ready' }, { kind: 'ready' }]);
      expect(probes).toBe(2);
    } finally {
      await doubtful.end();
    }
  });

  test('as by a machine whose control groups take nobody in: the probe says what it expected and found', async () => {
    const { cgroups, facts } = bench.host.open();
    const host = {
      ...bench.host,
      open: () => ({
        facts,
        cgroups: { ...cgroups, make: (...of: Parameters<typeof cgroups.make>) => ({ ...cgroups.make(...of), join: () => {} }) },
      }),
    };
    await expect(probeSandbox(host)).rejects.toMatchObject({
      code: 'SANDBOX_UNAVAILABLE',
      detail: { kind: 'profile', faults: [{ what: 'control group', expected: 'joined before exec', found: 'outside' }] },
    });
  });
});

describe('a running app', () => {
  test('is ready when it says so, runs as its own uid in namespaces of its own, and in its control groups', async () => {
    const app = await bench.start('a', quietApp);
    expect(await app.readiness).toEqual({ kind: 'ready' });

    const status = readFileSync(`/proc/${app.pid}/status`, 'utf8');
    expect(status).toMatch(/^Uid:\t20001\t20001\t20001\t20001$/m);
    expect(status).toMatch(/^Groups:\t?20001 *$|^Groups:\s*$/m);
    expect(status).toMatch(/^CapBnd:\t0+$/m);
    expect(status).toMatch(/^Seccomp:\t2$/m);
    for (const name of ['cgroup', 'ipc', 'mnt', 'net', 'pid', 'user', 'uts'])
      expect(readlinkSync(`/proc/${app.pid}/ns/${name}`)).not.toBe(readlinkSync(`/proc/self/ns/${name}`));
    expect(readFileSync(`/proc/${app.pid}/cgroup`, 'utf8').match(/tsugite-test/g)).toHaveLength(3);
    expect(readFileSync(`/proc/${app.pid}/cmdline`, 'utf8')).toBe('/usr/bin/node\0--max-old-space-size=48\0/app/main.js\0');
  });

  test('runs the agent’s own node binary, the same inode, so that its pages are shared', async () => {
    const app = await bench.start('a', quietApp);
    await app.readiness; // until it becomes the app, this process is still the sandbox program
    const { dev, ino } = statSync(`/proc/${app.pid}/exe`);
    expect({ dev, ino }).toEqual({ dev: statSync(process.execPath).dev, ino: statSync(process.execPath).ino });
  });

  test('answers HTTP on its web socket, which the agent reaches by a short path', async () => {
    const app = await bench.start('a', quietApp, { health: { kind: 'http', path: '/health', intervalS: 1, timeoutS: 20 } });
    expect(await app.readiness).toEqual({ kind: 'ready' });
    expect(app.webSocketPath.length).toBeLessThan(60);
    expect(await get(app.webSocketPath, '/x')).toBe('hello /x');
  });

  test('ends when asked, and leaves no process and no control group', async () => {
    const app = await bench.start('a', quietApp);
    await app.readiness;
    await app.stop(5_000);
    expect(await app.exited).toMatchObject({ status: 0, signal: null, outOfMemory: false });
    expect(existsSync(`/proc/${app.pid}`)).toBe(false);
    expect(bench.host.open().cgroups.leftovers()).toEqual([]);
  });

  test('is killed with all it started when it does not end in time', async () => {
    const app = await bench.start(
      'a',
      `process.on('SIGTERM', () => {}); new Worker(''); function Worker() {} ${quietApp.replace(/process.on.*\n/, '')}
      require('node:child_process').spawn('/usr/bin/node', ['-e', 'setInterval(() => {}, 1000)'], { detached: true, stdio: 'ignore' });`,
    );
    await app.readiness;
    await app.stop(100);
    expect(await app.exited).toMatchObject({ status: null, signal: 'SIGKILL' });
    expect(bench.host.open().cgroups.leftovers()).toEqual([]);
  });

  test('that never says ready is a timeout, and one that dies says how', async () => {
    const silent = await bench.start('a', 'setInterval(() => {}, 1000)', { health: { kind: 'ready', timeoutS: 1 } });
    expect(await silent.readiness).toEqual({ kind: 'timeout', isThrashing: false });
    const dying = await bench.start('b', 'process.exit(3)');
    expect(await dying.readiness).toMatchObject({ kind: 'exited', exit: { status: 3, signal: null, outOfMemory: false } });
    const aborting = await bench.start('c', 'process.abort()');
    expect((await aborting.exited).signal).toBe('SIGABRT');
  });
});

describe('what an app sees', () => {
  test('a small read-only root, no environment but ours, no descriptor but its own, no process but itself, no network', async () => {
    const { lines } = await bench.run(
      'a',
      `const fs = require('fs'), os = require('os');
       const writable = (path) => { try { fs.writeFileSync(path + '/x', ''); return true; } catch { return false; } };
       console.log(JSON.stringify({
         root: fs.readdirSync('/'), bin: fs.readdirSync('/usr/bin'), etc: fs.readdirSync('/etc').sort(),
         writable: ['/', '/app', '/dev', '/etc', '/usr', '/run', '/run/tsugite/gateway', '/data', '/tmp', '/dev/shm', '/run/tsugite/web'].filter(writable),
         environment: Object.keys(process.env).sort(),
         pid1: fs.readFileSync('/proc/1/environ').length,
         descriptors: fs.readdirSync('/proc/self/fd').map((fd) => { try { return fs.readlinkSync('/proc/self/fd/' + fd); } catch { return ''; } }).filter((path) => path.startsWith('/') && !path.startsWith('/proc/')),
         pids: fs.readdirSync('/proc').filter((name) => /^[0-9]+$/.test(name)), interfaces: Object.keys(os.networkInterfaces()), host: os.hostname(),
       }));`,
    );
    expect(JSON.parse(lines[0] ?? '')).toEqual({
      root: ['app', 'data', 'dev', 'etc', 'lib', 'lib64', 'proc', 'run', 'tmp', 'usr'],
      bin: ['node'],
      etc: ['group', 'hostname', 'hosts', 'nsswitch.conf', 'passwd', 'resolv.conf'],
      writable: ['/data', '/tmp', '/dev/shm', '/run/tsugite/web'],
      environment: ['HOME', 'PATH', 'PWD', 'TSUGITE_GATEWAY_SOCKET', 'TSUGITE_WEB_SOCKET'],
      pid1: 0,
      descriptors: ['/dev/null'],
      pids: ['1', '2'],
      interfaces: ['lo'],
      host: 'app',
    });
  });

  test('also from a clone that only root may enter: nothing is copied and nothing is opened to others', async () => {
    const closed = aSandboxBench({ closedParent: true });
    try {
      const app = await closed.start('a', quietApp);
      expect(await app.readiness).toEqual({ kind: 'ready' });
      expect(readFileSync(`/proc/${app.pid}/status`, 'utf8')).toMatch(/^Uid:\t20001\t/m);
      expect(readFileSync('/proc/self/mountinfo', 'utf8')).not.toContain(`tsugite-bench-${process.pid}-`);
      expect(await closed.sandbox.probe()).toMatchObject({ backend: 'bwrap', uid: 1000 });
    } finally {
      await closed.end();
    }
  });
});

test('the highest memory use of a running app is told while it runs, and with its end', async () => {
  const app = await bench.start('a', `let held = Buffer.alloc(24 << 20, 1); ${quietApp} held = undefined;`);
  await app.readiness;
  const peakBytes = app.memoryPeakBytes();
  expect(peakBytes).toBeGreaterThan(24 << 20);
  await app.stop(5_000);
  expect((await app.exited).memoryPeakBytes).toBeGreaterThanOrEqual(peakBytes);
  expect(app.memoryPeakBytes()).toBe(0);
});

describe('limits', () => {
  test('a memory bomb outside the JavaScript heap is killed by the kernel, and recognised', async () => {
    const { exit } = await bench.run('a', 'const held = []; setInterval(() => held.push(Buffer.alloc(8 << 20, 1)), 5)');
    expect(exit).toMatchObject({ signal: 'SIGKILL', outOfMemory: 'kill' });
    expect(exit.memoryPeakBytes).toBeGreaterThan(60 << 20);
  });

  test('a memory bomb in the JavaScript heap is recognised too', async () => {
    const { exit } = await bench.run('a', 'const held = []; for (;;) held.push({ at: held.length, text: "x".repeat(8) + held.length })');
    expect(exit.outOfMemory).not.toBe(false); // by the kernel or by itself, whichever is faster
  });

  test('a start that thrashes at the limit without being killed is told from one that is only silent', async () => {
    // A copy of node of its own, and cold: its pages then count against the app, and do not fit.
    await bench.sandbox.probe(); // which would warm it
    const copy = join(bench.runDir, 'node');
    copyFileSync(process.execPath, copy);
    execFileSync('dd', [`of=${copy}`, 'oflag=nocache', 'conv=notrunc,fdatasync', 'count=0'], { stdio: 'ignore' });
    Object.assign(bench.host.open().facts, { nodeBinary: copy });
    const health = { kind: 'ready', timeoutS: 5 } as const;
    const thrashing = await bench.start('a', quietApp, { limits: { ...limits, memoryBytes: 20 << 20 }, health });
    expect(await thrashing.readiness).toEqual({ kind: 'timeout', isThrashing: true });
    expect(thrashing.memoryPeakBytes()).toBeGreaterThan(19 << 20);
    await thrashing.stop(0);
    expect((await thrashing.exited).outOfMemory).toBe(false);
  });

  test('a fork bomb meets its limit, and a neighbour keeps answering', async () => {
    const neighbour = await bench.start('b', quietApp);
    await neighbour.readiness;
    const app = await bench.start(
      'a',
      `const { spawn } = require('node:child_process'); let refused = 0;
       setInterval(() => { for (let i = 0; i < 10; i++) spawn('/usr/bin/node', ['-e', 'setInterval(() => {}, 9)']).on('error', () => { if (++refused === 5) console.log('refused'); }); }, 50);`,
      { limits: { ...limits, memoryBytes: 256 << 20, pids: 40 } },
    );
    await until(() => bench.lines.includes('refused'));
    expect(await get(neighbour.webSocketPath, '/still')).toBe('hello /still');
    await app.stop(0);
    expect(bench.host.open().cgroups.leftovers()).toHaveLength(1);
  });

  test('descriptors and file size end at their limits', async () => {
    const { lines } = await bench.run(
      'a',
      `const fs = require('fs'); try { for (;;) fs.openSync('/dev/null'); } catch (error) { console.log(error.code); }`,
    );
    expect(lines).toEqual(['EMFILE']);
    const big = await bench.run(
      'b',
      `const fs = require('fs'), b = Buffer.alloc(1 << 20); try { for (;;) fs.appendFileSync('/data/big', b); } catch (error) { console.log(error.code, fs.statSync('/data/big').size); }`,
    );
    expect(big.lines).toEqual([`EFBIG ${8 << 20}`]);
  });

  test('output is cut to lines and slowed down, and the app lives on', async () => {
    const app = await bench.start('a', `setInterval(() => console.log('x'.repeat(5000)), 1); ${quietApp}`);
    expect(await app.readiness).toEqual({ kind: 'ready' });
    await until(() => bench.lines.length >= 20);
    expect(Math.max(...bench.lines.map((line) => line.length))).toBe(1024);
    expect(bench.lines.length).toBeLessThan(60);
  });
});

describe('the agent’s side', () => {
  test('a link in the place of the web socket is not followed', async () => {
    const app = await bench.start(
      'a',
      `require('fs').symlinkSync('/run/anything', process.env.TSUGITE_WEB_SOCKET); ${quietApp.replace('http.createServer', 'false && http.createServer')} say('/ready')`,
    );
    await app.readiness;
    expect(() => openAppSocket(app.webSocketPath)).toThrow('not a socket');
  });

  test('what an earlier agent left is ended and removed at start', async () => {
    const app = await bench.start('a', quietApp);
    await app.readiness;
    await bench.sandbox.removeLeftovers();
    expect(existsSync(`/proc/${app.pid}`)).toBe(false);
    expect((await app.exited).signal).toBe('SIGKILL');
    expect(bench.host.open().cgroups.leftovers()).toEqual([]);
  });
});

function get(webSocketPath: string, path: string): Promise<string> {
  return new Promise<string>((resolve, reject) => {
    const asked = requestApp(webSocketPath, { path }, (response) => {
      let text = '';
      response.on('data', (chunk) => {
        text += chunk;
      });
      response.on('end', () => resolve(text));
    });
    asked.on('error', reject);
    asked.end();
  });
}

async function until(isTrue: () => boolean): Promise<void> {
  while (!isTrue()) await new Promise((resolve) => setTimeout(resolve, 10)); // the test's own time limit ends it
}
