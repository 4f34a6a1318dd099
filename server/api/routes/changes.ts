/** What waits for a second person, and the end of a software for everybody. */
import * as z from 'zod/mini';
import { count, gatewayId, providerId, randomId, softwareId } from '../../../protocol/fields.ts';
import type { makeEndSoftware } from '../../flows/end-software.ts';
import type { makePendingChanges } from '../../flows/pending-changes.ts';
import { time, words } from '../fields.ts';
import { type Route, route } from '../route.ts';
import { detail, maybe, targetState } from '../shapes.ts';
import { shown } from '../shown.ts';

const reason = z.strictObject({ reason: words(1000) });
const change = z.strictObject({ change: randomId });
const software = z.strictObject({ software: softwareId });

const kind = z.string();
const waiting = z.strictObject({
  change: randomId,
  kind,
  subject: z.string(),
  detail,
  /** How many targets it would end, and how many one person may end. */
  count,
  limit: count,
  proposedBy: z.string(),
  createdAt: time,
  expires: time,
  decidedBy: maybe(z.string()),
  decidedAt: maybe(time),
  state: z.enum(['waiting', 'approved', 'declined', 'expired']),
});
const decided = { change: randomId, kind, subject: z.string() };
const ended = z.strictObject({ software: softwareId, state: z.string(), ended: count });
const shownChange = {
  change: shown.change,
  kind: 'prohibit',
  subject: shown.software,
  detail: { reason: '配信禁止の決定（番号12）' },
  count: 11,
  limit: 10,
  proposedBy: '運用担当 鈴木',
  createdAt: shown.time,
  expires: '2026-11-25T01:30:00.000Z',
  decidedBy: null,
  decidedAt: null,
  state: 'waiting',
};

export function changeRoutes({
  changes,
  endSoftware,
}: {
  changes: ReturnType<typeof makePendingChanges>;
  endSoftware: ReturnType<typeof makeEndSoftware>;
}): Route[] {
  return [
    route({
      method: 'GET',
      path: '/changes',
      roles: ['operator'],
      summary: 'Changes that wait or waited for a second person',
      list: randomId,
      answer: waiting,
      example: { answer: shownChange },
      handle: ({ page }) => changes.list(page),
    }),
    route({
      method: 'GET',
      path: '/changes/:change',
      roles: ['operator'],
      summary: 'A change; its targets are a list of their own',
      params: change,
      answer: waiting,
      example: { params: { change: shown.change }, answer: shownChange },
      handle: ({ params }) => changes.show(params.change),
    }),
    route({
      method: 'GET',
      path: '/changes/:change/targets',
      roles: ['operator'],
      summary: 'Every target that a change would end',
      params: change,
      list: randomId,
      answer: z.strictObject({
        target: randomId,
        software: softwareId,
        provider: providerId,
        state: targetState,
        gateway: maybe(gatewayId),
      }),
      example: {
        params: { change: shown.change },
        answer: {
          target: shown.target,
          software: shown.software,
          provider: shown.provider,
          state: 'ACTIVE',
          gateway: shown.gateway,
        },
      },
      handle: ({ params, page }) => changes.targets(params.change, page),
    }),
    route({
      method: 'POST',
      path: '/changes/:change/approve',
      roles: ['operator'],
      summary: 'Approve another person’s change, and carry it out',
      params: change,
      answer: z.strictObject({ ...decided, decision: z.literal('approved'), ended: count }),
      example: {
        params: { change: shown.change },
        answer: { change: shown.change, decision: 'approved', kind: 'prohibit', subject: shown.software, ended: 11 },
      },
      handle: ({ params, actor }) => changes.approve(params.change, actor),
    }),
    route({
      method: 'POST',
      path: '/changes/:change/decline',
      roles: ['operator'],
      summary: 'Decline a change',
      params: change,
      answer: z.strictObject({ ...decided, decision: z.literal('declined') }),
      example: {
        params: { change: shown.change },
        answer: { change: shown.change, decision: 'declined', kind: 'prohibit', subject: shown.software },
      },
      handle: ({ params, actor }) => changes.decline(params.change, actor),
    }),
    route({
      method: 'POST',
      path: '/software/:software/prohibit',
      roles: ['operator'],
      summary: '配信禁止: no new delivery, and removal from every gateway',
      params: software,
      body: reason,
      answer: ended,
      example: {
        params: { software: shown.software },
        body: { reason: '配信禁止の決定（番号12）' },
        answer: { software: shown.software, state: 'PROHIBITED', ended: 3 },
      },
      handle: ({ params, body, actor }) => endSoftware.end('prohibit', params.software, body.reason, actor),
    }),
    route({
      method: 'POST',
      path: '/software/:software/withdraw',
      roles: ['operator', 'provider'],
      summary: 'Withdrawal: removal from every gateway',
      params: software,
      body: reason,
      answer: ended,
      example: {
        params: { software: shown.software },
        body: { reason: 'サービスの終了' },
        answer: { software: shown.software, state: 'WITHDRAWN', ended: 3 },
      },
      handle: ({ params, body, actor }) => endSoftware.end('withdraw', params.software, body.reason, actor),
    }),
  ];
}
