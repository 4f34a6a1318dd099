/** Another uid for a child process, and the proof of what that uid can reach. */
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';

export type Account = { readonly name: string; readonly uid: number; readonly gid: number };

/** @throws Error naming the account when the machine does not have it */
export function findAccount(name: string): Account {
  const line = readFileSync('/etc/passwd', 'utf8')
    .split('\n')
    .find((entry) => entry.startsWith(`${name}:`));
  const [, , uid, gid] = line?.split(':') ?? [];
  if (uid === undefined || gid === undefined) throw new Error(`no account "${name}" in /etc/passwd`);
  return { name, uid: Number(uid), gid: Number(gid) };
}

export function accountOfUid(uid: number): Account {
  const line = readFileSync('/etc/passwd', 'utf8')
    .split('\n')
    .find((entry) => entry.split(':')[2] === String(uid));
  if (line === undefined) throw new Error(`uid ${uid} has no name in /etc/passwd, and PostgreSQL wants one`);
  return findAccount(line.slice(0, line.indexOf(':')));
}

/**
 * The command line that runs `command` as `account` and asks the kernel to end it with `deathSignal` when the caller dies, kill -9 included.
 * @see prctl(2) PR_SET_PDEATHSIG: the signal follows the *thread* that forked, so call this from the main thread.
 */
export function asAccount(account: Account, command: string, args: readonly string[], deathSignal?: 'INT' | 'KILL'): [string, string[]] {
  const change =
    process.getuid?.() === account.uid ? [] : [`--reuid=${account.uid}`, `--regid=${account.gid}`, '--clear-groups', '--no-new-privs'];
  const death = deathSignal === undefined ? [] : [`--pdeathsig=${deathSignal}`];
  return ['setpriv', [...change, ...death, '--', command, ...args]];
}

/** True when `account` can do what test(1) says (`-x`, `-r`, `-w`) with each path. */
export function canReach(account: Account, wants: readonly (readonly ['-r' | '-w' | '-x', string])[]): boolean {
  const conditions = wants.flatMap(([flag, path], index) => (index === 0 ? [flag, path] : ['-a', flag, path]));
  const [command, args] = asAccount(account, '/usr/bin/test', conditions);
  return spawnSync(command, args, { cwd: '/', stdio: 'ignore' }).status === 0;
}
