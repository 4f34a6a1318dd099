/** What of an app's answer reaches a browser. */

export type AppAnswerHead = { status: number; headers: Readonly<Record<string, string | string[] | undefined>> };
export type AppAnswerDecision =
  | { kind: 'pass'; status: number; headers: Record<string, string> }
  /** To the same path on the app's own origin. */
  | { kind: 'to-own-origin' }
  | { kind: 'refuse' };

/** No cookie (it would be sent to every port of this host), no login, no service worker: none of them is in this list. */
const passedHeaders = [
  'content-type',
  'content-length',
  'content-encoding',
  'content-language',
  'content-disposition',
  'content-range',
  'accept-ranges',
  'cache-control',
  'etag',
  'last-modified',
  'vary',
] as const;
/** On the app's own origin its own policy counts too; it can only make ours stricter. */
const passedOnOwnOrigin = [...passedHeaders, 'content-security-policy'] as const;

/** Data, styles, pictures, scripts for a JSONP caller. Whatever else a browser might run as a page goes to the app's own origin. */
const inertTypes =
  /^(application\/(json|javascript|octet-stream|problem\+json)|text\/(plain|css|csv|javascript)|image\/(png|jpeg|gif|webp|avif|x-icon|vnd\.microsoft\.icon)|font\/[a-z0-9-]+|(audio|video)\/[a-z0-9.-]+)$/;

/** What an app asked of its household goes back; who it is, what it holds of cookies and passwords does not. */
export const passedRequestHeaders = [
  'accept',
  'accept-encoding',
  'accept-language',
  'content-type',
  'if-modified-since',
  'if-none-match',
  'range',
] as const;

export function decideAppAnswer(
  { status, headers }: AppAnswerHead,
  { isOwnOrigin, prefix }: { isOwnOrigin: boolean; prefix: string },
): AppAnswerDecision {
  if (status < 200 || status > 599) return { kind: 'refuse' };
  const type = mediaTypeOf(headers['content-type']);
  const hasBody = status !== 204 && status !== 304;
  if (!isOwnOrigin && hasBody && status < 300 && !inertTypes.test(type ?? '')) return { kind: 'to-own-origin' };

  const passed: Record<string, string> = { 'x-content-type-options': 'nosniff', 'referrer-policy': 'no-referrer' };
  for (const name of isOwnOrigin ? passedOnOwnOrigin : passedHeaders) {
    const value = headers[name];
    if (typeof value === 'string') passed[name] = value;
  }
  if (hasBody && type === undefined) passed['content-type'] = 'application/octet-stream';
  if (isOwnOrigin) {
    passed['x-frame-options'] = 'SAMEORIGIN';
    passed['cross-origin-opener-policy'] = 'same-origin';
    passed['cross-origin-resource-policy'] = 'same-origin';
  } else {
    // Even shown as a page of its own it runs nothing.
    passed['content-security-policy'] = "sandbox; default-src 'none'; frame-ancestors 'none'";
    if (!inertTypes.test(type ?? '')) passed['content-type'] = 'text/plain; charset=utf-8';
  }
  if (status < 300 || status === 304) return { kind: 'pass', status, headers: passed };
  const { location } = headers;
  if (status < 400 && location !== undefined) {
    if (typeof location !== 'string' || !isWithin(prefix, location)) return { kind: 'refuse' };
    passed.location = location;
  }
  // A login prompt would be the browser's, and look like ours: no credential is ever asked for here.
  return { kind: 'pass', status: status === 401 ? 403 : status, headers: passed };
}

/** Only within the app: a redirect elsewhere would use our address to vouch for it. */
function isWithin(prefix: string, location: string): boolean {
  return (
    new RegExp(`^/${prefix.replaceAll('.', '\\.')}(/[\\x21-\\x5b\\x5d-\\x7e]*)?$`).test(location) &&
    !location.includes('/../') &&
    !location.includes('//')
  );
}

function mediaTypeOf(header: string | string[] | undefined): string | undefined {
  return typeof header === 'string' ? header.split(';')[0]?.trim().toLowerCase() : undefined;
}
