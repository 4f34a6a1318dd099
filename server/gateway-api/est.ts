/** Enrolment over Secure Transport, RFC 7030 with the errata's base64 bodies: cacerts, simpleenroll, simplereenroll. */
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Issued } from '../flows/enroll-gateway.ts';
import { type EnrolmentRefusal, notInvited, wrongTriesAllowed } from '../rules/enrolment.ts';
import type { GatewayApiParts, GatewayApp } from './app.ts';
import { basicCredentials } from './caller.ts';
import type { Gate } from './guard.ts';
import { refuse } from './refuse.ts';
import { gatewayRoutes } from './route-table.ts';

export function addEstRoutes(
  app: GatewayApp,
  gate: Gate,
  { certificates, deviceCaPem, serverCaPems, enrollGateway, renewCertificate }: GatewayApiParts,
): void {
  const { cacerts, simpleenroll, simplereenroll } = gatewayRoutes;
  const trusted = certificates.certsOnly([deviceCaPem, ...serverCaPems]);

  app.route({
    ...gate.guarded(cacerts),
    handler: (_request, reply) => sendPkcs7(reply, trusted, 'application/pkcs7-mime'),
  });

  app.route({
    ...gate.guarded(simpleenroll),
    handler: async (request, reply) => {
      const credentials = basicCredentials(request.headers.authorization);
      return answer(reply, credentials === undefined ? notInvited : await enrollGateway(credentials, bodyOf(request)));
    },
  });

  app.route({
    ...gate.guarded(simplereenroll),
    handler: async (request, reply) => answer(reply, await renewCertificate(gate.callerIn(request), bodyOf(request))),
  });
}

function bodyOf(request: FastifyRequest): Buffer {
  return Buffer.isBuffer(request.body) ? request.body : Buffer.alloc(0);
}

function answer(reply: FastifyReply, outcome: Issued | EnrolmentRefusal): FastifyReply {
  if (outcome.kind === 'issued') return sendPkcs7(reply, outcome.pkcs7, 'application/pkcs7-mime; smime-type=certs-only');
  if (outcome.status === 401) reply.header('WWW-Authenticate', 'Basic realm="estrealm"');
  const detail = { 400: { at: outcome.why }, 429: { limit: wrongTriesAllowed }, 401: {}, 403: {} }[outcome.status];
  return refuse(reply, outcome.status, outcome.code, detail);
}

function sendPkcs7(reply: FastifyReply, base64: string, type: string): FastifyReply {
  return reply.header('Content-Transfer-Encoding', 'base64').type(type).send(base64);
}
