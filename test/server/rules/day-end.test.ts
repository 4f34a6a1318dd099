import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { gatewayId, providerId, randomId, softwareId } from '../../../protocol/fields.ts';
import {
  type ContractEvent,
  type EventDetails,
  type EventKind,
  eventKinds,
  type SiteFacts,
} from '../../../server/rules/contract-events.ts';
import { decideDayEnd, type OpenTarget } from '../../../server/rules/day-end.ts';
import { eligibilityCatalogues } from '../../../server/rules/eligibility-catalogue.ts';
import { endedStates, type TargetState, targetMachine } from '../../../server/rules/targets.ts';
import { t1 } from '../../support/contract-facts.ts';

const running: OpenTarget = {
  target: randomId.parse('target0000000001'),
  software: softwareId.parse('demo.ipv4'),
  provider: providerId.parse('demo'),
  state: 'ACTIVE',
  isRunning: true,
};
let ids = 0;
function an<Kind extends EventKind>(kind: Kind, detail: EventDetails[Kind] = {} as never): ContractEvent {
  ids += 1;
  return { id: ids, kind, detail } as ContractEvent;
}
const newBox = { gateway: gatewayId.parse('hgw-new'), model: 'PR-500MI' };

function dayEnd(events: readonly ContractEvent[], facts: Partial<SiteFacts> = {}, target: Partial<OpenTarget> = {}, day = '2026-11-22') {
  return decideDayEnd({ ...t1, ...facts }, events, [{ ...running, ...target }], eligibilityCatalogues.current, day);
}
/** The state of the one target after the day. */
function stateAfter(
  events: readonly ContractEvent[],
  facts: Partial<SiteFacts> = {},
  target: Partial<OpenTarget> = {},
  day?: string,
): string {
  const [move] = dayEnd(events, facts, target, day).moves;
  return [move?.to ?? target.state ?? 'ACTIVE', ...(move?.codes ?? [])].join(' ');
}

