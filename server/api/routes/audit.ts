/** The audit log: who changed or read what, and whether the log is still the one that was written. */
import * as z from 'zod/mini';
import { TsugiteError } from '../../../protocol/errors.ts';
import type { makeAuditLog } from '../../flows/audit-log.ts';
import { type AuditHead, parseAuditHead } from '../../rules/audit-chain.ts';
import { day, rowNumber, time, words } from '../fields.ts';
import { type Route, route } from '../route.ts';
import { shown } from '../shown.ts';

const seq = z.int().check(z.gte(1));
const hash = z.string().check(z.regex(/^[0-9a-f]{64}$/));
const row = z.strictObject({
  seq,
  at: time,
  actor: z.string(),
  action: z.string(),
  subject: z.string(),
  detail: z.record(z.string(), z.unknown()),
  prevHash: hash,
  hash,
});
const fault = z.strictObject({
  kind: z.enum(['changed', 'moved', 'replaced', 'inserted', 'removed', 'rewritten', 'cut-off']),
  seq,
  from: z.optional(seq),
  to: z.optional(seq),
});
const verdict = z.strictObject({
  isWhole: z.boolean(),
  rows: z.int(),
  head: z.nullable(z.strictObject({ seq, hash })),
  faults: z.array(fault),
  faultCount: z.int(),
  headsHeld: z.int(),
  headsGivenUp: z.int(),
  restored: z.array(z.strictObject({ seq, at: time, base: z.int() })),
});

export function auditRoutes({ audit }: { audit: ReturnType<typeof makeAuditLog> }): Route[] {
  return [
    route({
      method: 'GET',
      path: '/audit',
      roles: ['operator'],
      summary: 'The audit log, newest first',
      query: z.strictObject({
        actor: z.optional(words(200)),
        action: z.optional(z.string().check(z.regex(/^[a-z][a-z.-]{0,99}$/))),
        subject: z.optional(words(200)),
        from: z.optional(day),
        to: z.optional(day),
      }),
      list: rowNumber,
      answer: row,
      example: {
        query: { action: 'customer.read', from: shown.day },
        answer: {
          seq: 42,
          at: shown.time,
          actor: '相談窓口',
          action: 'customer.read',
          subject: shown.customer,
          detail: { by: 'customerId', why: shown.why },
          prevHash: shown.sha256,
          hash: shown.sha256.split('').reverse().join(''),
        },
      },
      handle: ({ query, page }) => audit.list(query, page),
    }),
    route({
      method: 'GET',
      path: '/audit/verify',
      roles: ['operator'],
      summary: 'Is the audit log the one that was written; against a head (SEQ:HASH) that was kept elsewhere, when one is given',
      query: z.strictObject({ head: z.optional(z.string().check(z.maxLength(100))) }),
      answer: verdict,
      example: {
        answer: {
          isWhole: true,
          rows: 42,
          head: { seq: 42, hash: shown.sha256 },
          faults: [],
          faultCount: 0,
          headsHeld: 7,
          headsGivenUp: 0,
          restored: [],
        },
      },
      handle: async ({ query }) => {
        const found = await audit.verify(headsOf(query.head));
        return { isWhole: found.faultCount === 0, ...found, head: found.head ?? null };
      },
    }),
  ];
}

function headsOf(text: string | undefined): AuditHead[] {
  if (text === undefined) return [];
  const head = parseAuditHead(text);
  if (head === undefined) throw new TsugiteError('INPUT_REFUSED', { faults: [{ field: 'head', fault: 'SEQ:HASH is needed' }] });
  return [head];
}
