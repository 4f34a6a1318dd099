/** What a broker that is not ours has to be told. */
import * as z from 'zod/mini';
import type { DeviceCrl } from '../../flows/device-crl.ts';
import { time } from '../fields.ts';
import { type Route, route } from '../route.ts';

export function brokerRoutes({ deviceCrl }: { deviceCrl: () => Promise<DeviceCrl> }): Route[] {
  return [
    route({
      method: 'GET',
      path: '/pki/device-crl',
      roles: ['operator', 'technician', 'viewer'],
      summary: 'Gateway certificates that are revoked, signed by the device CA',
      answer: z.strictObject({ number: z.int(), madeAt: time, revoked: z.int(), pem: z.string() }),
      example: {
        answer: {
          number: 12,
          madeAt: '2026-11-22T00:00:00.000Z',
          revoked: 3,
          pem: '-----BEGIN X509 CRL-----\nMIIB…\n-----END X509 CRL-----\n',
        },
      },
      handle: () => deviceCrl(),
    }),
  ];
}
