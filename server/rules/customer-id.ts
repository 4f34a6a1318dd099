import { TsugiteError } from '../../protocol/errors.ts';

/** お客さまID after D-26: personal data, so it stands in POST bodies and in one column only. */
export type CustomerId = string & { readonly __brand: 'CustomerId' };

/**
 * D-26: opaque; NFKC, upper case, without spaces and hyphens (every kind a person may type), 1–20 of `[A-Z0-9]`. Never checked more than that.
 *
 * @throws TsugiteError CUSTOMER_UNKNOWN: a text that cannot be an id is told apart from a wrong one to nobody
 */
export function parseCustomerId(text: string): CustomerId {
  const id = text
    .slice(0, 200)
    .normalize('NFKC')
    .replace(/[\s\u2010-\u2015\u2212\u30fc-]/g, '')
    .toUpperCase();
  if (!/^[A-Z0-9]{1,20}$/.test(id)) throw new TsugiteError('CUSTOMER_UNKNOWN');
  return id as CustomerId;
}
