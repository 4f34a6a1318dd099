/** Who calls, and whether too often: per address, per token, and for addresses that try tokens. */
import { TsugiteError } from '../../protocol/errors.ts';
import type { Clock } from '../ports.ts';
import { addressKey, type Rate, type RateDecision } from '../rules/rate.ts';
import type { Actor } from './actor.ts';
import { makeThrottle } from './throttle.ts';
import { hashOf, type makeTokens } from './tokens.ts';

/** Each a number a minute, and as many at once after a pause. */
export type CallLimits = { readonly perAddress: number; readonly perToken: number; readonly wrongTokens: number };
export type RecogniseCaller = ReturnType<typeof makeRecogniseCaller>;

const mostRemembered = 10_000;

export function makeRecogniseCaller({
  clock,
  limits,
  tokens,
}: {
  clock: Clock;
  limits: CallLimits;
  tokens: Pick<ReturnType<typeof makeTokens>, 'recognise'>;
}) {
  const throttle = (perMinute: number) => makeThrottle({ clock, rate: rateOf(perMinute) });
  const perAddress = throttle(limits.perAddress);
  const perToken = throttle(limits.perToken);
  const wrongTokens = throttle(limits.wrongTokens);
  /** Hashes of tokens that were good once: their holders are not held up by somebody who tries tokens from the same address. */
  const goodBefore = new Set<string>();

  const remember = (hash: string): void => {
    goodBefore.delete(hash);
    goodBefore.add(hash);
    const [oldest] = goodBefore;
    if (goodBefore.size > mostRemembered && oldest !== undefined) goodBefore.delete(oldest);
  };
  return {
    /** Counts one more request from there. @throws TsugiteError RATE_LIMITED */
    arrive: (address: string): void => verifyRate(perAddress.take(addressKey(address)), 'address', limits.perAddress),

    /** @throws TsugiteError API_UNAUTHENTICATED · RATE_LIMITED (then no token was looked at, unless it was good before) */
    recognise: async (token: string | undefined, address: string): Promise<Actor> => {
      const hash = token === undefined ? undefined : hashOf(token);
      const key = addressKey(address);
      if (hash !== undefined && !goodBefore.has(hash)) verifyRate(wrongTokens.look(key), 'wrong-tokens', limits.wrongTokens);
      const actor = await tokens.recognise(token).catch((error: unknown) => {
        if (hash !== undefined && error instanceof TsugiteError && error.code === 'API_UNAUTHENTICATED') {
          goodBefore.delete(hash);
          wrongTokens.take(key);
        }
        throw error;
      });
      if (hash !== undefined) remember(hash);
      verifyRate(perToken.take(actor.token ?? actor.name), 'token', limits.perToken);
      return actor;
    },
  };
}

const rateOf = (perMinute: number): Rate => ({ perMinute, burst: perMinute });

function verifyRate(decision: RateDecision, kind: string, limit: number): void {
  if (decision.kind === 'refuse') throw new TsugiteError('RATE_LIMITED', { kind, limit, retryAfterS: Math.ceil(decision.waitMs / 1_000) });
}
