/** Starts the installer child for one package and weighs its answer. */
import { closeSync, constants, fstatSync, openSync } from 'node:fs';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { TsugiteError } from '../../protocol/errors.ts';
import { answerBytes, type InstallAnswer, installAnswer, orderBytes } from '../installer/messages.ts';
import type { Clock, Installer, InstallRequest, InstallResult } from '../ports.ts';
import { installerProcessLimits, installerProfile } from '../rules/sandbox-profile.ts';
import { installerUid } from '../rules/uids.ts';
import { launch } from './sandbox/bwrap-launcher.ts';
import type { Cgroup } from './sandbox/cgroup.ts';
import type { ProveSandbox } from './sandbox/proof.ts';
import { readableProgram } from './sandbox/readable-copy.ts';
import type { SandboxHost } from './sandbox/sandbox-host.ts';
import { inspectStagedTree } from './staged-tree.ts';

const timeoutMs = 120_000;
const killTimeoutMs = 10_000;
const saidBytes = 2_048;

/** @param program  the folder that holds the installer's bundle, and the file in it to start */
export function makeInstaller({
  host,
  prove,
  clock,
  program,
}: {
  host: SandboxHost;
  prove: ProveSandbox;
  clock: Clock;
  program: { dir: string; file: string };
}): Installer {
  let runs = 0;
  let programDir: string | undefined;
  return {
    async install(request, signal) {
      await prove();
      signal.throwIfAborted();
      const { cgroups, facts } = host.open();
      const packageFile = openSync(request.packagePath, constants.O_RDONLY | constants.O_NOFOLLOW);
      let cgroup: Cgroup | undefined;
      try {
        const order = orderOf(request, fstatSync(packageFile).size);
        runs += 1;
        cgroup = cgroups.make(`installer-${runs}`, installerProcessLimits);
        programDir ??= readableProgram(program.dir, join(host.runDir, 'installer-program'));
        const profile = installerProfile({ programDir, programFile: program.file, stagingDir: request.stagingDir }, facts);
        const { child } = await launch({
          profile,
          limits: installerProcessLimits,
          uid: installerUid,
          cgroup,
          stdin: 'pipe',
          passOn: [packageFile],
        });
        let cause: 'time' | 'aborted' | undefined;
        const end = (why: typeof cause) => {
          cause = why;
          child.kill('SIGKILL'); // and with it, by --die-with-parent, everything inside
        };
        const cancelTimeout = clock.after(timeoutMs, () => end('time'));
        const onAbort = () => end('aborted');
        signal.addEventListener('abort', onAbort);
        if (signal.aborted) onAbort(); // while the sandbox was made
        child.stdin?.on('error', () => {}); // it ended before it read: its exit tells
        child.stdin?.end(order);
        const exited = new Promise<number | null>((resolve) => child.once('close', resolve));
        const [answer, said, status] = await Promise.all([
          readBounded(child.stdout as Readable, answerBytes, () => child.kill('SIGKILL')),
          readBounded(child.stderr as Readable, saidBytes, () => {}),
          exited,
        ]);
        cancelTimeout();
        signal.removeEventListener('abort', onAbort);
        const { oomKills, peakBytes } = cgroup.memory();
        // Nothing of the child may write any more when the tree is judged and renamed.
        const left = await cgroup.destroy(killTimeoutMs);
        if (left.length > 0) throw failed('will-not-die', { pids: left });
        signal.throwIfAborted();
        if (cause === 'time') throw failed('time', { limitMs: timeoutMs });
        if (oomKills > 0) throw failed('memory', { limit: installerProcessLimits.memoryBytes, actual: peakBytes });
        if (answer.isCut) throw failed('output', { limit: answerBytes });
        if (status !== 0) throw failed('exit', { status, said: said.text });
        return weigh(parseAnswer(answer.text), request);
      } finally {
        await cgroup?.destroy(killTimeoutMs);
        closeSync(packageFile);
      }
    },
  };
}

function orderOf(request: InstallRequest, storedBytes: number): string {
  const { expected, limitInstalledBytes, host, trust } = request;
  const { providerCas, revokedSigners, atMs } = trust;
  const order = { storedBytes, expected, limitInstalledBytes, host, trust: { providerCas, revokedSigners, atMs } };
  const line = `${JSON.stringify(order)}\n`;
  if (Buffer.byteLength(line) > orderBytes) throw failed('order-too-large', {});
  return line;
}

function parseAnswer(line: string): InstallAnswer {
  try {
    return installAnswer.parse(JSON.parse(line));
  } catch (cause) {
    throw new TsugiteError('INSTALLER_FAILED', { kind: 'answer' }, { cause });
  }
}

/** The child's yes counts only when its manifest is the one the notice names, and the folder holds what the manifest says. */
function weigh(answer: InstallAnswer, { expected, stagingDir }: InstallRequest): InstallResult {
  if (!answer.ok) throw new TsugiteError(answer.code, answer.detail);
  const { manifest, signer } = answer;
  const { installedBytes, files } = manifest.payload;
  const pairs: [field: string, wanted: unknown, found: unknown][] = [
    ['software', expected.software, manifest.software],
    ['version', expected.version, manifest.version],
    ['provider', expected.provider, manifest.provider],
    ['installedBytes', expected.installedBytes, installedBytes],
  ];
  for (const [field, wanted, found] of pairs) {
    if (wanted !== found) throw new TsugiteError('PKG_NOTICE_MISMATCH', { field, expected: wanted, found });
  }
  const tree = inspectStagedTree(stagingDir, installerUid);
  if (tree.bytes !== installedBytes || tree.files !== files)
    throw failed('staged-tree', { fault: 'size', expected: { installedBytes, files }, found: tree });
  return { manifest, signer };
}

async function readBounded(stream: Readable, capBytes: number, onTooMuch: () => void): Promise<{ text: string; isCut: boolean }> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of stream as AsyncIterable<Buffer>) {
    if (bytes < capBytes) chunks.push(chunk.subarray(0, capBytes - bytes));
    bytes += chunk.length;
    if (bytes > capBytes) onTooMuch();
  }
  return { text: Buffer.concat(chunks).toString('utf8'), isCut: bytes > capBytes };
}

function failed(kind: string, detail: Record<string, unknown>): TsugiteError {
  return new TsugiteError('INSTALLER_FAILED', { kind, at: kind, ...detail });
}
