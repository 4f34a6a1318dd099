/** Renders a sandbox profile as bubblewrap arguments; a golden test shows them. */

import { assertNever } from '../../protocol/assert-never.ts';
import { insideUid, type Mount, type SandboxProfile } from './sandbox-profile.ts';

export type LauncherDescriptors = { readonly seccomp: number; readonly info: number; readonly block: number };

/**
 * @param reach  where the launching uid finds a path of the host; another one than `from` only when a folder above it is closed to that uid
 */
export function bwrapArguments(
  profile: SandboxProfile,
  descriptors: LauncherDescriptors,
  reach: (hostPath: string) => string = (path) => path,
): string[] {
  return [
    ...['--unshare-all', '--unshare-user', '--disable-userns'], // --unshare-all alone would go on where user namespaces are missing
    ...(profile.network === 'none' ? [] : ['--share-net']), // the one that the launcher has entered, not the gateway's
    ...['--uid', String(insideUid), '--gid', String(insideUid), '--hostname', profile.hostname],
    ...['--die-with-parent', '--new-session', '--cap-drop', 'ALL'],
    ...['--clearenv', ...Object.entries(profile.environment).flatMap(([name, value]) => ['--setenv', name, value])],
    ...profile.mounts.flatMap((mount) => mountArguments(mount, reach)),
    ...['--chdir', profile.workingDirectory],
    ...['--remount-ro', '/dev', '--remount-ro', '/'], // last: nothing can be mounted below a read-only root
    ...['--seccomp', String(descriptors.seccomp), '--info-fd', String(descriptors.info), '--block-fd', String(descriptors.block)],
  ];
}

function mountArguments(mount: Mount, reach: (hostPath: string) => string): string[] {
  switch (mount.kind) {
    case 'bind':
      return [mount.isWritable ? '--bind' : '--ro-bind', reach(mount.from), mount.to];
    case 'image':
      return ['--bind', reach(mount.from), mount.to]; // the launcher has mounted it there
    case 'symlink':
      return ['--symlink', mount.target, mount.to];
    case 'tmpfs':
      return ['--perms', mount.mode, '--size', String(mount.bytes), '--tmpfs', mount.to];
    case 'proc':
      return ['--proc', mount.to];
    case 'dev':
      return ['--dev', mount.to];
    default:
      return assertNever(mount);
  }
}
