/** A real nginx, run from exactly the files that `tsugite-server pki nginx` writes, with workers of Debian's account where the tests are root. */
import { execFileSync } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir, userInfo } from 'node:os';
import path from 'node:path';
import { writeNginxFolder } from '../../server/compose/outside-programs.ts';
import { aFreePort } from './free-port.ts';
import { startListening } from './listening-program.ts';

const isRoot = userInfo().uid === 0;
const group = 'www-data';

/** What the operator does: a folder for the socket, and the door of the package store, for nginx's group and nobody else. */
export function openToNginx(socketFolder: string, store: string): void {
  mkdirSync(socketFolder, { recursive: true });
  if (!isRoot) return;
  execFileSync('chgrp', [group, socketFolder, store]);
  chmodSync(socketFolder, 0o2750); // what is made in it belongs to the group too
  chmodSync(store, 0o710);
}

/** @param store  where the package files are; the server listens at `socket` */
export async function aNginx(server: { certPem: string; keyPem: string }, { store, socket }: { store: string; socket: string }) {
  const folder = mkdtempSync(path.join(tmpdir(), 'tsugite-nginx-'));
  chmodSync(folder, 0o711);
  const files = path.join(folder, 'files');
  const [port, packagesPort] = [await aFreePort(), await aFreePort()];
  const at = (port: number) => ({ host: '127.0.0.1', port });
  writeNginxFolder(server, { out: files, place: undefined, gateways: at(port), packages: at(packagesPort), socket, store });
  // Debian's own main file keeps its things below /var; here they stand in the folder.
  const own = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map((name) => `${name}_temp_path ${folder}/${name};`);
  const main = [
    ...(isRoot ? [`user ${group};`] : []),
    'worker_processes 1;',
    'daemon off;',
    `pid ${folder}/nginx.pid;`,
    'error_log stderr warn;',
    'events { worker_connections 512; }',
    `http { access_log off; ${own.join(' ')} include ${files}/gateways.conf; include ${files}/packages.conf; }`,
  ];
  writeFileSync(path.join(folder, 'nginx.conf'), `${main.join('\n')}\n`);
  // Its workers end with the master, which SIGKILL would not let it see to.
  const child = await startListening('nginx', ['-p', folder, '-c', path.join(folder, 'nginx.conf')], { port, ending: 'SIGTERM' });
  return {
    port,
    packagesPort,
    stop: async () => {
      const over = new Promise((resolve) => child.once('exit', resolve));
      child.kill('SIGTERM');
      await over;
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
