import { describe, expect, test } from 'vitest';
import { toUtcTime } from '../../../protocol/fields.ts';
import { confirmItems } from '../../../protocol/messages/confirmation.ts';
import { parseReport } from '../../../protocol/messages/report.ts';
import { decideConfirmation, factsConfirmed } from '../../../server/rules/confirmation.ts';
import type { SiteFacts } from '../../../server/rules/contract-events.ts';

const t13: SiteFacts = {
  line: 'NEXT_GIGA_LINE',
  access: 'DIRECT',
  collabCarrier: null,
  hgwModel: 'RS-500KI',
  denwa: 'OFFICE_A',
  rental: false,
  officeEq: 'unknown',
  bflets: false,
  typeChanged: 'none',
  lineCancelled: false,
  hgwCancelled: false,
};

function aReport(detail: Record<string, unknown> | undefined, kind = 'answer') {
  return parseReport(Buffer.from(JSON.stringify({ v: 1, epoch: 'a'.repeat(32), seq: 1, at: toUtcTime(0), kind, detail })));
}
const seen = (value: unknown) => aReport({ answer: 'confirm', item: 'office-equipment', value, by: 'command' });

describe('what a gateway can say about a contract', () => {
  test.each(confirmItems['office-equipment'])('office-equipment=%s, and of the facts nothing else', (value) => {
    expect(factsConfirmed(seen(value))).toEqual({ officeEq: value });
  });

  const others: [name: string, detail: Record<string, unknown> | undefined, kind?: string][] = [
    ['a value that is known to the contract, not to the protocol', { answer: 'confirm', item: 'office-equipment', value: 'unknown' }],
    ['another spelling', { answer: 'confirm', item: 'office-equipment', value: 'NO' }],
    ['no value', { answer: 'confirm', item: 'office-equipment' }],
    ['a value of another kind', { answer: 'confirm', item: 'office-equipment', value: false }],
    ['a list', { answer: 'confirm', item: 'office-equipment', value: ['no'] }],
    ['another contract fact', { answer: 'confirm', item: 'officeEq', value: 'no' }],
    ['a fact beside the answer', { answer: 'confirm', item: 'rental', value: 'yes', rental: true, line: 'NEXT_OTHER' }],
    ['a name that every object has', { answer: 'confirm', item: 'constructor', value: 'no' }],
    ['another answer', { answer: 'consent', item: 'office-equipment', value: 'no' }],
    ['no answer', { item: 'office-equipment', value: 'no' }],
    ['nothing more', undefined],
    ['another kind of report', { answer: 'confirm', item: 'office-equipment', value: 'no' }, 'end'],
  ];
  test.each(others)('%s confirms nothing', (_, detail, kind) => {
    expect(factsConfirmed(aReport(detail, kind))).toBeUndefined();
  });
});

describe('what a confirmation does', () => {
  test('what was unknown is recorded, and so is the contrary of what was known', () => {
    expect(decideConfirmation({ officeEq: 'no' }, t13, [])).toEqual({ kind: 'record' });
    expect(decideConfirmation({ officeEq: 'yes' }, { ...t13, officeEq: 'no' }, [])).toEqual({ kind: 'record' });
  });

  test('what is known already adds no statement', () => {
    expect(decideConfirmation({ officeEq: 'no' }, { ...t13, officeEq: 'no' }, [])).toEqual({ kind: 'ignore', why: 'known' });
  });

  test('one that arrives after a later one of its outbox is overtaken; a later report that says nothing overtakes nothing', () => {
    expect(decideConfirmation({ officeEq: 'no' }, { ...t13, officeEq: 'yes' }, [seen('yes')])).toEqual({
      kind: 'ignore',
      why: 'overtaken',
    });
    expect(decideConfirmation({ officeEq: 'no' }, t13, [seen('maybe'), aReport({ answer: 'consent' })])).toEqual({ kind: 'record' });
  });
});
