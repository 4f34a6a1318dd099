/**
 * `<data>/control/agent.sock`: one JSON line in, one out, for root of this machine alone. The folder is closed (0700) before the socket is made, so
 * that there is no moment in which another user could connect.
 */
import { chmodSync, closeSync, openSync, rmSync } from 'node:fs';
import net from 'node:net';
import { join } from 'node:path';
import { type ErrorCode, isErrorCode, TsugiteError } from '../../protocol/errors.ts';
import type { Answered, House, HouseDoor } from '../ports/house.ts';
import { type Ask, parseAsk } from '../rules/ask.ts';
import { isErrno, makeFolder } from './durable-file.ts';

const folderName = 'control';
const socketName = 'agent.sock';
const lineBytes = 4 * 1024;
const silenceMs = 5_000;
const answerMs = 30_000;

type Reply = { ok: true; answered: Answered } | { ok: false; code: string; detail: Readonly<Record<string, unknown>> };

export function makeControlDoor(dataDir: string): HouseDoor {
  let server: net.Server | undefined;
  return {
    async start(house) {
      const folder = join(dataDir, folderName);
      makeFolder(folder, 0o700);
      chmodSync(folder, 0o700);
      rmSync(join(folder, socketName), { force: true });
      server = net.createServer((socket) => serve(socket, house));
      server.maxConnections = 8;
      await inFolder(folder, (at) => listen(server as net.Server, join(at, socketName)));
      chmodSync(join(folder, socketName), 0o600);
    },
    async stop() {
      rmSync(join(dataDir, folderName, socketName), { force: true });
      await new Promise<void>((resolve) => (server === undefined ? resolve() : server.close(() => resolve())));
    },
  };
}

/** @throws TsugiteError AGENT_NOT_RUNNING · PRIVILEGE_MISSING · what the agent refused it with */
export async function askAgent(dataDir: string, ask: Ask): Promise<Answered> {
  const reply = await inFolder(join(dataDir, folderName), (at) => exchange(join(at, socketName), JSON.stringify(ask))).catch(
    (cause: unknown) => {
      if (isErrno(cause, 'EACCES') || isErrno(cause, 'EPERM'))
        throw new TsugiteError('PRIVILEGE_MISSING', { action: ask.kind, path: dataDir }, { cause });
      throw new TsugiteError('AGENT_NOT_RUNNING', { path: dataDir }, { cause });
    },
  );
  const answered = JSON.parse(reply) as Reply;
  if (answered.ok) return answered.answered;
  const code: ErrorCode = isErrorCode(answered.code) ? answered.code : 'INTERNAL_FAULT';
  throw new TsugiteError(code, answered.detail);
}

/** A socket path holds 107 bytes; through the open folder it is short wherever the data are. */
async function inFolder<Value>(folder: string, use: (at: string) => Promise<Value>): Promise<Value> {
  const open = openSync(folder, 'r');
  try {
    return await use(`/proc/self/fd/${open}`);
  } finally {
    closeSync(open);
  }
}

function listen(server: net.Server, path: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(path, resolve);
  });
}

function serve(socket: net.Socket, house: House): void {
  let text = '';
  socket.setEncoding('utf8');
  socket.setTimeout(silenceMs, () => socket.destroy());
  socket.on('error', () => socket.destroy());
  socket.on('data', (piece: string) => {
    text += piece;
    if (text.length > lineBytes) return void socket.destroy();
    if (!text.includes('\n')) return;
    socket.removeAllListeners('data');
    socket.setTimeout(answerMs);
    void replyTo(text.slice(0, text.indexOf('\n')), house).then((reply) => socket.end(`${JSON.stringify(reply)}\n`));
  });
}

async function replyTo(line: string, house: House): Promise<Reply> {
  try {
    return { ok: true, answered: await house.answer(parseAsk(JSON.parse(line)), 'command') };
  } catch (error) {
    if (error instanceof TsugiteError) return { ok: false, code: error.code, detail: error.detail };
    return { ok: false, code: 'INTERNAL_FAULT', detail: { at: String(error) } };
  }
}

function exchange(path: string, line: string): Promise<string> {
  return new Promise((resolve, reject) => {
    let text = '';
    const socket = net.connect(path, () => socket.write(`${line}\n`));
    socket.setEncoding('utf8');
    socket.setTimeout(answerMs, () => socket.destroy(new Error('no answer')));
    socket.on('data', (piece: string) => {
      text += piece;
    });
    socket.on('error', reject);
    socket.on('close', () => (text.endsWith('\n') ? resolve(text) : reject(new Error('closed without an answer'))));
  });
}
