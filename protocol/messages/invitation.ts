/** Invitation: what a gateway is given by hand to find and trust its server for the first time (DESIGN §4). It is a secret until its token is spent. */
import * as z from 'zod/mini';
import { envelopeSchema } from '../dsse.ts';
import { gatewayId, pem } from '../fields.ts';
import { limits } from '../limits.ts';
import { readMessage } from '../read.ts';

export type Invitation = z.infer<typeof invitationSchema>;
export const invitationSchema = z.strictObject({
  v: z.literal(1),
  gateway: gatewayId,
  https: z.string().check(z.regex(/^https:\/\/[^\s/?#@]+$/), z.maxLength(300)),
  mqtt: z.string().check(z.regex(/^mqtts:\/\/[^\s/?#@]+$/), z.maxLength(300)),
  token: z.string().check(z.regex(/^[a-z2-7]{26}$/)),
  serverCas: z.array(pem).check(z.minLength(1), z.maxLength(8)),
  root: envelopeSchema,
});

/** @throws TsugiteError MESSAGE_MALFORMED · JSON_NOT_COMPACT · MESSAGE_TOO_LARGE */
export function parseInvitation(bytes: Uint8Array): Invitation {
  return readMessage(bytes, {
    schema: invitationSchema,
    capBytes: limits.invitationBytes,
    what: 'invitation',
    stringCapBytes: limits.envelopeBytes,
  });
}
