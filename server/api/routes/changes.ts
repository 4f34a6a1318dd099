/** What waits for a second person, and the end of a software for everybody. */
import * as z from 'zod/mini';
import { randomId, softwareId } from '../../../protocol/fields.ts';
import type { makeEndSoftware } from '../../flows/end-software.ts';
import type { makePendingChanges } from '../../flows/pending-changes.ts';
import { words } from '../fields.ts';
import { type Route, route } from '../route.ts';

const reason = z.strictObject({ reason: words(1000) });
const change = z.strictObject({ change: randomId });
const software = z.strictObject({ software: softwareId });

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
      handle: ({ page }) => changes.list(page),
    }),
    route({
      method: 'GET',
      path: '/changes/:change',
      roles: ['operator'],
      summary: 'A change and every target that it would end',
      params: change,
      handle: ({ params }) => changes.show(params.change),
    }),
    route({
      method: 'POST',
      path: '/changes/:change/approve',
      roles: ['operator'],
      summary: 'Approve another person’s change, and carry it out',
      params: change,
      handle: ({ params, actor }) => changes.approve(params.change, actor),
    }),
    route({
      method: 'POST',
      path: '/changes/:change/decline',
      roles: ['operator'],
      summary: 'Decline a change',
      params: change,
      handle: ({ params, actor }) => changes.decline(params.change, actor),
    }),
    route({
      method: 'POST',
      path: '/software/:software/prohibit',
      roles: ['operator'],
      summary: '配信禁止: no new delivery, and removal from every gateway',
      params: software,
      body: reason,
      handle: ({ params, body, actor }) => endSoftware.end('prohibit', params.software, body.reason, actor),
    }),
    route({
      method: 'POST',
      path: '/software/:software/withdraw',
      roles: ['operator', 'provider'],
      summary: 'Withdrawal: removal from every gateway',
      params: software,
      body: reason,
      handle: ({ params, body, actor }) => endSoftware.end('withdraw', params.software, body.reason, actor),
    }),
  ];
}
