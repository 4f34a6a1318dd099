/** Which version of something somebody has seen: a short name made from its content, so that no row has to count its changes. */
import { createHash } from 'node:crypto';
import { TsugiteError } from '../../protocol/errors.ts';

/** @param content  text or bytes; of an object write its JSON, with its keys always in one order */
export function contentVersion(content: string | Buffer): string {
  return createHash('sha256').update(content).digest('base64url').slice(0, 22);
}

/**
 * @param ifMatch  as RFC 9110 §13.1.1 has it: quoted versions, or `*`; left out, whatever is there is meant
 * @throws TsugiteError VERSION_CHANGED
 */
export function verifySeen(ifMatch: string | undefined, version: string): void {
  if (ifMatch === undefined || ifMatch.trim() === '*') return;
  if (!ifMatch.split(',').some((one) => one.trim() === `"${version}"`)) throw new TsugiteError('VERSION_CHANGED');
}
