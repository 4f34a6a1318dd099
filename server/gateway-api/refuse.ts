import type { FastifyReply } from 'fastify';
import { describe, type ErrorCode, type ErrorDetail } from '../../protocol/errors.ts';

/** RFC 9457. The reason behind it stays in our log: the answer is the same for an unknown, a foreign and a cut-off certificate. */
export function refuse(reply: FastifyReply, status: number, code: ErrorCode, detail: ErrorDetail = {}): FastifyReply {
  const { number, en, ja, remedy } = describe(code, detail);
  return reply.code(status).type('application/problem+json').send({ type: 'about:blank', title: en, status, code, number, ja, remedy });
}
