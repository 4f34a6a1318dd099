/** The sandbox that delivered software runs in. Backends are tried in order, bubblewrap alone so far; where none isolates, nothing is started. */

import { dirname, join } from 'node:path';
import type { Clock, Sandbox } from '../ports.ts';
import { type LanSettings, makeAppNetworks } from './sandbox/app-network.ts';
import { type AppObserver, startApp } from './sandbox/app-process.ts';
import { probeSandbox } from './sandbox/probe.ts';
import type { SandboxHost } from './sandbox/sandbox-host.ts';

export function makeSandbox(around: { host: SandboxHost; lan: LanSettings; clock: Clock; observer: AppObserver }): Sandbox {
  const { host, clock } = around;
  const networks = makeAppNetworks(around.lan, clock);
  return {
    probe: () => probeSandbox(host),
    // Beside the data, not in it: the app asks the agent for its settings and cannot write the file itself.
    start: (app) => startApp(app, join(dirname(app.data.path), 'settings.json'), { ...around, networks }),
    async removeLeftovers() {
      await host.removeLeftovers();
      await networks.removeLeftovers(); // after the processes: a port in use would come back with the next frame
    },
  };
}
