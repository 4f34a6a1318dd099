/** Who calls: the certificate of the TLS connection, proven to be the device CA's. Whether it may be used now is the flow's question. */
import type { X509Certificate } from 'node:crypto';
import { type GatewayId, gatewayId } from '../../protocol/fields.ts';

export type Caller = { readonly gateway: GatewayId; readonly serial: string };

/**
 * TLS lets every certificate in (`rejectUnauthorized: false`, since invitations and expired certificates come this way too), so it is checked
 * here against the CA's key itself; OpenSSL's own verdict names one fault of several, and an expired one would hide a forged one.
 */
export function callerOf(certificate: X509Certificate | undefined, deviceCa: X509Certificate): Caller | undefined {
  if (certificate === undefined || certificate.ca || !certificate.checkIssued(deviceCa) || !certificate.verify(deviceCa.publicKey))
    return undefined;
  const gateway = gatewayId.safeParse(/^CN=(.*)$/.exec(certificate.subject)?.[1]);
  return gateway.success ? { gateway: gateway.data, serial: certificate.serialNumber.toLowerCase().replace(/^0+(?=.)/, '') } : undefined;
}

/** RFC 7617. @returns undefined when this is no Basic header with `name:password` in base64 */
export function basicCredentials(header: string | undefined): { gateway: string; token: string } | undefined {
  const [, encoded] = /^Basic +([A-Za-z0-9+/=]{1,400})$/i.exec(header ?? '') ?? [];
  const [, gateway, token] = /^([^:]*):(.*)$/s.exec(Buffer.from(encoded ?? '', 'base64').toString('utf8')) ?? [];
  return gateway === undefined || token === undefined ? undefined : { gateway, token };
}
