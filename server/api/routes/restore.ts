/** After a restore: what is held, and the operator's word that the server may speak again. */
import * as z from 'zod/mini';
import type { makePublicationHold } from '../../flows/publication-hold.ts';
import { time, words } from '../fields.ts';
import { type Route, route } from '../route.ts';

export function restoreRoutes({ hold }: { hold: ReturnType<typeof makePublicationHold> }): Route[] {
  return [
    route({
      method: 'GET',
      path: '/restore',
      roles: ['operator', 'technician', 'viewer'],
      summary: 'Is publication held after a restore, and how many gateways know more than this database',
      answer: z.strictObject({
        isHeld: z.boolean(),
        gateways: z.int(),
        ahead: z.int(),
        why: z.optional(z.enum(['restored', 'went-back'])),
        since: z.optional(time),
        base: z.optional(z.strictObject({ seq: z.int(), hash: z.string() })),
        backup: z.optional(z.strictObject({ id: z.string(), madeAt: time })),
      }),
      example: { answer: { isHeld: false, gateways: 1200, ahead: 0 } },
      handle: () => hold.show(),
    }),
    route({
      method: 'POST',
      path: '/restore/confirm',
      roles: ['operator'],
      summary: 'What was lost with the restore is entered again: publish to every gateway',
      body: z.strictObject({ reason: words(1000) }),
      answer: z.strictObject({ gateways: z.int() }),
      example: { body: { reason: 'バックアップ後の申し込み 3 件を登録し直しました' }, answer: { gateways: 1200 } },
      handle: ({ body, actor }) => hold.confirm(body.reason, actor),
    }),
  ];
}
