import type { GatewaySnapshot, SoftwareSnapshot } from '../gateway-snapshot.ts';
import { outerPortOf, type PageSettings } from './settings.ts';

/** Which port of each app's pages; what stands in it is remembered, so that no app ever gets the origin of another (rules/page/ports.ts). */
export type AppPorts = Readonly<Record<string, number>>;

export type PageRequest = {
  method: string;
  /** As it came, before any decoding. */
  target: string;
  host: string | undefined;
  headers: Readonly<Record<string, string | string[] | undefined>>;
  /** The port at which it came in. */
  port: number;
};

export type Refusal = 'malformed' | 'host' | 'method' | 'not-found' | 'callback' | 'service-worker' | 'not-running' | 'cross-site';
export type PageDecision =
  | { kind: 'page'; language: 'ja' | 'en' }
  | { kind: 'detail'; software: SoftwareSnapshot; language: 'ja' | 'en' }
  | { kind: 'status' }
  | { kind: 'redirect'; location: string }
  | { kind: 'app'; software: SoftwareSnapshot & { webSocketPath: string }; isOwnOrigin: boolean }
  | { kind: 'refuse'; why: Refusal };

/** Read-only here; an app's own pages may also send a form. */
const sharedMethods = ['GET', 'HEAD'];
const ownOriginMethods = ['GET', 'HEAD', 'POST'];

const targetCharacters = /^\/[\x21\x23-\x3b\x3d\x3f-\x5b\x5d\x5f\x61-\x7a\x7e]*$/;
const longestTarget = 2_000;
const callbackPattern = /^[A-Za-z_$][A-Za-z0-9_$]{0,31}$/;

/** What to answer to one request of a device in the home. Nothing of it is trusted: any page in any browser there can make it send one. */
export function decidePage(request: PageRequest, snapshot: GatewaySnapshot, ports: AppPorts, settings: PageSettings): PageDecision {
  if (!isOwnHost(request.host, settings)) return refuse('host');
  const [path = '', query = ''] = split(request.target, '?');
  if (request.target.length > longestTarget || !targetCharacters.test(request.target) || hasOddSegment(path)) return refuse('malformed');
  // A worker would outlive the app and stand between the household and the next one's pages.
  if (request.headers['service-worker'] !== undefined) return refuse('service-worker');
  return settings.listen.some(({ port }) => port === request.port)
    ? decideShared(request, { path, query }, snapshot)
    : decideOwnOrigin(request, { path, query }, snapshot, ports);
}

type Location = { path: string; query: string };

function decideShared({ method }: PageRequest, { path, query }: Location, snapshot: GatewaySnapshot): PageDecision {
  if (!sharedMethods.includes(method)) return refuse('method');
  if (path === '/' || path === '/t') return { kind: 'redirect', location: query === '' ? '/t/' : `/t/?${query}` };
  const language = new URLSearchParams(query).get('lang') === 'en' ? 'en' : 'ja';
  if (path === '/t/') return { kind: 'page', language };
  const name = /^\/t\/([a-z0-9.-]{1,64})$/.exec(path)?.[1];
  if (name !== undefined) {
    const software = snapshot.software.find((entry) => entry.software === name || entry.target === name);
    return software === undefined ? refuse('not-found') : { kind: 'detail', software, language };
  }
  if (path === '/status.json') return { kind: 'status' };
  return decideApp({ path, query }, snapshot, false);
}

function decideOwnOrigin(request: PageRequest, { path, query }: Location, snapshot: GatewaySnapshot, ports: AppPorts): PageDecision {
  if (!ownOriginMethods.includes(request.method)) return refuse('method');
  if (isEmbedding(request)) return refuse('cross-site');
  if (request.method === 'POST' && !isSameOrigin(request)) return refuse('cross-site');
  const prefix = Object.keys(ports).find((name) => ports[name] === request.port);
  if (prefix === undefined) return refuse('not-found');
  const software = snapshot.software.find(({ manifest }) => manifest?.web?.prefix === prefix);
  if (path === '/' && software !== undefined) return { kind: 'redirect', location: mainPathOf(software) ?? '/' };
  return path.split('/')[1] === prefix ? decideApp({ path, query }, snapshot, true) : refuse('not-found');
}

