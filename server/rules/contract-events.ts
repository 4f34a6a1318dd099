/**
 * What can happen to a contract (DOMAIN D-31), and what it does to the facts of the site.
 *
 * All events of one day are taken together, whoever entered them first: what is lost comes first, what is gained or goes on after it. So an old
 * line's 解約 and the new line of the same day leave the contract standing, in either order of entry.
 */
import type { GatewayId, ProviderId, SoftwareId } from '../../protocol/fields.ts';
import type { ContractFacts } from './eligibility.ts';
import type { Line } from './eligibility-catalogue.ts';

export type SiteFacts = ContractFacts & { readonly collabCarrier: string | null };

/** What an event says beyond its kind. */
export type EventDetails = {
  'cancel-line': Empty;
  'cancel-hgw': Empty;
  'cancel-phone': Empty;
  'end-rental': Empty;
  'start-line': { readonly line: Line; readonly collabCarrier?: string | null };
  /** 転用: from the operator's line to a collaboration carrier's. */
  transfer: { readonly collabCarrier: string; readonly line?: Line };
  /** 事業者変更; null: back to the operator itself. */
  'change-carrier': { readonly collabCarrier: string | null; readonly line?: Line };
  relocate: { readonly line?: Line };
  'change-line': { readonly line: Line };
  'swap-device': { readonly gateway: GatewayId; readonly model: string };
  'start-phone': { readonly denwa: Exclude<ContractFacts['denwa'], 'NONE'> };
  'start-rental': Empty;
  'type-change-completed': Empty;
  /** The customer's contract with the provider ended, not the line. */
  'provider-cancel': { readonly provider: ProviderId; readonly software?: SoftwareId };
  /** A correction of what is on record, for a later day. */
  'change-facts': { readonly changes: Partial<SiteFacts> };
};
type Empty = Readonly<Record<string, never>>;
export type EventKind = keyof EventDetails;
export type ContractEvent = {
  readonly [Kind in EventKind]: { readonly id: number; readonly kind: Kind; readonly detail: EventDetails[Kind] };
}[EventKind];

type Effect<Detail> = {
  readonly ja: string;
  readonly en: string;
  readonly phase: 'loss' | 'gain';
  /** @param before  as the day began: what was cancelled on an earlier day is not undone by an event that merely goes on */
  readonly changes: (detail: Detail, facts: SiteFacts, before: SiteFacts) => Partial<SiteFacts>;
};

const ownCarrier = (collabCarrier: string | null | undefined): Partial<SiteFacts> =>
  collabCarrier == null ? { access: 'DIRECT', collabCarrier: null } : { access: 'COLLAB', collabCarrier };
const lineOf = ({ line }: { line?: Line }): Partial<SiteFacts> => (line === undefined ? {} : { line });

export const eventKinds: { readonly [Kind in EventKind]: Effect<EventDetails[Kind]> } = {
  'cancel-line': { ja: '回線の解約', en: 'the line is cancelled', phase: 'loss', changes: () => ({ lineCancelled: true }) },
  'cancel-hgw': {
    ja: 'ホームゲートウェイの解約',
    en: 'the home gateway contract is cancelled',
    phase: 'loss',
    changes: () => ({ hgwCancelled: true }),
  },
  'cancel-phone': {
    ja: 'ひかり電話の解約',
    en: 'Hikari Denwa is cancelled',
    phase: 'loss',
    changes: () => ({ denwa: 'NONE', bflets: false }), // the use since Bフレッツ is no longer continuous
  },
  'end-rental': {
    ja: 'ホームゲートウェイ（レンタル）の終了',
    en: 'the home gateway rental ends',
    phase: 'loss',
    changes: () => ({ rental: false }),
  },
  'start-line': {
    ja: '回線の新規契約',
    en: 'a new line, same customer ID',
    phase: 'gain',
    changes: ({ line, collabCarrier }) => ({ line, ...ownCarrier(collabCarrier), lineCancelled: false }),
  },
  transfer: {
    ja: '転用',
    en: 'the line moves to a collaboration carrier',
    phase: 'gain',
    changes: (detail, _, before) => ({ ...lineOf(detail), ...ownCarrier(detail.collabCarrier), lineCancelled: before.lineCancelled }),
  },
  'change-carrier': {
    ja: '事業者変更',
    en: 'the line moves to another carrier',
    phase: 'gain',
    changes: (detail) => ({ ...lineOf(detail), ...ownCarrier(detail.collabCarrier), lineCancelled: false }),
  },
  relocate: {
    ja: '移転',
    en: 'the customer moves, same contract',
    phase: 'gain',
    changes: (detail, _, before) => ({ ...lineOf(detail), lineCancelled: before.lineCancelled }),
  },
  'change-line': {
    ja: '品目変更',
    en: 'another kind of line, same contract',
    phase: 'gain',
    changes: (detail, _, before) => ({ ...lineOf(detail), lineCancelled: before.lineCancelled }),
  },
  'swap-device': {
    ja: '機器交換',
    en: 'another home gateway, same contract',
    phase: 'gain',
    changes: ({ model }, _, before) => ({ hgwModel: model, hgwCancelled: before.hgwCancelled }),
  },
  'start-phone': {
    ja: 'ひかり電話の開始',
    en: 'Hikari Denwa starts',
    phase: 'gain',
    changes: ({ denwa }, facts, before) => ({ denwa, bflets: before.denwa === 'NONE' ? facts.bflets : before.bflets }),
  },
  'start-rental': {
    ja: 'ホームゲートウェイ（レンタル）の開始',
    en: 'a home gateway rental starts',
    phase: 'gain',
    changes: () => ({ rental: true, hgwCancelled: false }),
  },
  'type-change-completed': {
    ja: 'ひかり電話タイプ変更の完了',
    en: 'the Hikari Denwa type change is completed',
    phase: 'gain',
    changes: () => ({ typeChanged: 'completed' }),
  },
  'provider-cancel': {
    ja: '事業者との契約の終了',
    en: "the customer's contract with the provider ends",
    phase: 'loss',
    changes: () => ({}), // the line goes on: only that provider's targets end
  },
  'change-facts': { ja: '契約内容の訂正', en: 'a correction of the record', phase: 'gain', changes: ({ changes }) => changes },
};

/** D-31: one day, one judgement. What is under contract at the day's end. Entered earlier or later on the day makes no difference, save between two of the same phase that contradict. */
export function factsAtDayEnd(before: SiteFacts, events: readonly ContractEvent[]): SiteFacts {
  let facts = before;
  for (const event of inOrder(events)) facts = { ...facts, ...changesOf(event, facts, before) };
  return facts;
}

export function inOrder(events: readonly ContractEvent[]): ContractEvent[] {
  const rank = ({ kind }: ContractEvent) => (eventKinds[kind].phase === 'loss' ? 0 : 1);
  return [...events].sort((one, other) => rank(one) - rank(other) || one.id - other.id);
}

function changesOf<Kind extends EventKind>(
  { kind, detail }: { kind: Kind; detail: EventDetails[Kind] },
  facts: SiteFacts,
  before: SiteFacts,
): Partial<SiteFacts> {
  return eventKinds[kind].changes(detail, facts, before);
}
