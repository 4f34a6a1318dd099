/** Every route of the gateways' side and who may use it. What is not in this table is refused to strangers like the rest (DESIGN §4). */
import { est } from '../../protocol/routes.ts';

/**
 * anyone       no certificate asked
 * invited      HTTP Basic with gateway id and token, no certificate asked
 * renewable    a certificate of ours that is not cut off or blocked, even one that has expired
 * certificate  a certificate of ours in force
 */
export type Access = 'anyone' | 'invited' | 'renewable' | 'certificate';

export const gatewayRoutes = {
  cacerts: { method: 'GET', url: est.cacerts, access: 'anyone' },
  simpleenroll: { method: 'POST', url: est.simpleenroll, access: 'invited' },
  simplereenroll: { method: 'POST', url: est.simplereenroll, access: 'renewable' },
  root: { method: 'GET', url: '/root/:version', access: 'anyone' },
  package: { method: 'GET', url: '/packages/:sha256', access: 'certificate' },
  bundle: { method: 'PUT', url: '/bundles/:id', access: 'certificate' },
} as const satisfies Record<string, { method: 'GET' | 'POST' | 'PUT'; url: string; access: Access }>;
