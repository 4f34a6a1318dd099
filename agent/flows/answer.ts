/** What a person at the gateway asks of the running agent, whichever door it came in by: recorded, told to the server, acted upon. */
import { assertNever } from '../../protocol/assert-never.ts';
import { TsugiteError } from '../../protocol/errors.ts';
import { toUtcTime } from '../../protocol/fields.ts';
import type { Report } from '../../protocol/messages/report.ts';
import type { Answered, AskedBy } from '../ports/house.ts';
import type { ControlLink, EventLog } from '../ports.ts';
import type { Ask } from '../rules/ask.ts';
import { confirm, consent, installNow, postpone, tidyChoices, timeInJapan } from '../rules/choices.ts';
import { findPending, type Pending } from '../rules/pending.ts';
import type { Situation } from '../rules/reconcile.ts';
import { reasonOf } from '../rules/report-body.ts';
import type { ChoicesKeeper } from './keep-choices.ts';
import type { SendReports } from './send-reports.ts';

type Needs = {
  observe: () => Situation;
  choices: ChoicesKeeper;
  reports: Pick<SendReports, 'report'>;
  link: Pick<ControlLink, 'isOnline'>;
  walkRoot: () => Promise<unknown>;
  log: EventLog;
  onChange: () => void;
};

/** What a report's list holds. */
const committedPerReport = 20;

export function makeAnswer({ observe, choices, reports, link, walkRoot, log, onChange }: Needs) {
  function answered(kind: Ask['kind'], updates: Answered['updates'] = []): Answered {
    onChange();
    return { kind, isOnline: link.isOnline(), updates };
  }

  function tell(ask: Ask, by: AskedBy, body: Pick<Report, 'target' | 'software' | 'version' | 'number' | 'code' | 'detail'>): void {
    reports.report({ at: toUtcTime(observe().nowMs), kind: 'answer', ...body, detail: { ...body.detail, by } });
    const { target, software, version, detail } = body;
    log.write({
      event: 'house.answered',
      ...(target && { target }),
      ...(software && { software }),
      ...(version && { version }),
      detail: { ...detail, ask: ask.kind, by },
    });
  }

  /** The server publishes the notice anew when it hears this; the roots are asked for, and the plan is made again. */
  function resync(by: AskedBy): Answered {
    const { nowMs, state } = observe();
    const committed = state.records.flatMap(({ target, committed: here }) => (here === null ? [] : [`${target} ${here.version}`]));
    reports.report({ at: toUtcTime(nowMs), kind: 'resync', detail: { by, committed: committed.slice(0, committedPerReport) } });
    log.write({ event: 'house.answered', detail: { ask: 'resync', by } });
    // Not waited for: without a line it would only keep the asker waiting.
    walkRoot().then(onChange, () => {});
    return answered('resync');
  }

  /** @throws TsugiteError SOFTWARE_NOT_LISTED · NOTHING_PENDING */
  function pendingOf(name: string | null, situation: Situation): Pending[] {
    const pending = findPending(situation).filter(({ wish }) => name === null || wish.software === name || wish.target === name);
    if (pending.length > 0) return pending;
    const isKnown =
      name === null || [...(situation.notice?.targets ?? []), ...situation.state.records].some((entry) => entry.software === name);
    throw isKnown ? new TsugiteError('NOTHING_PENDING') : new TsugiteError('SOFTWARE_NOT_LISTED', { software: name });
  }

  function hurry(ask: Extract<Ask, { kind: 'install-now' }>, by: AskedBy): Answered {
    const situation = observe();
    const pending = pendingOf(ask.software, situation);
    choices.change((now) =>
      tidyChoices(
        pending.reduce((all, { wish }) => installNow(all, wish, situation.nowMs), now),
        situation.notice,
        situation.nowMs,
      ),
    );
    for (const { wish } of pending) {
      const { target, software, version } = wish;
      tell(ask, by, { target, software, version, detail: { answer: 'consent', scope: 'install-now' } });
    }
    return answered(
      ask.kind,
      pending.map(({ wish: { software, version } }) => ({ software, version, until: null })),
    );
  }

  function putOff(ask: Extract<Ask, { kind: 'postpone' }>, by: AskedBy): Answered {
    const situation = observe();
    const pending = pendingOf(ask.software, situation).filter(({ mayPostpone }) => mayPostpone);
    if (pending.length === 0) throw new TsugiteError('NOTHING_PENDING');
    const { nowMs } = situation;
    const outcomes = pending.map(({ wish }) => ({ wish, outcome: postpone(choices.now(), wish, nowMs) }));
    const refused = outcomes.flatMap(({ outcome }) => (outcome.kind === 'refused' ? [outcome.limitMs] : []));
    if (refused.length === outcomes.length) throw new TsugiteError('POSTPONE_LIMIT', { limit: timeInJapan(Math.max(...refused)) });
    const updates = outcomes.flatMap(({ wish, outcome }) => {
      if (outcome.kind === 'refused') return [];
      const until = toUtcTime(outcome.untilMs);
      choices.change((now) => {
        const again = postpone(now, wish, nowMs);
        return again.kind === 'postponed' ? tidyChoices(again.choices, situation.notice, nowMs) : now;
      });
      const { target, software, version } = wish;
      tell(ask, by, { target, software, version, ...reasonOf({ code: 'POSTPONED', detail: { answer: 'postpone', until } }) });
      return [{ software, version, until }];
    });
    return answered(ask.kind, updates);
  }

  /** @throws TsugiteError NOT_FOUND when no notice asks for it (any more) */
  function giveConsent(ask: Extract<Ask, { kind: 'consent' }>, by: AskedBy): Answered {
    const { notice, nowMs } = observe();
    const request = notice?.requests.find(
      ({ id, kind, expires }) => id === ask.request && kind === 'bundle' && nowMs < Date.parse(expires),
    );
    if (request === undefined) throw new TsugiteError('NOT_FOUND', { what: { ja: '運用者からの依頼', en: 'The request' } });
    const { isGiven, withOutput } = ask;
    choices.change((now) => tidyChoices(consent(now, { request: request.id, isGiven, withOutput }, nowMs), notice, nowMs));
    tell(ask, by, { detail: { answer: 'consent', scope: 'diagnostics', request: request.id, given: isGiven, output: withOutput } });
    return answered(ask.kind);
  }

  return async (ask: Ask, by: AskedBy): Promise<Answered> => {
    switch (ask.kind) {
      case 'resync':
        return resync(by);
      case 'install-now':
        return hurry(ask, by);
      case 'postpone':
        return putOff(ask, by);
      case 'consent':
        return giveConsent(ask, by);
      case 'confirm': {
        const { item, value } = ask;
        choices.change((now) => confirm(now, { item, value }, observe().nowMs));
        tell(ask, by, { detail: { answer: 'confirm', item, value } });
        return answered(ask.kind);
      }
      default:
        return assertNever(ask);
    }
  };
}
