import type { RandomId, SoftwareId, UtcTime, Version } from '../../protocol/fields.ts';
import type { Notice } from '../../protocol/statements/notice.ts';
import type { Root } from '../../protocol/statements/root.ts';
import { type AgentState, deploymentOf, type Fault, recordOf } from '../rules/agent-state.ts';
import { type Choices, choiceOf } from '../rules/choices.ts';
import type { DeniedTally } from '../rules/denied-tally.ts';
import { findStop } from '../rules/may-run.ts';
import { findInstallBlock } from '../rules/notice.ts';
import { type RefusedNotice, tellRefusal } from '../rules/refused-notice.ts';
import { type Shown, showSoftware } from '../rules/software-word.ts';
import { type Beside, explainSoftware, type Findings, type Why } from '../rules/why.ts';
import { decideWish } from '../rules/wish.ts';

/** What can be read from the disk alone, whether the agent runs or not, and with no line at all. */
export type DiskView = {
  state: AgentState;
  notice: Notice | null;
  noticeAppliedAt: UtcTime | null;
  refusedNotice: RefusedNotice | null;
  root: Root;
  choices: Choices;
  nowMs: number;
  isAgentRunning: boolean;
  /** The last that the log knows of the line: undefined when it was fine. */
  lineFault: Fault | undefined;
  /** Connections of one target that were refused, as far back as the log goes. */
  deniedOf: (target: RandomId) => readonly DeniedTally[];
};

export type SoftwareOnDisk = {
  target: RandomId;
  software: SoftwareId;
  version: Version | null;
  title: { ja: string; en: string } | null;
  provider: string;
  shown: Shown;
  at: string | null;
};

/** Notices are renewed every 7 days; a day later their absence is worth a word. */
const silenceMs = 8 * 86_400_000;

export function listSoftware(view: DiskView): SoftwareOnDisk[] {
  const targets = [...new Set([...(view.notice?.targets ?? []), ...view.state.records].map((entry) => entry.target))];
  return targets.flatMap((target) => {
    const record = recordOf(view.state, target);
    const wish = view.notice?.targets.find((entry) => entry.target === target);
    const source = record ?? wish;
    if (source === undefined) return [];
    return [
      {
        target,
        software: source.software,
        version: record?.committed?.version ?? wish?.version ?? record?.ended.at(-1)?.version ?? null,
        title: record?.committed?.manifest.title ?? null,
        provider: record?.committed?.signer.organisation ?? source.provider,
        shown: shownOnDisk(target, view),
        at: record?.shown.at ?? null,
      },
    ];
  });
}

/** While the agent runs, what it wrote down last is what is; without it nothing runs. */
function shownOnDisk(target: RandomId, view: DiskView): Shown {
  const record = recordOf(view.state, target);
  if (record !== undefined && view.isAgentRunning) return record.shown;
  const shown = showSoftware({
    record,
    deployment: deploymentOf(view.state, target),
    decision: decisionOf(target, view),
    isRunning: false,
    stop: record && findStop(record, { ...view, revoked: view.root.revokedSigners }),
  });
  const isOnlyDown = shown.state === 'stopped' && shown.fault === null;
  return isOnlyDown ? { ...shown, fault: { code: 'AGENT_NOT_RUNNING', detail: {} } } : shown;
}

function decisionOf(target: RandomId, { notice, root, state, choices, nowMs }: DiskView) {
  const wish = notice?.targets.find((entry) => entry.target === target);
  if (notice === null || wish === undefined) return undefined;
  const record = recordOf(state, target);
  const before = record?.ended.at(-1)?.fault;
  return decideWish(wish, record, {
    nowMs,
    block: findInstallBlock(notice, root, nowMs),
    refusal: () => before,
    choiceOf: (of) => choiceOf(choices, of, nowMs),
  });
}

/** @param name  software id, or its last known title */
export function explainOnDisk(name: string, view: DiskView): Why {
  const known = listSoftware(view).find((entry) => entry.software === name || entry.title?.ja === name || entry.title?.en === name);
  const notListed: Fault = { code: 'SOFTWARE_NOT_LISTED', detail: { software: name } };
  // Without any notice nobody here can say what is listed: then the line is the thing to look at.
  const unknown: Shown = { state: 'refused', fault: view.notice === null ? null : notListed };
  if (known === undefined)
    return explainSoftware(name, { shown: unknown, at: null }, { ...findContact(view), listed: notListed }, besideOf(undefined, view));
  return explainSoftware(known.software, known, { ...findContact(view), ...findRungs(known, view, notListed) }, besideOf(known, view));
}

function besideOf(known: SoftwareOnDisk | undefined, { notice, noticeAppliedAt, refusedNotice, deniedOf }: DiskView): Beside {
  return {
    notices: {
      accepted: notice && { version: notice.version, issuedAt: notice.issuedAt, appliedAt: noticeAppliedAt },
      refused: refusedNotice && tellRefusal(refusedNotice),
    },
    denied: known === undefined ? [] : deniedOf(known.target),
  };
}

/** A line that is down explains the silence, and has a remedy of its own. What was refused did arrive. */
function findContact({ notice, refusedNotice, nowMs, lineFault }: DiskView): Findings {
  const heardAt = refusedNotice?.at ?? notice?.issuedAt;
  const isSilent = heardAt === undefined || nowMs - Date.parse(heardAt) > silenceMs;
  const since = heardAt ?? { ja: '登録', en: 'enrolment' };
  return {
    enrolled: 'yes',
    contact: lineFault ?? (isSilent ? { code: 'NOTICE_SILENCE', detail: { since } } : 'yes'),
    ...((notice !== null || refusedNotice !== null) && { notice: refusedNotice ?? 'yes' }),
  };
}

function findRungs({ target, shown }: SoftwareOnDisk, view: DiskView, notListed: Fault): Findings {
  const record = recordOf(view.state, target);
  const wish = view.notice?.targets.find((entry) => entry.target === target);
  const entitledUntil = wish?.entitledUntil ?? record?.terms.entitledUntil;
  const isEntitled = entitledUntil === undefined || view.nowMs < Date.parse(entitledUntil);
  const block = view.notice === null ? undefined : findInstallBlock(view.notice, view.root, view.nowMs);
  const decision = decisionOf(target, view);
  const ended = decision?.kind === 'spent' ? decision.ended : undefined;
  const isRunning = shown.state === 'running' || shown.state === 'running-previous' || shown.state === 'updating';
  return {
    listed: wish === undefined ? notListed : 'yes',
    entitled: isEntitled ? 'yes' : { code: 'ENTITLEMENT_LAPSED', detail: { entitledUntil } },
    trusted: block ?? 'yes',
    accepted: ended?.beforeDownload ? ended.fault : 'yes',
    ...(ended?.beforeDownload ? {} : { installed: ended?.fault ?? (record?.committed ? 'yes' : (shown.fault ?? 'not-yet')) }),
    ...(record?.committed ? { running: isRunning ? 'yes' : (shown.fault ?? 'not-yet') } : {}),
  };
}
