/** Fields that only people send. The protocol's own come from protocol/fields.ts. */
import * as z from 'zod/mini';
import { line } from '../../protocol/fields.ts';

/** Text that says something. */
export const words = (most: number) => line(most).check(z.trim(), z.minLength(1));
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

/** A month in Japan. */
export const month = z.string().check(z.regex(/^20\d{2}-(0[1-9]|1[0-2])$/));

/** A time in an answer: a Date as JSON says it. */
export const time = z.iso.datetime({ precision: 3 });
/** The number of a row in a path, where it is no random id. */
export const rowNumber = z.pipe(z.string().check(z.regex(/^[1-9]\d{0,14}$/)), z.transform(Number));

export const mostItems = 1_000;
const defaultItems = 200;
/** `?limit=`: how many items a page of a list has. */
export const limit = z.pipe(
  z._default(z.string().check(z.regex(/^([1-9]\d{0,2}|1000)$/, `a number from 1 to ${mostItems}`)), String(defaultItems)),
  z.transform(Number),
);
