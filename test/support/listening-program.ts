/** A program that listens, from its start until somebody can connect; it never outlives the tests. */
import { type ChildProcess, spawn } from 'node:child_process';
import { connect } from 'node:net';
import { until } from './until.ts';

/** @throws Error with what the program said, when it ends instead */
export async function startListening(
  command: string,
  args: readonly string[],
  { port, environment = {}, ending = 'SIGKILL' }: { port: number; environment?: Record<string, string>; ending?: NodeJS.Signals },
): Promise<ChildProcess> {
  const child = spawn(command, args, { stdio: ['ignore', 'ignore', 'pipe'], env: { ...process.env, ...environment } });
  process.once('exit', () => child.kill(ending));
  let said = '';
  child.stderr?.on('data', (piece) => {
    said += piece;
  });
  let isUp = false;
  await until(() => {
    if (child.exitCode !== null) throw new Error(`${command} ended: ${said}`);
    const probe = connect(port, '127.0.0.1', () => {
      isUp = true;
      probe.destroy();
    }).on('error', () => {});
    return isUp;
  }, command);
  return child;
}
