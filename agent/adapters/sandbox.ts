/** The sandbox that delivered software runs in. Backends are tried in order, bubblewrap alone so far; where none has been proven to isolate, nothing is started. */

import { dirname, join } from 'node:path';
import type { Clock, Sandbox } from '../ports.ts';
import { type LanSettings, makeAppNetworks } from './sandbox/app-network.ts';
import { type AppObserver, startApp } from './sandbox/app-process.ts';
import type { ProveSandbox } from './sandbox/proof.ts';
import type { SandboxHost } from './sandbox/sandbox-host.ts';

type Around = { host: SandboxHost; prove: ProveSandbox; lan: LanSettings; clock: Clock; observer: AppObserver };

export function makeSandbox(around: Around): Sandbox {
  const { host, prove, clock } = around;
  const networks = makeAppNetworks(around.lan, clock);
  return {
    probe: prove,
    // Beside the data, not in it: the app asks the agent for its settings and cannot write the file itself.
    async start(app) {
      await prove();
      return startApp(app, join(dirname(app.data.path), 'settings.json'), { ...around, networks });
    },
    async removeLeftovers() {
      await host.removeLeftovers();
      await networks.removeLeftovers(); // after the processes: a port in use would come back with the next frame
    },
  };
}
