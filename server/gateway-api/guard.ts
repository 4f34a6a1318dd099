/** Stands before each route and lets through whom the route table names. */
import { X509Certificate } from 'node:crypto';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { UseCertificate } from '../flows/use-certificate.ts';
import type { Log } from '../ports.ts';
import { type Caller, callerOf } from './caller.ts';
import type { CertificateShown } from './certificate-shown.ts';
import { refuse } from './refuse.ts';
import type { Access } from './route-table.ts';

export type Gate = ReturnType<typeof makeGate>;

type Needs = { deviceCaPem: string; certificateShown: CertificateShown; useCertificate: UseCertificate; log: Log };

export function makeGate({ deviceCaPem, certificateShown, useCertificate, log }: Needs) {
  const deviceCa = new X509Certificate(deviceCaPem);
  const callers = new WeakMap<FastifyRequest, Caller>();

  /** Answers the request itself when it is refused; then the route does not run. */
  async function check(access: 'renewable' | 'certificate', request: FastifyRequest, reply: FastifyReply): Promise<void> {
    const caller = callerOf(certificateShown(request), deviceCa);
    const decision = caller && (await useCertificate(caller, access === 'renewable' ? 'renew' : 'connect'));
    if (caller !== undefined && decision?.kind === 'allow') {
      callers.set(request, caller);
      return;
    }
    const why = decision?.kind === 'refuse' ? decision.why : 'no certificate of ours';
    log.warn('gateway_api.refused', { method: request.method, route: request.routeOptions.url, gateway: caller?.gateway, why });
    refuse(reply, 403, why === 'blocked' ? 'GATEWAY_BLOCKED' : 'CERTIFICATE_REFUSED');
  }

  /**
   * Where nobody is asked for a certificate, one that is shown was used all the same: it spends its token and cuts off the ones before it. With an
   * outside broker, which does not tell us certificates, this is how a gateway says that it has its new one (agent: renew-certificate).
   */
  async function noteUse(request: FastifyRequest): Promise<void> {
    const caller = callerOf(certificateShown(request), deviceCa);
    if (caller !== undefined) await useCertificate(caller, 'connect');
  }

  const guards = {
    anyone: noteUse,
    invited: undefined,
    renewable: (request, reply) => check('renewable', request, reply),
    certificate: (request, reply) => check('certificate', request, reply),
  } satisfies Record<Access, ((request: FastifyRequest, reply: FastifyReply) => Promise<void>) | undefined>;

  return {
    check,
    /** A row of the route table as fastify wants it. The guard runs before the body is read, so a stranger cannot make us take one. */
    guarded: <Method extends string>({ method, url, access }: { method: Method; url: string; access: Access }) => ({
      method,
      url,
      ...(guards[access] && { onRequest: guards[access] }),
    }),
    callerIn: (request: FastifyRequest): Caller => {
      const caller = callers.get(request);
      if (caller === undefined) throw new Error(`${request.routeOptions.url} was reached without its guard`);
      return caller;
    },
  };
}
