import { describe } from '../../../protocol/errors.ts';
import { toUtcTime } from '../../../protocol/fields.ts';
import type { Status } from '../../../protocol/messages/status.ts';
import type { GatewaySnapshot, SoftwareSnapshot } from '../gateway-snapshot.ts';
import { mainPathOf } from './request.ts';

/** `/status.json` (contract, DESIGN §6): the page's facts for programs in the home. */
export function statusOf({ gateway, model, agent, atMs, online, month, software }: GatewaySnapshot): Status {
  return {
    v: 1,
    gateway,
    model: model as Status['model'],
    agent,
    at: toUtcTime(atMs),
    online,
    month: { usedBytes: Math.round(month.usedBytes), ceilingBytes: month.ceilingBytes },
    software: software.map(softwareOf),
  };
}

function softwareOf(entry: SoftwareSnapshot): Status['software'][number] {
  const page = pagePathOf(entry);
  return {
    software: entry.software,
    version: entry.version,
    title: entry.title.ja,
    provider: entry.providerName,
    state: entry.state,
    ...(page === undefined ? {} : { page }),
    ...(entry.reason === undefined ? {} : { reason: reasonOf(entry.reason) }),
  };
}

/** There is a page to open only while the app runs. */
export function pagePathOf(entry: SoftwareSnapshot): string | undefined {
  return entry.webSocketPath === undefined ? undefined : mainPathOf(entry);
}

export type Reason = { number: string; code: string; ja: string; en: string };

export function reasonOf({ code, detail }: NonNullable<SoftwareSnapshot['reason']>): Reason {
  const { number, ja, en } = describe(code, detail);
  return { number, code, ja: ja.slice(0, 600), en: en.slice(0, 600) };
}
