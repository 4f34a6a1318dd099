/** Every HTTPS route of the gateways' side, built and parsed here only (DESIGN §4 and §7; EST: RFC 7030 §3.2.2). */
import { type Digest, digest, type RandomId, randomId } from './fields.ts';

export const est = {
  cacerts: '/.well-known/est/cacerts',
  simpleenroll: '/.well-known/est/simpleenroll',
  simplereenroll: '/.well-known/est/simplereenroll',
} as const;

export type GatewayRoute =
  | { kind: 'cacerts' | 'simpleenroll' | 'simplereenroll' }
  | { kind: 'root'; version: number }
  | { kind: 'package'; sha256: Digest }
  | { kind: 'bundle'; id: RandomId };

export const rootPath = (version: number): string => `/root/${version}`;
export const packagePath = (sha256: Digest): string => `/packages/${sha256}`;
export const bundlePath = (id: RandomId): string => `/bundles/${id}`;

/** `/packages/<sha256>` below a base address; a trailing slash of the base does not count. */
export const packageUrl = (base: string, sha256: Digest): string => `${base.replace(/\/$/, '')}${packagePath(sha256)}`;

/** @param path  without query or fragment  @returns undefined for anything else */
export function parseGatewayRoute(path: string): GatewayRoute | undefined {
  for (const kind of ['cacerts', 'simpleenroll', 'simplereenroll'] as const) if (path === est[kind]) return { kind };
  const [, folder = '', name = '', ...rest] = path.split('/');
  if (rest.length > 0) return undefined;
  if (folder === 'root' && /^[1-9]\d{0,8}$/.test(name)) return { kind: 'root', version: Number(name) };
  if (folder === 'packages' && digest.safeParse(name).success) return { kind: 'package', sha256: digest.parse(name) };
  if (folder === 'bundles' && randomId.safeParse(name).success) return { kind: 'bundle', id: randomId.parse(name) };
  return undefined;
}
