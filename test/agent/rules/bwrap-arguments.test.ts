import { expect, test } from 'vitest';
import { bwrapArguments } from '../../../agent/rules/bwrap-arguments.ts';
import { appProcessLimits, appProfile, installerProfile } from '../../../agent/rules/sandbox-profile.ts';

const host = {
  nodeBinary: '/usr/bin/node',
  nodeLibraries: ['/lib/x86_64-linux-gnu/libc.so.6', '/lib64/ld-linux-x86-64.so.2'],
  etcDir: '/var/lib/tsugite/run/etc',
};
const limits = { installedBytes: 2_500_000, dataBytes: 4_194_304, memoryBytes: 67_108_864, cpuPercent: 25, pids: 32, files: 256 };
const app = {
  appDir: '/var/lib/tsugite/store/ab12',
  data: { kind: 'image' as const, path: '/var/lib/tsugite/software/acme/demo.ipv4/data.img' },
  gatewaySocketDir: '/var/lib/tsugite/run/t1',
  entry: { runtime: 'node' as const, args: ['main.js', '--quiet'] as [string, ...string[]] },
  limits,
};
const descriptors = { seccomp: 4, info: 5, block: 6 };

test('the arguments of an app that runs on node, as bubblewrap reads them', () => {
  const throughDoor = (path: string) => (path === app.data.path ? '/mnt/0' : path);
  expect(lines(bwrapArguments(appProfile(app, host), descriptors, throughDoor))).toBe(`
--unshare-all
--unshare-user
--disable-userns
--uid 1000
--gid 1000
--hostname app
--die-with-parent
--new-session
--cap-drop ALL
--clearenv
--setenv PATH /usr/bin:/bin
--setenv HOME /data
--setenv TSUGITE_GATEWAY_SOCKET /run/tsugite/gateway/gateway.sock
--setenv TSUGITE_WEB_SOCKET /run/tsugite/web/web.sock
--ro-bind /usr/bin/node /usr/bin/node
--ro-bind /lib/x86_64-linux-gnu/libc.so.6 /lib/x86_64-linux-gnu/libc.so.6
--ro-bind /lib64/ld-linux-x86-64.so.2 /lib64/ld-linux-x86-64.so.2
--ro-bind /var/lib/tsugite/run/etc /etc
--proc /proc
--dev /dev
--perms 1777
--size 8388608
--tmpfs /tmp
--perms 1777
--size 4194304
--tmpfs /dev/shm
--ro-bind /var/lib/tsugite/store/ab12 /app
--bind /mnt/0 /data
--ro-bind /var/lib/tsugite/run/t1 /run/tsugite/gateway
--perms 0700
--size 65536
--tmpfs /run/tsugite/web
--chdir /data
--remount-ro /dev
--remount-ro /
--seccomp 4
--info-fd 5
--block-fd 6
`);
});

test('the command starts node below its memory limit, so that it collects garbage before the kernel kills it', () => {
  expect(appProfile(app, host).command).toEqual(['/usr/bin/node', '--max-old-space-size=48', '/app/main.js', '--quiet']);
});

test('a delivered binary sees the system’s libraries, and is started itself', () => {
  const profile = appProfile({ ...app, entry: { runtime: 'exec', args: ['bin/tool', 'x'] } }, host);
  expect(profile.command).toEqual(['/app/bin/tool', 'x']);
  const rendered = lines(bwrapArguments(profile, descriptors));
  expect(rendered).toContain('--ro-bind /usr /usr\n--symlink usr/bin /bin\n');
  expect(rendered).not.toContain('/usr/bin/node /usr/bin/node');
});

test('data that lie in a folder are bound as they are', () => {
  const profile = appProfile({ ...app, data: { kind: 'folder', path: '/d/data' } }, host);
  expect(lines(bwrapArguments(profile, descriptors))).toContain('--bind /d/data /data\n');
});

test('the installer sees its program and one staging folder, and no app’s data or socket', () => {
  const profile = installerProfile(
    { programDir: '/opt/tsugite/dist/agent', programFile: 'installer.js', stagingDir: '/d/staging/x' },
    host,
  );
  const writable = profile.mounts.filter((mount) => mount.kind === 'bind' && mount.isWritable);
  expect(writable).toEqual([{ kind: 'bind', from: '/d/staging/x', to: '/staging', isWritable: true }]);
  expect(profile.environment).toEqual({ PATH: '/usr/bin', HOME: '/tmp' });
  expect(profile.network).toBe('none');
});

test('the root and /dev become read-only after the last mount', () => {
  const rendered = bwrapArguments(appProfile(app, host), descriptors);
  const firstRemount = rendered.indexOf('--remount-ro');
  expect(rendered.slice(firstRemount).filter((word) => /^--(ro-)?bind$|^--tmpfs$|^--proc$|^--dev$|^--symlink$/.test(word))).toEqual([]);
});

test('a path behind a closed folder is named as the launcher reaches it, and stands at the same place inside', () => {
  const reach = (path: string) => (path === app.appDir ? '/mnt/0' : path);
  expect(lines(bwrapArguments(appProfile(app, host), descriptors, reach))).toContain('--ro-bind /mnt/0 /app\n');
});

test('the launcher’s own processes do not count against the limit that was granted', () => {
  expect(appProcessLimits(limits).pids).toBe(limits.pids + 2);
});

/** One option a line. */
function lines(words: readonly string[]): string {
  return `\n${words.join(' ').replaceAll(' --', '\n--')}\n`;
}
