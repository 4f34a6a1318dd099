/**
 * What software says of itself (`POST /telemetry` on its gateway socket): whole numbers under short names, and nothing else. A text could carry a
 * name, an address or what somebody said, which must not leave a home by this way (DOMAIN §11, §12); numbers are only ever shown summed up over
 * many homes.
 */
import * as z from 'zod/mini';

export const ownNumbersKept = 16;
export type OwnNumbers = z.infer<typeof ownNumbers>;
export const ownNumbers = z
  .record(z.string().check(z.regex(/^[a-z][A-Za-z0-9]{0,23}$/)), z.int())
  .check(z.refine((numbers) => Object.keys(numbers).length <= ownNumbersKept, `more than ${ownNumbersKept} names`));