describe('what ends a service, and what does not (D-31, D-15)', () => {
  const rows: [name: string, events: ContractEvent[], facts: Partial<SiteFacts>, expected: string][] = [
    ['T23 解約 of the line', [an('cancel-line')], {}, 'TERMINATED ELIG_CONTRACT_ENDED'],
    ['解約 of the home gateway', [an('cancel-hgw')], {}, 'TERMINATED ELIG_CONTRACT_ENDED'],
    ['T24 電話解約 without a rental', [an('cancel-phone')], {}, 'TERMINATED ELIG_NO_PHONE_OR_RENTAL'],
    ['電話解約 with a rental', [an('cancel-phone')], { rental: true }, 'ACTIVE'],
    ['電話解約 on Giga Smart, which needs neither', [an('cancel-phone')], { line: 'NEXT_GIGA_SMART', hgwModel: 'PR-500KI' }, 'ACTIVE'],
    ['電話解約 and レンタル開始 on one day', [an('cancel-phone'), an('start-rental')], {}, 'ACTIVE'],
    [
      'レンタル終了 and ひかり電話開始 on one day',
      [an('start-phone', { denwa: 'STANDARD' }), an('end-rental')],
      { denwa: 'NONE', rental: true },
      'ACTIVE',
    ],
    ['レンタル終了 alone', [an('end-rental')], { denwa: 'NONE', rental: true }, 'TERMINATED ELIG_NO_PHONE_OR_RENTAL'],
    ['事業者変更 as one event', [an('change-carrier', { collabCarrier: '光コラボX' })], {}, 'ACTIVE'],
    [
      '事業者変更 as old 解約 and new 新規',
      [an('cancel-line'), an('start-line', { line: 'NEXT_OTHER', collabCarrier: 'X' })],
      {},
      'ACTIVE',
    ],
    [
      '事業者変更 whose new 新規 was entered first',
      [an('start-line', { line: 'NEXT_OTHER', collabCarrier: 'X' }), an('cancel-line')],
      {},
      'ACTIVE',
    ],
    ['転用', [an('transfer', { collabCarrier: 'X' })], {}, 'ACTIVE'],
    ['転用 whose old line is cancelled the same day', [an('transfer', { collabCarrier: 'X' }), an('cancel-line')], {}, 'ACTIVE'],
    ['移転', [an('relocate')], {}, 'ACTIVE'],
    ['移転 whose old line is cancelled the same day', [an('cancel-line'), an('relocate', { line: 'NEXT_OTHER' })], {}, 'ACTIVE'],
    ['品目変更', [an('change-line', { line: 'NEXT_GIGA_LINE' })], {}, 'ACTIVE'],
    ['品目変更 to a line outside the service', [an('change-line', { line: 'CROSS' })], {}, 'SUSPENDED ELIG_LINE'],
    ['機器交換', [an('swap-device', newBox)], {}, 'ACTIVE'],
    ['機器交換 with the old box handed back the same day', [an('swap-device', newBox), an('cancel-hgw')], {}, 'ACTIVE'],
    ['機器交換 to a box outside the service', [an('swap-device', { ...newBox, model: 'XG-100NE' })], {}, 'SUSPENDED ELIG_MODEL'],
    [
      'an event that merely goes on does not bring back what was cancelled before',
      [an('relocate')],
      { lineCancelled: true },
      'TERMINATED ELIG_CONTRACT_ENDED',
    ],
    ['the provider’s own contract ended', [an('provider-cancel', { provider: running.provider })], {}, 'TERMINATED'],
    ['another provider’s contract ended', [an('provider-cancel', { provider: providerId.parse('other') })], {}, 'ACTIVE'],
    [
      'the contract of another software ended',
      [an('provider-cancel', { provider: running.provider, software: softwareId.parse('demo.other') })],
      {},
      'ACTIVE',
    ],
  ];
  test.each(rows)('%s', (_, events, facts, expected) => expect(stateAfter(events, facts)).toBe(expected));

  test('T25: E105 suspends and ends nothing; without the equipment the software is back', () => {
    const t8 = { line: 'NEXT_GIGA_SMART', hgwModel: 'PR-500KI', denwa: 'OFFICE_TYPE' } as const;
    expect(stateAfter([an('change-facts', { changes: { officeEq: 'yes' } })], { ...t8, officeEq: 'no' })).toBe(
      'SUSPENDED ELIG_OFFICE_EQUIPMENT',
    );
    expect(stateAfter([an('change-facts', { changes: { officeEq: 'no' } })], { ...t8, officeEq: 'yes' }, { state: 'SUSPENDED' })).toBe(
      'ACTIVE',
    );
  });

  test('T26: 光ライト that is moved to 光ネクスト on its day goes on; without the move it is suspended, never ended', () => {
    const light = { line: 'LIGHT' } as const;
    expect(stateAfter([], light, {}, '2025-03-31')).toBe('ACTIVE');
    expect(stateAfter([an('change-line', { line: 'NEXT_OTHER' })], light, {}, '2025-04-01')).toBe('ACTIVE');
    expect(stateAfter([], light, {}, '2025-04-01')).toBe('SUSPENDED ELIG_LINE');
  });

  test('タイプ変更完了 releases a target on hold', () => {
    const facts = { bflets: true, typeChanged: 'applied' } as const;
    expect(stateAfter([], facts, { state: 'HOLD', isRunning: false })).toBe('HOLD ELIG_TYPE_CHANGE');
    expect(stateAfter([an('type-change-completed')], facts, { state: 'HOLD', isRunning: false })).toBe('READY');
  });

  test('a telephone that is cancelled is no longer in use since Bフレッツ; one that is only changed is', () => {
    const facts = { bflets: true } as const;
    expect(dayEnd([an('cancel-phone'), an('start-rental')], facts).facts.bflets).toBe(false);
    const changed = [an('start-phone', { denwa: 'OFFICE_TYPE' }), an('cancel-phone')];
    expect(dayEnd(changed, facts).facts).toMatchObject({ denwa: 'OFFICE_TYPE', bflets: true });
  });

  test('facts keep what no event names', () => {
    expect(dayEnd([an('swap-device', newBox), an('transfer', { collabCarrier: 'X' })]).facts).toEqual({
      ...t1,
      hgwModel: 'PR-500MI',
      access: 'COLLAB',
      collabCarrier: 'X',
    });
  });
});

