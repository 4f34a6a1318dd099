/**
 * お客さまがサービスを利用するまでの流れ: one customer's way to one software, in the sheet's seven steps (DOMAIN §5.1).
 *
 * The ways that the sheet knows: 1→2→3→4→5→6, without the consultation 1→3, and for whoever has line and gateway already 1→4 or 1→5.
 */

export type ApplicationState = keyof typeof applicationMachine;
export type ApplicationEvent = keyof typeof applicationEvents;

/** A row says what may come next and where it leads; what a row leaves out has to wait, or is over. */
export const applicationMachine = {
  APPLIED: {
    consulted: 'CONSULTED',
    lineOrdered: 'LINE_ORDERED',
    lineInUse: 'LINE_READY',
    environmentPrepared: 'ENV_READY',
    deliveryRequested: 'REQUESTED',
    closed: 'CLOSED',
  },
  CONSULTED: {
    lineOrdered: 'LINE_ORDERED',
    lineInUse: 'LINE_READY',
    environmentPrepared: 'ENV_READY',
    deliveryRequested: 'REQUESTED',
    closed: 'CLOSED',
  },
  LINE_ORDERED: { guideSent: 'LINE_READY', closed: 'CLOSED' },
  LINE_READY: { environmentPrepared: 'ENV_READY', closed: 'CLOSED' },
  ENV_READY: { deliveryRequested: 'REQUESTED', closed: 'CLOSED' },
  REQUESTED: { delivered: 'ACTIVE', closed: 'CLOSED' },
  ACTIVE: { closed: 'CLOSED' },
  CLOSED: {},
} as const satisfies Record<string, Partial<Record<keyof typeof applicationEvents, string>>>;

type Step = keyof typeof stepNames;
type Taker = 'operator' | 'provider' | 'technician';
/** `step`: the sheet's number · `by`: who may say that it was taken; nobody may say `delivered`, it follows from the gateway's report (D-18). */
export const applicationEvents = {
  consulted: { step: 2, by: ['operator'] },
  /** A new line or gateway was ordered: the guide with the お客さまID (お申し込みのご案内) is still to come. */
  lineOrdered: { step: 3, by: ['operator'] },
  /** Both were there already, and were shown to be. */
  lineInUse: { step: 3, by: ['operator'] },
  guideSent: { step: 3, by: ['operator'] },
  environmentPrepared: { step: 4, by: ['operator', 'provider', 'technician'] },
  deliveryRequested: { step: 5, by: ['operator', 'provider'] },
  delivered: { step: 6, by: [] },
  /** Taken back, or what was delivered has ended. */
  closed: { step: 7, by: ['operator', 'provider'] },
} as const satisfies Record<string, { step: Step; by: readonly Taker[] }>;

/** In the sheet's words. */
export const stepNames = {
  1: { ja: 'サービス利用申し込み', en: 'application for the service' },
  2: { ja: '提供条件に関するコンサル', en: 'consultation on the provision conditions' },
  3: { ja: 'アクセスライン、ホームゲートウェイの申し込み', en: 'order of line and home gateway' },
  4: { ja: 'サービス利用環境の準備', en: 'preparation of the premises' },
  5: { ja: 'ソフトウェアの配信申し込み', en: 'order of the delivery' },
  6: { ja: 'ソフトウェアの配信', en: 'delivery of the software' },
  7: { ja: '各種料金支払い', en: 'payment' },
} as const;

/** Up to which step a state has come, and for which one everything later waits: 必要に応じて, so nothing waits for a consultation or for a line in use. */
const standing = {
  APPLIED: { at: 1, waitsFor: 5 },
  CONSULTED: { at: 2, waitsFor: 5 },
  LINE_ORDERED: { at: 2, waitsFor: 3 }, // the guide is on its way
  LINE_READY: { at: 3, waitsFor: 4 },
  ENV_READY: { at: 4, waitsFor: 5 },
  REQUESTED: { at: 5, waitsFor: 6 },
  ACTIVE: { at: 6, waitsFor: 7 },
  CLOSED: { at: 7, waitsFor: 7 },
} as const satisfies Record<ApplicationState, { at: Step; waitsFor: Step }>;

/** Step 7: two payees. D-25: the fees of a collab line go to its carrier; none of them ever stands on the provider's invoice of this service. */
export const payees = [
  {
    what: { ja: 'アクセスライン、ひかり電話の費用', en: 'line and Hikari Denwa' },
    payee: { ja: '運用者（光コラボレーションの回線は光コラボレーション事業者）', en: 'the operator (of a collab line, its carrier)' },
  },
  { what: { ja: '本サービス利用に関する費用', en: 'the service' }, payee: { ja: '事業者', en: 'the provider' } },
] as const;

export type StepDecision =
  | { readonly kind: 'step'; readonly to: ApplicationState }
  | { readonly kind: 'repeat' }
  /** Step 5 needs the お客さまID (E112). */
  | { readonly kind: 'refuse'; readonly why: 'customer-unknown' }
  /** `missing`: the step that comes first; undefined: this one is over. */
  | { readonly kind: 'refuse'; readonly why: 'order'; readonly step: Step; readonly missing: Step | undefined };

export function decideStep(state: ApplicationState, event: ApplicationEvent, hasCustomer: boolean): StepDecision {
  const to = nextApplicationState(state, event);
  if (to === undefined) return isRepeat(state, event) ? { kind: 'repeat' } : refusalOf(state, event);
  if (event === 'deliveryRequested' && !hasCustomer) return { kind: 'refuse', why: 'customer-unknown' };
  return { kind: 'step', to };
}

export function nextApplicationState(state: ApplicationState, event: ApplicationEvent): ApplicationState | undefined {
  const row: Partial<Record<ApplicationEvent, ApplicationState>> = applicationMachine[state];
  return row[event];
}

/** What may be said next, for people who ask what is to be done. */
export function nextEvents(state: ApplicationState): ApplicationEvent[] {
  return Object.keys(applicationMachine[state]) as ApplicationEvent[];
}

/** Said twice: some row leads by this event to where it stands. */
function isRepeat(state: ApplicationState, event: ApplicationEvent): boolean {
  const states = Object.keys(applicationMachine) as ApplicationState[];
  return states.some((from) => nextApplicationState(from, event) === state);
}

function refusalOf(state: ApplicationState, event: ApplicationEvent): StepDecision {
  const { at, waitsFor } = standing[state];
  const step = applicationEvents[event].step;
  return { kind: 'refuse', why: 'order', step, missing: step <= at ? undefined : (Math.min(step, waitsFor) as Step) };
}
