import { afterEach, beforeEach, expect, test } from 'vitest';
import syscalls from '../../../agent/rules/syscalls.json' with { type: 'json' };
import { aSandboxBench } from '../../support/running-app.ts';

let bench: ReturnType<typeof aSandboxBench>;
beforeEach(() => {
  bench = aSandboxBench();
});
afterEach(() => bench.end());

const nodeNeeds = `
const fs = require('node:fs'), net = require('node:net'), dgram = require('node:dgram'), { Worker } = require('node:worker_threads'), { spawn } = require('node:child_process');
const once = (emitter, name) => new Promise((resolve, reject) => { emitter.once(name, resolve); emitter.once('error', reject); });
(async () => {
  fs.writeFileSync('/data/a', 'x'); const fd = fs.openSync('/data/a', 'r+'); fs.fsyncSync(fd); fs.closeSync(fd); fs.renameSync('/data/a', '/data/b');
  fs.chmodSync('/data/b', 0o600); fs.utimesSync('/data/b', 1, 1); fs.linkSync('/data/b', '/data/c'); fs.symlinkSync('b', '/data/d'); fs.copyFileSync('/data/b', '/data/e');
  const watcher = fs.watch('/data'); const seen = once(watcher, 'change'); fs.writeFileSync('/data/w', ''); await seen; watcher.close();
  const server = net.createServer((socket) => socket.end('hi')); server.listen(0, 'localhost'); await once(server, 'listening');
  await once(net.connect(server.address().port, 'localhost'), 'data'); server.close();
  const udp = dgram.createSocket('udp4'); udp.bind(0, '127.0.0.1'); await once(udp, 'listening'); udp.close();
  await once(new Worker('require("node:worker_threads").parentPort.postMessage(1)', { eval: true }), 'message');
  await once(spawn('/usr/bin/node', ['-e', '0']), 'exit');
  await require('node:util').promisify(require('node:zlib').gzip)('x'); require('node:crypto').randomBytes(8); require('node:os').cpus();
  new WebAssembly.Module(new Uint8Array([0, 97, 115, 109, 1, 0, 0, 0])); Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1);
  console.log('all of it works');
})().catch((error) => console.log(error.stack));
`;

test('node does its work under the filter: files, watching, TCP, UDP, threads, children', async () => {
  const { lines, exit } = await bench.run('a', nodeNeeds);
  expect(lines).toEqual(['all of it works']);
  expect(exit.status).toBe(0);
});

const errno = { EPERM: 1, EAFNOSUPPORT: 97, ENOSYS: 38 };

test.runIf(process.arch === 'x64')('what an attacker tries first is refused by the kernel', async () => {
  const x64: Record<string, number> = {
    ...syscalls.x64.numbers,
    ptrace: 101,
    mount: 165,
    umount2: 166,
    chroot: 161,
    unshare: 272,
    setns: 308,
    keyctl: 250,
  };
  Object.assign(x64, {
    bpf: 321,
    perf_event_open: 298,
    userfaultfd: 323,
    process_vm_readv: 310,
    io_uring_setup: 425,
    personality: 135,
    mknod: 133,
  });
  Object.assign(x64, {
    reboot: 169,
    open_by_handle_at: 304,
    pivot_root: 155,
    init_module: 175,
    add_key: 248,
    sethostname: 170,
    kexec_load: 246,
  });
  const probes: [name: string, call: string, args: (number | string)[], expected: keyof typeof errno][] = [
    ...[
      'ptrace',
      'mount',
      'umount2',
      'chroot',
      'setns',
      'keyctl',
      'bpf',
      'perf_event_open',
      'userfaultfd',
      'process_vm_readv',
      'reboot',
    ].map(eperm),
    ...[
      'io_uring_setup',
      'open_by_handle_at',
      'pivot_root',
      'init_module',
      'add_key',
      'sethostname',
      'kexec_load',
      'mknod',
      'personality',
    ].map(eperm),
    ['a new user namespace', 'unshare', [0x10000000], 'EPERM'],
    ['a child in a new user namespace', 'clone', [0x10000011], 'EPERM'],
    ['clone3', 'clone3', [0, 0], 'ENOSYS'],
    ['a key press into the terminal', 'ioctl', [0, 0x5412, 0], 'EPERM'],
    ['the same behind high bits', 'ioctl', [0, '0x700005412', 0], 'EPERM'],
    ['a raw socket', 'socket', [2, 3, 1], 'EPERM'],
    ['a packet socket', 'socket', [17, 3, 768], 'EAFNOSUPPORT'],
    ['a socket to the host of a virtual machine', 'socket', [40, 1, 0], 'EAFNOSUPPORT'],
    ['kernel crypto', 'socket', [38, 5, 0], 'EAFNOSUPPORT'],
    ['netfilter', 'socket', [16, 3, 12], 'EPERM'],
  ];
  const { lines } = await bench.run(
    'a',
    `#!/usr/bin/perl\nsub probe { my ($name, @call) = @_; $! = 0; my $got = syscall(shift @call, @call); push @out, "$name: " . ($got == -1 ? $!+0 : 'allowed'); }\n${probes
      .map(([name, call, args]) => `probe('${name}', ${[x64[call], ...args].join(', ')});`)
      .join('\n')}\nprint join('; ', splice(@out, 0, 10)), "\\n" while @out;\n`,
    { entry: { runtime: 'exec', args: ['main.js'] } },
  );

  const answers = lines.flatMap((line) => line.split('; ')); // few lines: only twenty a second are kept
  expect(answers).toEqual(probes.map(([name, , , expected]) => `${name}: ${errno[expected]}`));
});

test.runIf(process.arch === 'x64')('a call by the x32 numbers ends the process', async () => {
  const { exit } = await bench.run('a', '#!/usr/bin/perl\nsyscall(0x40000000 + 39); print "alive\\n";\n', {
    entry: { runtime: 'exec', args: ['main.js'] },
  });
  expect(exit.signal).toBe('SIGSYS');
});

function eperm(name: string): [string, string, number[], 'EPERM'] {
  return [name, name, [0, 0, 0], 'EPERM'];
}