describe('whatever comes on one day', () => {
  const details: { [Kind in EventKind]: fc.Arbitrary<EventDetails[Kind]> } = {
    'cancel-line': fc.constant({}),
    'cancel-hgw': fc.constant({}),
    'cancel-phone': fc.constant({}),
    'end-rental': fc.constant({}),
    'start-line': fc.record({ line: fc.constantFrom('NEXT_OTHER', 'NEXT_GIGA_LINE', 'CROSS') }),
    transfer: fc.record({ collabCarrier: fc.constantFrom('X', 'Y') }),
    'change-carrier': fc.record({ collabCarrier: fc.constantFrom('X', null) }),
    relocate: fc.constant({}),
    'change-line': fc.record({ line: fc.constantFrom('NEXT_OTHER', 'NEXT_GIGA_SMART', 'CROSS') }),
    'swap-device': fc.record({ gateway: fc.constant(newBox.gateway), model: fc.constantFrom('PR-400KI', 'PR-500MI', 'XG-100NE') }),
    'start-phone': fc.record({ denwa: fc.constantFrom('STANDARD', 'OFFICE_A') }),
    'start-rental': fc.constant({}),
    'type-change-completed': fc.constant({}),
    'provider-cancel': fc.record({ provider: fc.constantFrom(running.provider, providerId.parse('other')) }),
    'change-facts': fc.record({ changes: fc.record({ officeEq: fc.constantFrom('yes', 'no', 'unknown') }) }),
  };
  const kinds = Object.keys(eventKinds) as EventKind[];
  const anEvent = (among: readonly EventKind[]) =>
    fc.oneof(
      ...among.map((kind) => fc.record({ id: fc.nat(), kind: fc.constant(kind), detail: details[kind] })),
    ) as fc.Arbitrary<ContractEvent>;
  const someEvents = (among: readonly EventKind[] = kinds) => fc.uniqueArray(anEvent(among), { maxLength: 8, selector: ({ id }) => id });
  const openStates = (Object.keys(targetMachine) as TargetState[]).filter((state) => !endedStates.includes(state));
  const factsBefore = fc.record<SiteFacts>({
    line: fc.constantFrom('NEXT_OTHER', 'NEXT_GIGA_SMART', 'NEXT_GIGA_LINE', 'LIGHT', 'CROSS'),
    access: fc.constantFrom('DIRECT', 'COLLAB'),
    collabCarrier: fc.constant(null),
    hgwModel: fc.constantFrom('PR-400KI', 'XG-100NE', null),
    denwa: fc.constantFrom('NONE', 'STANDARD', 'OFFICE_TYPE'),
    rental: fc.boolean(),
    officeEq: fc.constantFrom('yes', 'no', 'unknown'),
    bflets: fc.boolean(),
    typeChanged: fc.constantFrom('none', 'applied', 'completed'),
    lineCancelled: fc.constant(false),
    hgwCancelled: fc.constant(false),
  });

  test('転用・事業者変更・移転・品目変更・機器交換 never fire E107, alone or together, whatever was under contract', () => {
    const continuing: EventKind[] = ['transfer', 'change-carrier', 'relocate', 'change-line', 'swap-device'];
    fc.assert(
      fc.property(someEvents(continuing), factsBefore, (events, facts) => {
        expect(dayEnd(events, facts).eligibility.fired.map(({ code }) => code)).not.toContain('ELIG_CONTRACT_ENDED');
      }),
    );
  });

  test('a same-day 解約 of the line beside one that goes on never fires it either', () => {
    fc.assert(
      fc.property(someEvents(['transfer', 'change-carrier', 'relocate', 'change-line', 'start-line']), factsBefore, (events, facts) => {
        fc.pre(events.length > 0);
        const codes = dayEnd([...events, { id: -1, kind: 'cancel-line', detail: {} }], facts).eligibility.fired.map(({ code }) => code);
        expect(codes).not.toContain('ELIG_CONTRACT_ENDED');
      }),
    );
  });

  test('the order in which events are handed over changes nothing', () => {
    fc.assert(
      fc.property(someEvents(), factsBefore, fc.infiniteStream(fc.nat()), (events, facts, keys) => {
        const shuffled = events.map((event) => ({ event, key: keys.next().value })).sort((one, other) => one.key - other.key);
        expect(
          dayEnd(
            shuffled.map(({ event }) => event),
            facts,
          ),
        ).toEqual(dayEnd(events, facts));
      }),
    );
  });

  test('a target ends only for a cancelled contract, a lost right to the gateway, or its provider’s word', () => {
    fc.assert(
      fc.property(someEvents(), factsBefore, fc.constantFrom(...openStates), fc.boolean(), (events, facts, state, isRunning) => {
        const { moves, eligibility } = dayEnd(events, facts, { state, isRunning });
        if (moves[0]?.to !== 'TERMINATED') return;
        const codes = eligibility.fired.map(({ code }) => code);
        const isOver = codes.includes('ELIG_CONTRACT_ENDED') || codes.includes('ELIG_NO_PHONE_OR_RENTAL');
        expect(isOver || events.some((event) => event.kind === 'provider-cancel' && event.detail.provider === running.provider)).toBe(true);
      }),
    );
  });

  test('the same day once more moves nothing: its end is stable', () => {
    fc.assert(
      fc.property(someEvents(), factsBefore, fc.constantFrom(...openStates), fc.boolean(), (events, facts, state, isRunning) => {
        const first = dayEnd(events, facts, { state, isRunning });
        const next = first.moves[0]?.to ?? state;
        if (endedStates.includes(next)) return;
        const again = dayEnd([], first.facts, { state: next, isRunning }).moves.filter(({ from, to }) => from !== to);
        expect(again).toEqual([]);
      }),
    );
  });
});
