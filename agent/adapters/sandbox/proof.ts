/** The proof that the sandbox of this machine isolates: made before anything is started in it. */
import type { SandboxProof } from '../../ports.ts';
import { probeSandbox } from './probe.ts';
import type { SandboxHost } from './sandbox-host.ts';

export type ProveSandbox = () => Promise<SandboxProof>;

/**
 * Asked by many at once, it is made once; one that was made stands for this run of the agent. One that failed is made anew when somebody asks
 * again: what was missing may be there by then.
 *
 * @throws TsugiteError SANDBOX_UNAVAILABLE: nothing may be started
 */
export function makeProveSandbox(host: SandboxHost, probe: (host: SandboxHost) => Promise<SandboxProof> = probeSandbox): ProveSandbox {
  let proof: Promise<SandboxProof> | undefined;
  return () => {
    proof ??= probe(host).catch((error: unknown) => {
      proof = undefined;
      throw error;
    });
    return proof;
  };
}
