/** The way to the socket at which an app serves HTTP. The app owns the folder, so what stands there may be anything. */

import { closeSync, constants, fstatSync, openSync } from 'node:fs';
import { type ClientRequest, type IncomingMessage, type RequestOptions, request } from 'node:http';

export const pathOnly = 0o10000000; // O_PATH, which node:fs does not name

export type AppSocket = {
  /** Short, wherever the socket stands: a unix socket path holds 107 bytes. */
  readonly path: string;
  /** Once connected, or given up. */
  close(): void;
};

/**
 * Pins the socket itself, not its name: a link that an app puts there to reach another program's socket with the agent's rights is refused,
 * and cannot be slipped in between the look and the connect.
 *
 * @throws ENOENT while the app does not listen · ENOTSOCK for anything else than a socket
 */
export function openAppSocket(path: string): AppSocket {
  const descriptor = openSync(path, pathOnly | constants.O_NOFOLLOW);
  if (!fstatSync(descriptor).isSocket()) {
    closeSync(descriptor);
    throw Object.assign(new Error(`${path} is not a socket`), { code: 'ENOTSOCK' });
  }
  return { path: `/proc/self/fd/${descriptor}`, close: () => closeSync(descriptor) };
}

/**
 * Asks the app at its web socket.
 *
 * Without a connection pool: pools know a connection by its path, this path holds a descriptor's number, and the next app may get the same number.
 *
 * @throws as openAppSocket; what happens later comes as the request's 'error'
 */
export function requestApp(
  webSocketPath: string,
  options: Omit<RequestOptions, 'socketPath' | 'agent'>,
  onResponse?: (response: IncomingMessage) => void,
): ClientRequest {
  const socket = openAppSocket(webSocketPath);
  const asked = request({ ...options, socketPath: socket.path, agent: false }, onResponse);
  asked.once('close', socket.close);
  return asked;
}
