/** Versions of answers (RFC 9110 §8.8.3, §13.1.2): whoever polls is told "as before" instead of the same bytes again. */
import type { FastifyReply, FastifyRequest } from 'fastify';
import { contentVersion } from '../flows/content-version.ts';

/** @returns what to send: nothing when the caller has it */
export function sendVersion(request: FastifyRequest, reply: FastifyReply, payload: unknown): unknown {
  if ((request.method !== 'GET' && request.method !== 'HEAD') || reply.statusCode !== 200 || !isWhole(payload)) return payload;
  const made = reply.getHeader('etag');
  const etag = typeof made === 'string' ? made : `"${contentVersion(payload)}"`;
  reply.header('etag', etag);
  if (!isAmong(etag, request.headers['if-none-match'])) return payload;
  reply.code(304).removeHeader('content-type').removeHeader('content-length');
  return '';
}

/** Not a stream: its bytes are not here yet. */
function isWhole(payload: unknown): payload is string | Buffer {
  return typeof payload === 'string' || Buffer.isBuffer(payload);
}

/** The weak comparison, as If-None-Match wants it. */
export function isAmong(etag: string, list: string | undefined): boolean {
  return list !== undefined && (list.trim() === '*' || list.split(',').some((one) => one.trim().replace(/^W\//, '') === etag));
}
