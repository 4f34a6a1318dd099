import { setTimeout as delay } from 'node:timers/promises';
import { isErrorCode, TsugiteError } from '../../protocol/errors.ts';
import { makeChoicesStore } from '../adapters/choices-store.ts';
import { systemClock } from '../adapters/clock.ts';
import { isLocked } from '../adapters/folder-lock.ts';
import { makeIdentityStore } from '../adapters/identity-store.ts';
import { makeLedgerStore } from '../adapters/ledger-store.ts';
import { type LogEntry, readLog } from '../adapters/log-reader.ts';
import { countWaiting } from '../adapters/outbox-store.ts';
import { makeRefusalStore } from '../adapters/refusal-store.ts';
import { makeStateStore } from '../adapters/state-store.ts';
import { makeTrustStore } from '../adapters/trust-store.ts';
import type { StatusFacts } from '../cli/status-text.ts';
import { type DiskView, explainOnDisk, listSoftware } from '../flows/inspect-gateway.ts';
import { makeKeepChoices } from '../flows/keep-choices.ts';
import { makeKeepState } from '../flows/keep-state.ts';
import { makeKeepTrust, type Trust } from '../flows/keep-trust.ts';
import type { TrustStore } from '../ports/disk.ts';
import type { Clock, EventLog } from '../ports.ts';
import type { Fault } from '../rules/agent-state.ts';
import { tallyDenied } from '../rules/denied-tally.ts';
import { defaultBudget, emptyLedger, inMonthOf, totalOf } from '../rules/ledger.ts';
import { type RefusedNotice, tellRefusal } from '../rules/refused-notice.ts';
import type { Why } from '../rules/why.ts';
import { agentVersion, builtAtMs } from '../version.ts';

const silent: EventLog = { write: () => {} };

/** @throws TsugiteError NOT_ENROLLED */
export async function readStatus(dataDir: string, model: string | null, clock: Clock = systemClock): Promise<StatusFacts> {
  const { view, trust, identity } = await openView(dataDir, clock);
  const { notice, root } = view;
  return {
    gateway: identity.gateway,
    model,
    agent: agentVersion,
    isAgentRunning: view.isAgentRunning,
    lineFault: view.lineFault,
    server: identity.https,
    rootVersion: root.version,
    rootExpires: root.expires,
    notice: notice && { version: notice.version, issuedAt: notice.issuedAt, expires: notice.expires, appliedAt: trust.appliedAt() },
    refusedNotice: view.refusedNotice && tellRefusal(view.refusedNotice),
    month: readMonth(dataDir, trust),
    reportsWaiting: countWaiting(dataDir),
    software: listSoftware(view),
  };
}

/** @throws TsugiteError NOT_ENROLLED */
export async function readWhy(dataDir: string, software: string, clock: Clock = systemClock): Promise<Why> {
  return explainOnDisk(software, (await openView(dataDir, clock)).view);
}

/** @throws TsugiteError NOT_ENROLLED: an empty answer would hide a mistyped folder */
export function readEntries(dataDir: string): LogEntry[] {
  const entries = readLog(dataDir);
  if (entries.length === 0 && makeIdentityStore(dataDir).load() === undefined) throw new TsugiteError('NOT_ENROLLED');
  return entries;
}

/** Calls `onEntries` with what is new, until `signal` ends. */
export async function followEntries(
  dataDir: string,
  afterSeq: number,
  onEntries: (entries: LogEntry[]) => void,
  signal: AbortSignal,
): Promise<void> {
  let last = afterSeq;
  while (!signal.aborted) {
    const fresh = readLog(dataDir).filter(({ seq }) => seq > last);
    last = fresh.at(-1)?.seq ?? last;
    if (fresh.length > 0) onEntries(fresh);
    await delay(500, undefined, { signal }).catch(() => {});
  }
}

/** @throws TsugiteError NOT_ENROLLED */
export function openTrustToRead(dataDir: string, clock: Clock = systemClock): Trust {
  return makeKeepTrust({ store: readOnly(makeTrustStore(dataDir)), clock, log: silent, builtAtMs });
}

export function readMonth(dataDir: string, trust: Trust): StatusFacts['month'] {
  const nowMs = trust.nowMs();
  const ledger = inMonthOf(makeLedgerStore(dataDir).load() ?? emptyLedger(nowMs), nowMs);
  const { ceilingBytes } = trust.notice()?.policy.budget ?? defaultBudget;
  return { usedBytes: totalOf(ledger), ceilingBytes, byPurpose: ledger.bytes };
}

async function openView(dataDir: string, clock: Clock) {
  const identity = makeIdentityStore(dataDir).load();
  if (identity === undefined) throw new TsugiteError('NOT_ENROLLED');
  const trust = openTrustToRead(dataDir, clock);
  const state = makeKeepState({ store: { ...makeStateStore(dataDir), save: () => {} }, gateway: identity.gateway, log: silent });
  const isAgentRunning = await isLocked(dataDir);
  const entries = readLog(dataDir);
  const view: DiskView = {
    state: state.now(),
    notice: trust.notice(),
    noticeAppliedAt: trust.appliedAt(),
    refusedNotice: readRefused(dataDir),
    root: trust.root(),
    choices: makeKeepChoices({ store: { ...makeChoicesStore(dataDir), save: () => {} }, gateway: identity.gateway, log: silent }).now(),
    nowMs: trust.nowMs(),
    isAgentRunning,
    lineFault: isAgentRunning ? lastLineFault(entries) : { code: 'AGENT_NOT_RUNNING', detail: { path: dataDir } },
    deniedOf: (target) => tallyDenied(entries, target),
  };
  return { view, trust, identity };
}

/** One that cannot be read is no reason to answer nothing. */
export function readRefused(dataDir: string): RefusedNotice | null {
  try {
    return makeRefusalStore(dataDir).load()?.refused ?? null;
  } catch {
    return null;
  }
}

/** An inspection that writes would be a second agent. */
function readOnly(store: TrustStore): TrustStore {
  const nothing = () => {};
  return { ...store, saveRoot: nothing, pinAnew: nothing, saveNotice: nothing, saveClock: nothing, saveVersionFloors: nothing };
}

function lastLineFault(entries: readonly LogEntry[]): Fault | undefined {
  const last = entries.findLast(({ event }) => event === 'link.online' || event === 'link.offline');
  if (last?.event !== 'link.offline' || typeof last.code !== 'string' || !isErrorCode(last.code)) return undefined;
  return { code: last.code, detail: (last.detail ?? {}) as Fault['detail'] };
}
