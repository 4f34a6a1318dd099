import { type RandomId, toUtcTime } from '../../protocol/fields.ts';
import type { EventLog, SoftwareSnapshot } from '../ports.ts';
import { deploymentOf, recordOf, type SoftwareRecord, withRecord } from '../rules/agent-state.ts';
import { findStop } from '../rules/may-run.ts';
import type { Situation } from '../rules/reconcile.ts';
import { permissionsInForce } from '../rules/run-terms.ts';
import { type Shown, showSoftware, softwareWords } from '../rules/software-word.ts';
import { decideWish } from '../rules/wish.ts';
import type { StateKeeper } from './keep-state.ts';

/** The word and the reason for one target, whether the notice lists it, the disk holds it, or both. */
export function shownOf(target: RandomId, situation: Situation): Shown {
  const record = recordOf(situation.state, target);
  const wish = situation.notice?.targets.find((entry) => entry.target === target);
  return showSoftware({
    record,
    deployment: deploymentOf(situation.state, target),
    decision: wish && decideWish(wish, record, { ...situation, refusal: () => situation.refusalOf(wish) }),
    isRunning: situation.running.has(target),
    stop: record && findStop(record, situation),
  });
}

export function targetsOf({ notice, state }: Situation): RandomId[] {
  return [...new Set([...(notice?.targets ?? []), ...state.records].map((entry) => entry.target))];
}

/** Writes down each change of a word, with the time and the reason, so that "since when, and why" can be answered later, and offline. */
export function makeNoteChanges({ state, log }: { state: StateKeeper; log: EventLog }) {
  return (situation: Situation): void => {
    for (const record of situation.state.records) noteChange(record, shownOf(record.target, situation), situation.nowMs);
  };

  function noteChange(record: SoftwareRecord, now: Shown, nowMs: number): void {
    const { shown } = record;
    if (shown.state === now.state && shown.fault?.code === now.fault?.code) return;
    state.change((current) =>
      withRecord(current, { ...(recordOf(current, record.target) ?? record), shown: { ...now, at: toUtcTime(nowMs) } }),
    );
    log.write({
      event: 'state.changed',
      target: record.target,
      software: record.software,
      ...(record.committed && { version: record.committed.version }),
      state: now.state,
      ...(now.fault && { code: now.fault.code }),
      detail: { ...now.fault?.detail, from: shown.state, ...softwareWords[now.state], by: now.fault?.code ?? 'agent' },
    });
  }
}

/** What the page and `status` show of every software. */
export function snapshotSoftware(situation: Situation, webSocketPathOf: (target: RandomId) => string | undefined): SoftwareSnapshot[] {
  return targetsOf(situation).flatMap((target) => {
    const record = recordOf(situation.state, target);
    const wish = situation.notice?.targets.find((entry) => entry.target === target);
    const source = record ?? wish;
    const shown = shownOf(target, situation);
    const committed = record?.committed ?? null;
    const verified = committed ?? deploymentOf(situation.state, target)?.verified ?? null;
    const version = committed?.version ?? wish?.version ?? record?.ended.at(-1)?.version;
    const permissions = verified && record ? permissionsInForce(record.terms.grants, verified.manifest) : undefined;
    const webSocketPath = webSocketPathOf(target);
    if (source === undefined || version === undefined) return [];
    return [
      {
        target,
        software: source.software,
        provider: source.provider,
        providerName: verified?.signer.organisation ?? source.provider,
        version,
        title: verified?.manifest.title ?? { ja: source.software, en: source.software },
        state: shown.state,
        changedAtMs: record === undefined ? situation.nowMs : Date.parse(record.shown.at),
        ...(shown.fault && { reason: shown.fault }),
        ...(verified && { manifest: verified.manifest }),
        ...(permissions && {
          permissions,
          isMeasured: permissions.telemetry && (situation.notice?.policy.telemetryBytesPerMonth ?? 0) > 0,
        }),
        ...(webSocketPath !== undefined && webSocketPath !== '' && { webSocketPath }),
      },
    ];
  });
}
