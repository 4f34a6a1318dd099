import type { Server } from 'node:http';
import type { HouseDoor } from '../ports/house.ts';
import type { EventLog } from '../ports.ts';
import type { PageSettings } from '../rules/page/settings.ts';
import { closeAll, listen } from './page-server.ts';
import type { SettingsPage } from './settings-page.ts';

type Needs = {
  settings: PageSettings;
  /** With the first request: a household changes something once a year, and what an idle agent does not need costs it no memory. */
  loadPage: () => Promise<SettingsPage>;
  log: EventLog;
};

/** Where the settings page listens: its own port, on the addresses of the home. */
export function makeSettingsDoor({ settings, loadPage, log }: Needs): HouseDoor {
  const port = settings.settingsPort;
  let servers: Server[] = [];
  let loading: Promise<SettingsPage> | undefined;

  return {
    async start(house) {
      if (port === undefined) return;
      const hosts = [...new Set(settings.listen.map(({ host }) => host))];
      try {
        for (const host of hosts)
          servers.push(
            await listen({ host, port }, (request, response) => {
              loading ??= loadPage();
              loading
                .then((page) => page(request, response, house))
                .catch((error: unknown) => {
                  log.write({ event: 'agent.fault', code: 'INTERNAL_FAULT', detail: { duty: 'settings', at: String(error) } });
                  response.destroy();
                });
            }),
          );
      } catch (error) {
        await closeAll(servers);
        servers = [];
        throw error;
      }
    },
    async stop() {
      await closeAll(servers);
      servers = [];
    },
  };
}