function decideApp({ path, query }: Location, snapshot: GatewaySnapshot, isOwnOrigin: boolean): PageDecision {
  const prefix = path.split('/')[1];
  const software = snapshot.software.find(({ manifest }) => manifest?.web?.prefix === prefix);
  if (software === undefined) return refuse('not-found');
  const callbacks = new URLSearchParams(query).getAll('callback');
  if (callbacks.length > 1 || callbacks.some((name) => !callbackPattern.test(name))) return refuse('callback');
  const { webSocketPath } = software;
  return webSocketPath === undefined ? refuse('not-running') : { kind: 'app', software: { ...software, webSocketPath }, isOwnOrigin };
}

function refuse(why: Refusal): PageDecision {
  return { kind: 'refuse', why };
}

/** The first page of an app, as a path that holds on the shared and on the app's own origin. */
export function mainPathOf({ manifest }: SoftwareSnapshot): string | undefined {
  if (manifest?.web === undefined) return undefined;
  const { prefix, main = '/' } = manifest.web;
  return main === `/${prefix}` || main.startsWith(`/${prefix}/`) ? main : `/${prefix}${main}`;
}

/** The app's own origin, by the name under which the browser already knows this gateway. */
export function ownOriginOf(prefix: string, host: string | undefined, ports: AppPorts, settings: PageSettings): string | undefined {
  const port = ports[prefix];
  const name = hostNameOf(host);
  return port === undefined || name === undefined ? undefined : `http://${bracketed(name)}:${outerPortOf(settings, port)}`;
}

/** The settings page, by the name under which the browser already knows this gateway. */
export function settingsUrlOf(host: string | undefined, settings: PageSettings): string | undefined {
  const name = hostNameOf(host);
  if (settings.settingsPort === undefined || name === undefined) return undefined;
  return `http://${bracketed(name)}:${outerPortOf(settings, settings.settingsPort)}/`;
}

/** The list, for a link of the settings page. */
export function listUrlOf(host: string | undefined, settings: PageSettings): string | undefined {
  const name = hostNameOf(host);
  const port = settings.listen[0]?.port;
  return port === undefined || name === undefined ? undefined : `http://${bracketed(name)}:${outerPortOf(settings, port)}/t/`;
}

function bracketed(name: string): string {
  return name.includes(':') ? `[${name}]` : name;
}

/** DNS rebinding: a foreign page's name may point at us, but then it stands in the Host header. */
export function isOwnHost(host: string | undefined, settings: PageSettings): boolean {
  const name = hostNameOf(host);
  return name !== undefined && acceptedHosts(settings).includes(name);
}

function acceptedHosts({ listen, hostNames }: PageSettings): string[] {
  return ['ntt.setup', 'localhost', ...listen.map(({ host }) => host.toLowerCase()), ...hostNames];
}

/** Whatever port it names: what is forwarded comes with the port of the outside. */
function hostNameOf(host: string | undefined): string | undefined {
  const [, address, name] = /^(?:\[([0-9a-f:]{2,45})\]|([a-z0-9.-]{1,253}))(?::\d{1,5})?$/i.exec(host ?? '') ?? [];
  return (address ?? name)?.toLowerCase();
}

function isSameOrigin({ headers, host }: PageRequest): boolean {
  const site = headers['sec-fetch-site'];
  return site === undefined ? headers.origin === undefined || headers.origin === `http://${host}` : site === 'same-origin';
}

/** Another origin's page loads this into itself, instead of leading somebody here: an app is no source of data for the next one. */
function isEmbedding({ headers }: PageRequest): boolean {
  const site = headers['sec-fetch-site'];
  if (site !== 'same-site' && site !== 'cross-site') return false;
  return headers['sec-fetch-mode'] !== 'navigate' || headers['sec-fetch-dest'] !== 'document';
}

/** `..` and its disguises would lead out of the app's prefix, an empty part to another host. */
function hasOddSegment(path: string): boolean {
  const segments = path.split('/').slice(1);
  return segments.some(
    (segment, index) => (segment === '' && index < segments.length - 1) || /^(\.|%2e){1,2}$/i.test(segment) || /%2f|%5c|%00/i.test(segment),
  );
}

function split(text: string, separator: string): [string, string] {
  const at = text.indexOf(separator);
  return at < 0 ? [text, ''] : [text.slice(0, at), text.slice(at + 1)];
}
