/** Who gets a gateway certificate (DESIGN §4, RFC 7030). Every refusal of a live token counts as a try, so a token can be guessed five times. */
import type { GatewayId, KeyId } from '../../protocol/fields.ts';

export const wrongTriesAllowed = 5;
export const certificateDays = 90;
/** How long after its end a certificate may still ask for its successor: a gateway that lay in a cupboard for three years comes back. */
export const renewableDaysExpired = 1_095;

const dayMs = 86_400_000;

export type Invitation = {
  readonly tokenMatches: boolean;
  readonly expiresAtMs: number;
  /** The public key that came first with this token. */
  readonly boundKey: KeyId | null;
  readonly wrongTries: number;
  readonly isSpent: boolean;
  readonly isVoid: boolean;
};

export type Request = { readonly commonName: string; readonly keyid: KeyId };

export type EnrolmentRefusal = {
  readonly kind: 'refuse';
  readonly status: 400 | 401 | 403 | 429;
  readonly code: 'ENROLL_TOKEN_REFUSED' | 'ENROLL_TRIES_EXCEEDED' | 'ENROLL_REQUEST_REFUSED' | 'GATEWAY_BLOCKED';
  /** For our log: the answer does not tell a guesser how close he came. */
  readonly why: string;
  readonly countsAsTry: boolean;
};
export type EnrolmentDecision<Asked extends Request = Request> = { readonly kind: 'issue'; readonly request: Asked } | EnrolmentRefusal;

/**
 * @param invitation  the newest one of this gateway; undefined when there is none, or no such gateway: both look like a wrong token
 * @param request     undefined when the body is no certificate request
 */
export function decideEnrolment<Asked extends Request>(
  gateway: GatewayId,
  isBlocked: boolean,
  invitation: Invitation | undefined,
  request: Asked | undefined,
  nowMs: number,
): EnrolmentDecision<Asked> {
  if (invitation === undefined) return notInvited;
  if (invitation.wrongTries >= wrongTriesAllowed) return refuse(429, 'too many tries', false);
  const isLive = !invitation.isSpent && !invitation.isVoid && nowMs < invitation.expiresAtMs;
  if (!invitation.tokenMatches) return refuse(401, 'wrong token', isLive);
  if (!isLive) return refuse(401, invitation.isSpent ? 'spent' : invitation.isVoid ? 'void' : 'expired', false);
  if (isBlocked) return refuse(403, 'blocked', false);
  if (request === undefined) return refuse(400, 'malformed request', true);
  if (request.commonName !== gateway) return refuse(400, 'other common name', true);
  if (invitation.boundKey !== null && invitation.boundKey !== request.keyid) return refuse(401, 'another public key', true);
  return { kind: 'issue', request };
}

const codeOf = {
  400: 'ENROLL_REQUEST_REFUSED',
  401: 'ENROLL_TOKEN_REFUSED',
  403: 'GATEWAY_BLOCKED',
  429: 'ENROLL_TRIES_EXCEEDED',
} as const;

function refuse(status: 400 | 401 | 403 | 429, why: string, countsAsTry: boolean): EnrolmentRefusal {
  return { kind: 'refuse', status, code: codeOf[status], why, countsAsTry };
}

/** Also the answer to a name that is no gateway id. */
export const notInvited: EnrolmentRefusal = refuse(401, 'no invitation', false);

/** Backdated by a day: a gateway whose clock is a little late must not find its own certificate not yet valid. */
export function validityFrom(nowMs: number): { notBeforeMs: number; notAfterMs: number } {
  const second = Math.floor(nowMs / 1000) * 1000;
  return { notBeforeMs: second - dayMs, notAfterMs: second + certificateDays * dayMs };
}

/** RFC 5280 §4.1.2.2: positive, at most 20 octets. A leading 4 keeps it positive and without leading zeros. */
export function serialFrom(random: Uint8Array): string {
  return `4${Buffer.from(random).toString('hex').slice(1)}`;
}
