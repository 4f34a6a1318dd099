import { toUtcTime } from '../../protocol/fields.ts';
import { toCompactJson } from '../../protocol/json.ts';
import type { Birth } from '../../protocol/messages/presence.ts';
import type { Notice } from '../../protocol/statements/notice.ts';
import type { Cancel, Clock, ControlLink, EventLog, LinkHandlers, Random } from '../ports.ts';
import { applyNotice } from '../rules/apply-notice.ts';
import type { NoticeOutcome } from './accept-notice.ts';
import type { StateKeeper } from './keep-state.ts';
import type { Trust } from './keep-trust.ts';
import type { Refusals } from './remember-refusal.ts';
import type { SendReports } from './send-reports.ts';
import { faultOf } from './supervise.ts';
import type { Walk } from './walk-root.ts';

type Needs = {
  trust: Trust;
  state: StateKeeper;
  reports: SendReports;
  link: ControlLink;
  random: Random;
  log: EventLog;
  acceptNotice: (envelope: Buffer) => Promise<NoticeOutcome>;
  refusals: Pick<Refusals, 'tell' | 'forget'>;
  walkRoot: (urge: { isUrged: boolean }) => Promise<Walk>;
  clock: Clock;
  /** What the birth message says beside the state. */
  about: Pick<Birth, 'agent' | 'model' | 'firmware' | 'node' | 'arch' | 'bootId' | 'epoch'>;
  delayDeployments: (delayMs: number) => void;
  onChange: () => void;
};

const hourMs = 3_600_000;
const dayMs = 24 * hourMs;

export type HearServer = LinkHandlers & {
  /** Before the agent ends: what it would ask again, it does not. */
  stop(): void;
};

/** What the agent does when the server speaks, and what it says of itself when it connects. */
export function makeHearServer(needs: Needs): HearServer {
  const { trust, state, reports, link, random, clock, log, acceptNotice, refusals, walkRoot, about, delayDeployments, onChange } = needs;
  let hasAskedForRoots = false;
  let askAgainAfterMs = hourMs;
  let cancelAskAgain: Cancel = () => {};
  let isStopped = false;
  /** One notice after the other: the second must be held against what the first has made. */
  let line: Promise<void> = Promise.resolve();

  async function hearNotice(envelope: Buffer): Promise<void> {
    const outcome = await acceptNotice(envelope);
    if (outcome.kind === 'refused') refusals.tell(outcome);
    else if (outcome.kind === 'applied' || outcome.why === 'already-applied') refusals.forget();
    if (outcome.kind === 'applied') obey(outcome.notice);
    const needsRoot =
      outcome.kind === 'refused' ? outcome.code === 'SIGNING_KEY_UNKNOWN' : (trust.notice()?.rootVersion ?? 0) > trust.root().version;
    if (needsRoot) askAgainLater(envelope);
    else askAgainAfterMs = hourMs;
  }

  /** The broker keeps what we acknowledged to itself, so what only a newer root can judge is kept here until that root can be had. */
  function askAgainLater(envelope: Buffer): void {
    if (isStopped) return;
    cancelAskAgain();
    cancelAskAgain = clock.after(askAgainAfterMs, () => {
      void walkRoot({ isUrged: true })
        .then(() => (line = line.then(() => hearNotice(envelope)).catch(logFault)))
        .then(onChange, logFault);
    });
    askAgainAfterMs = Math.min(askAgainAfterMs * 2, dayMs);
  }

  function logFault(error: unknown): void {
    log.write({ event: 'agent.fault', ...faultOf(error) });
  }

  function obey(notice: Notice): void {
    state.change((now) => applyNotice(now, notice));
    link.setKeepaliveS(notice.policy.keepaliveS);
    delayDeployments(random.fraction() * notice.policy.jitterS * 1000);
    answerRequests(notice);
    onChange();
  }

  /** `resync`: what is committed here, in one report. A bundle waits for the resident's consent and is answered elsewhere. */
  function answerRequests(notice: Notice): void {
    const nowMs = trust.nowMs();
    for (const { id, kind, expires } of notice.requests) {
      if (kind !== 'resync' || nowMs >= Date.parse(expires) || state.now().answeredRequests.includes(id)) continue;
      const committed = state
        .now()
        .records.flatMap(({ target, committed: installed }) => (installed ? [`${target} ${installed.version}`] : []));
      reports.report({ at: toUtcTime(nowMs), kind: 'resync', detail: { request: id, committed } });
      state.change((now) => ({ ...now, answeredRequests: [...now.answeredRequests, id] }));
      log.write({ event: 'request.answered', detail: { kind, request: id, software: committed.length } });
    }
  }

  // A power cut may have come between saving a notice and saving its terms.
  const inForce = trust.notice();
  if (inForce !== null) state.change((now) => applyNotice(now, inForce));

  return {
    birth: () =>
      toCompactJson({
        v: 1,
        online: true,
        ...about,
        speaks: [1],
        appliedNotice: trust.mark(),
        rootVersion: trust.root().version,
      } satisfies Birth),
    onOnline() {
      log.write({ event: 'link.online', detail: {} });
      reports.onOnline();
      if (!hasAskedForRoots) {
        hasAskedForRoots = true;
        void walkRoot({ isUrged: false }).then(onChange, logFault);
      }
      onChange();
    },
    onOffline(code, detail) {
      log.write({ event: 'link.offline', code, detail });
      onChange();
    },
    onNotice(envelope) {
      const heard = line.then(() => hearNotice(envelope));
      line = heard.catch(() => {});
      return heard;
    },
    onAck: (message) => reports.onAck(message),
    stop() {
      isStopped = true;
      cancelAskAgain();
    },
  };
}
