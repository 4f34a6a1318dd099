import { systemClock as clock } from '../adapters/clock.ts';
import { makeSettingsPage, type SettingsPage } from '../adapters/settings-page.ts';
import { makePasswordStore } from '../adapters/settings-password.ts';
import { type AgentConfig, pageSettingsOf } from '../config.ts';
import type { EventLog } from '../ports.ts';
import * as rules from '../rules/settings/index.ts';

type Needs = { gateway: string; nowUtc: () => string; log: EventLog };

/** The settings page, with everything that only it needs. */
export function composeSettings(dataDir: string, config: AgentConfig, { gateway, nowUtc, log }: Needs): SettingsPage {
  return makeSettingsPage({
    settings: pageSettingsOf(config),
    rules,
    passwords: makePasswordStore(dataDir, { gateway, nowUtc }),
    names: [gateway, config.model, config.firmware],
    log,
    monotonicMs: clock.monotonicMs,
  });
}
