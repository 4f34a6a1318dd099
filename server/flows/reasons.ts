/** What a provider may learn about a customer: without the scope `reasonsToProvider`, E100 stands for every contract code (DOMAIN §12). */
import { catalogue, isErrorCode, TsugiteError } from '../../protocol/errors.ts';
import type { ConsentScope } from '../rules/consent.ts';
import type { Actor } from './actor.ts';

export function maySeeReasons(actor: Actor, scopes: ReadonlySet<ConsentScope>): boolean {
  return actor.role !== 'provider' || scopes.has('reasonsToProvider');
}

/** E101–E113 are about the customer; E112 only says that the id is wrong, which the provider typed itself. */
export function isAboutCustomer(error: TsugiteError): boolean {
  return /^E1(0[1-9]|1[013])$/.test(catalogue[error.code].number);
}

/** Codes as they stand beside a target: those about the customer are one, and say no more than that there is something. */
export function hideCodes(codes: readonly string[]): string[] {
  const shown = codes.map((code) => (isErrorCode(code) && isAboutCustomer(new TsugiteError(code)) ? 'ELIG_NOT_MET' : code));
  return [...new Set(shown)];
}

export function hideReasons(error: unknown, actor: Actor, scopes: ReadonlySet<ConsentScope>): unknown {
  if (!(error instanceof TsugiteError) || !isAboutCustomer(error) || maySeeReasons(actor, scopes)) return error;
  return new TsugiteError('ELIG_NOT_MET');
}
