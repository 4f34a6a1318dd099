import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { privacyTable } from '../../../scripts/support/privacy-table.ts';
import { configSchema } from '../../../server/config.ts';
import { dataTables, decideErasure, type Holding } from '../../../server/rules/personal-data.ts';

const dayMs = 86_400_000;
const nowMs = Date.parse('2026-11-22T12:00:00Z');
const purgedFrom = (untilMs: number) => untilMs + 30 * dayMs;
const ended: Holding = { endedMs: nowMs - dayMs, leasedUntilMs: nowMs + 36 * dayMs, isPurged: false };

describe('a customer that asks for erasure', () => {
  test.each<[string, Holding[], string]>([
    ['who never had anything', [], 'finish'],
    ['whose software is gone from the gateway', [{ ...ended, isPurged: true }], 'finish'],
    ['whose order never reached a gateway', [{ ...ended, leasedUntilMs: undefined }], 'finish'],
    ['whose gateway has not said that it removed it', [ended], 'begin'],
    ['whose lease and the days after it are over', [{ ...ended, leasedUntilMs: nowMs - 30 * dayMs }], 'finish'],
    ['one moment before that', [{ ...ended, leasedUntilMs: nowMs - 30 * dayMs + 1 }], 'begin'],
    [
      'with something in use',
      [
        { ...ended, isPurged: true },
        { ...ended, endedMs: undefined },
      ],
      'blocked',
    ],
  ])('%s', (_, held, expected) => expect(decideErasure(held, purgedFrom, nowMs).kind).toBe(expected));

  test('it is finished when the last gateway deletes by itself, and never waits beyond that', () => {
    expect(decideErasure([ended, { ...ended, leasedUntilMs: nowMs }], purgedFrom, nowMs)).toEqual({
      kind: 'begin',
      finishMs: nowMs + 66 * dayMs,
    });
    fc.assert(
      fc.property(fc.array(fc.nat(40 * dayMs), { minLength: 1 }), (leases) => {
        const held = leases.map((ms) => ({ ...ended, leasedUntilMs: nowMs + ms }));
        const decision = decideErasure(held, purgedFrom, nowMs);
        if (decision.kind !== 'begin') throw new Error(decision.kind);
        expect(decideErasure(held, purgedFrom, decision.finishMs).kind).toBe('finish');
        expect(decideErasure(held, purgedFrom, decision.finishMs - 1).kind).toBe('begin');
      }),
    );
  });
});

describe('the list of tables', () => {
  const tables = Object.entries(dataTables);

  test('whatever is a customer’s has a word about its erasure, and nothing else has one', () => {
    for (const [name, { link, erase }] of tables) expect([name, erase !== undefined]).toEqual([name, link !== undefined]);
  });

  test('parents stand before their children, so that erasing from the end leaves nothing pointing at what is gone', () => {
    const at = (name: string) => tables.findIndex(([one]) => one === name);
    for (const [name, { link }] of tables)
      if (link !== undefined && name !== 'customers') expect([name, at(link.parent) < at(name)]).toEqual([name, true]);
    expect(at('consents')).toBeLessThan(at('targets')); // targets.consent_id
    expect(at('contract_facts')).toBeLessThan(at('contract_events_settled')); // its facts_id
  });

  test('only what a charge or the proof of an erasure rests on stays of a customer', () => {
    const kept = tables.filter(([, { erase }]) => erase?.kind === 'keep').map(([name]) => name);
    expect(kept).toEqual(['target_plans', 'erasures']);
    const blanked = tables.flatMap(([name, { erase }]) => (erase?.kind === 'blank' ? [name] : []));
    expect(blanked).toEqual(['customers', 'sites', 'gateways', 'targets', 'target_events']);
  });

  test('every period has its days in the configuration', () => {
    const { retention } = configSchema.parse({});
    for (const [, { kept }] of tables) if (kept.kind === 'days') expect(retention[kept.days]).toBeGreaterThanOrEqual(30);
  });

  test('docs/operations/privacy.md holds it word for word', () => {
    const document = readFileSync(new URL('../../../docs/operations/privacy.md', import.meta.url), 'utf8');
    expect(document).toContain(privacyTable());
  });
});
