/** The three programs as a person starts them: built files, their command lines, their --json answers. */
import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { NotSeen } from './story.ts';

export type Program = 'agent' | 'server' | 'provider';
export type Answer = { status: number; json: Record<string, unknown>; stderr: string };

export const repository = folderWith('package.json');
const programFile = (program: Program): string => path.join(repository, 'dist', program, 'main.js');

function folderWith(name: string): string {
  let folder = path.dirname(fileURLToPath(import.meta.url));
  while (!existsSync(path.join(folder, name))) folder = path.dirname(folder);
  return folder;
}

/** Runs a verb to its end. A refusal is an answer too: look at `status`. */
export function ask(program: Program, args: readonly string[], environment: Record<string, string> = {}): Promise<Answer> {
  const child = spawn(process.execPath, [programFile(program), ...args, '--json'], { env: { ...process.env, ...environment } });
  let stdout = '';
  let stderr = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    stdout += text;
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
  });
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (status) => {
      try {
        resolve({ status: status ?? -1, json: JSON.parse(stdout), stderr });
      } catch {
        reject(
          new NotSeen(`tsugite ${program} ${args.join(' ')} gave no JSON`, {
            status,
            stdout: stdout.slice(0, 500),
            stderr: stderr.slice(-1500),
          }),
        );
      }
    });
  });
}

/** Runs a verb that must succeed. */
export async function tellProgram(
  program: Program,
  args: readonly string[],
  environment: Record<string, string> = {},
): Promise<Record<string, unknown>> {
  const { status, json, stderr } = await ask(program, args, environment);
  if (status === 0) return json;
  throw new NotSeen(`${program} ${args.slice(0, 2).join(' ')}: exit ${status} ${json.number ?? ''} ${json.code ?? ''}`, {
    answer: json,
    stderr: stderr.slice(-1500),
  });
}

/** Starts the server and waits for the line in which it says where it listens. */
export function startServer(args: readonly string[]): Promise<{ child: ChildProcess; said: Record<string, string> }> {
  // No session tickets (docs/operations/starting.md): each would cost a gateway's line 0.4 kB a connect.
  const options = `--openssl-config=${path.join(repository, 'server/broker/openssl.cnf')}`;
  // It ends with us, even when we are killed: a story that was broken off leaves no server and no database.
  const command = ['--pdeathsig', 'TERM', process.execPath, options, programFile('server'), ...args, '--json'];
  const child = spawn('setpriv', command, { stdio: ['ignore', 'pipe', 'pipe'] });
  let stdout = '';
  let stderr = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr = (stderr + text).slice(-4000);
  });
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('exit', (status) => reject(new NotSeen(`the server ended (status ${status})`, { stderr })));
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      stdout += text;
      if (stdout.includes('\n')) resolve({ child, said: JSON.parse(stdout) });
    });
  });
}

export async function stopped(child: ChildProcess, withinMs: number): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = new Promise((resolve) => child.once('exit', resolve));
  child.kill('SIGTERM');
  const late = setTimeout(() => child.kill('SIGKILL'), withinMs);
  await ended;
  clearTimeout(late);
}
