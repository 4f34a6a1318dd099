/** What the people in the house chose about updates and data: kept beside the state, so that it holds through restarts and power cuts. */
import { type Digest, type GatewayId, type RandomId, toUtcTime, type UtcTime } from '../../protocol/fields.ts';
import type { ConfirmItem } from '../../protocol/messages/confirmation.ts';
import type { Notice, Target } from '../../protocol/statements/notice.ts';
import type { Fault } from './agent-state.ts';

/** About one wish of the notice; a new digest or attempt is another wish. */
export type UpdateChoice = {
  target: RandomId;
  sha256: Digest;
  attempt: number;
  /** When this update was put off for the first time. */
  since: UtcTime;
  until: UtcTime;
  /** Done at once, whatever hours, spreading or postponement say. */
  isNow: boolean;
};
export type Confirmation = { item: ConfirmItem; value: string; at: UtcTime };
/** Of the resident, for one request of the operator. */
export type Consent = { request: RandomId; isGiven: boolean; withOutput: boolean; at: UtcTime; until: UtcTime };

export type Choices = {
  v: 1;
  /** Another identity is another household: its choices are not ours. */
  gateway: GatewayId;
  updates: readonly UpdateChoice[];
  confirmations: readonly Confirmation[];
  consents: readonly Consent[];
};

const dayMs = 86_400_000;
export const postponeStepMs = dayMs;
/** A security update may be among those that are put off: not for longer than this (EN 303 645 5.3-6 allows postponing, 5.3-8 asks for timeliness). */
export const postponeLimitMs = 7 * dayMs;
/** A resident's consent to diagnostics ends by itself (DOMAIN §12). */
const consentMs = dayMs;

export function emptyChoices(gateway: GatewayId): Choices {
  return { v: 1, gateway, updates: [], confirmations: [], consents: [] };
}

export type WishChoice = { kind: 'none' } | { kind: 'now' } | { kind: 'postponed'; untilMs: number };

export function choiceOf({ updates }: Choices, wish: Target, nowMs: number): WishChoice {
  const choice = updates.find((entry) => isAbout(entry, wish));
  if (choice === undefined) return { kind: 'none' };
  if (choice.isNow) return { kind: 'now' };
  const untilMs = Date.parse(choice.until);
  return nowMs < untilMs ? { kind: 'postponed', untilMs } : { kind: 'none' };
}

export function faultOfPostponement(untilMs: number): Fault {
  return { code: 'POSTPONED', detail: { until: timeInJapan(untilMs), untilTime: toUtcTime(untilMs) } };
}

export type Postponement = { kind: 'postponed'; untilMs: number; choices: Choices } | { kind: 'refused'; limitMs: number };

/** One day more, from now or from the end of the last postponement; never beyond the limit, and a day before the deadline there must be time left. */
export function postpone(choices: Choices, wish: Target, nowMs: number): Postponement {
  const before = choices.updates.find((entry) => isAbout(entry, wish));
  const sinceMs = before === undefined || before.isNow ? nowMs : Date.parse(before.since);
  const limitMs = Math.min(sinceMs + postponeLimitMs, Date.parse(wish.deadline) - dayMs);
  const fromMs = before === undefined || before.isNow ? nowMs : Math.max(nowMs, Date.parse(before.until));
  const untilMs = Math.min(fromMs + postponeStepMs, limitMs);
  if (untilMs <= fromMs) return { kind: 'refused', limitMs };
  const choice = { ...aboutWish(wish), since: toUtcTime(sinceMs), until: toUtcTime(untilMs), isNow: false };
  return { kind: 'postponed', untilMs, choices: withUpdate(choices, choice) };
}

export function installNow(choices: Choices, wish: Target, nowMs: number): Choices {
  const at = toUtcTime(nowMs);
  return withUpdate(choices, { ...aboutWish(wish), since: at, until: at, isNow: true });
}

export function confirm(choices: Choices, { item, value }: { item: ConfirmItem; value: string }, nowMs: number): Choices {
  const others = choices.confirmations.filter((entry) => entry.item !== item);
  return { ...choices, confirmations: [...others, { item, value, at: toUtcTime(nowMs) }] };
}

export function consent(choices: Choices, given: Pick<Consent, 'request' | 'isGiven' | 'withOutput'>, nowMs: number): Choices {
  const others = choices.consents.filter((entry) => entry.request !== given.request);
  return { ...choices, consents: [...others, { ...given, at: toUtcTime(nowMs), until: toUtcTime(nowMs + consentMs) }] };
}

/** Forgets what no notice asks about any more, so that the file stays small for years. */
export function tidyChoices(choices: Choices, notice: Notice | null, nowMs: number): Choices {
  if (notice === null) return choices;
  return {
    ...choices,
    updates: choices.updates.filter((entry) => notice.targets.some((wish) => isAbout(entry, wish))),
    consents: choices.consents.filter((entry) => nowMs < Date.parse(entry.until)),
  };
}

function isAbout(entry: Pick<UpdateChoice, 'target' | 'sha256' | 'attempt'>, wish: Target): boolean {
  return entry.target === wish.target && entry.sha256 === wish.package.sha256 && entry.attempt === wish.attempt;
}

function aboutWish({ target, package: { sha256 }, attempt }: Target): Pick<UpdateChoice, 'target' | 'sha256' | 'attempt'> {
  return { target, sha256, attempt };
}

function withUpdate(choices: Choices, choice: UpdateChoice): Choices {
  return { ...choices, updates: [...choices.updates.filter((entry) => entry.target !== choice.target), choice] };
}

/** As the household reads it; Japan has no daylight saving time. */
export function timeInJapan(ms: number): { ja: string; en: string } {
  const [, year, month, day, time] = /^(\d+)-(\d+)-(\d+)T(\d+:\d+)/.exec(new Date(ms + 9 * 3_600_000).toISOString()) as unknown as [
    string,
    string,
    string,
    string,
    string,
  ];
  return { ja: `${year}年${Number(month)}月${Number(day)}日 ${time}`, en: `${year}-${month}-${day} ${time} JST` };
}
