/**
 * What the settings page does with one request. Pages of apps stand on other ports of the same host: for a browser they are the same *site*, so
 * SameSite does not keep them out. The origin does, and it is checked on everything that changes something.
 */
import { isOwnHost } from '../page/request.ts';
import type { PageSettings } from '../page/settings.ts';

export type SettingsRequest = {
  method: string;
  target: string;
  host: string | undefined;
  headers: Readonly<Record<string, string | string[] | undefined>>;
};

export const formActions = ['setup', 'login', 'logout', 'password', 'ask'] as const;
export type FormAction = (typeof formActions)[number];
export type SettingsRefusal = 'malformed' | 'host' | 'method' | 'not-found' | 'cross-site' | 'service-worker';
export type SettingsDecision =
  | { kind: 'page'; language: 'ja' | 'en'; said: string | undefined }
  | { kind: 'form'; action: FormAction; language: 'ja' | 'en' }
  | { kind: 'refuse'; why: SettingsRefusal };

const longestTarget = 200;

export function decideSettings(request: SettingsRequest, settings: PageSettings): SettingsDecision {
  const { method, target, headers } = request;
  if (!isOwnHost(request.host, settings)) return refuse('host');
  const [, path = '', query = ''] = /^(\/[a-z]*)(?:\?([a-z0-9=&-]*))?$/.exec(target) ?? [];
  if (path === '' || target.length > longestTarget) return refuse('malformed');
  if (headers['service-worker'] !== undefined) return refuse('service-worker');
  const words = new URLSearchParams(query);
  const language = words.get('lang') === 'en' ? 'en' : 'ja';
  if (method === 'GET' || method === 'HEAD') {
    if (path !== '/') return refuse('not-found');
    return isRead(headers) ? { kind: 'page', language, said: words.get('said') ?? undefined } : refuse('cross-site');
  }
  if (method !== 'POST') return refuse('method');
  const action = formActions.find((name) => path === `/${name}`);
  if (action === undefined) return refuse('not-found');
  return isSentByOurPage(request) ? { kind: 'form', action, language } : refuse('cross-site');
}

/** A person who opened it, by a link or by hand. Whatever another page would load into itself is not. */
function isRead(headers: SettingsRequest['headers']): boolean {
  const site = headers['sec-fetch-site'];
  if (site === undefined || site === 'none' || site === 'same-origin') return true;
  return headers['sec-fetch-mode'] === 'navigate' && headers['sec-fetch-dest'] === 'document';
}

/** Every browser names the origin of a POST (Fetch standard, "append a request Origin header"); whoever names none is none of ours. */
function isSentByOurPage({ headers, host }: SettingsRequest): boolean {
  const site = headers['sec-fetch-site'];
  return headers.origin === `http://${host}` && (site === undefined || site === 'same-origin');
}

function refuse(why: SettingsRefusal): SettingsDecision {
  return { kind: 'refuse', why };
}

/** Every value of one cookie: a page on another port of this host can add a second one of that name, but not make it ours. */
export function cookieValues(header: string | undefined, name: string): string[] {
  return (header ?? '').split(';').flatMap((pair) => {
    const at = pair.indexOf('=');
    return at > 0 && pair.slice(0, at).trim() === name ? [pair.slice(at + 1).trim()] : [];
  });
}
