/** Fields that only people send. The protocol's own come from protocol/fields.ts. */
import * as z from 'zod/mini';
import { line } from '../../protocol/fields.ts';

/** Text that says something. */
export const words = (most: number) => line(most).check(z.minLength(1), z.trim());
export const customerId = words(200);
/** Any model that a contract may name, eligible or not. */
export const gatewayModel = z.string().check(z.regex(/^[A-Z0-9][A-Z0-9-]{1,19}$/));
export const day = z.string().check(
  z.regex(/^\d{4}-\d{2}-\d{2}$/),
  z.refine(
    (text) => !Number.isNaN(Date.parse(`${text}T00:00:00Z`)) && new Date(`${text}T00:00:00Z`).toISOString().startsWith(text),
    'not a day',
  ),
);
