/** Answers that are files: sent as they are read, whatever their size, to be saved and never shown by the address they come from. */
import type { Readable } from 'node:stream';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { isAmong } from './etag.ts';

export type FileAnswer = {
  /** Its name: letters, digits, `-` and `.`. */
  readonly file: string;
  readonly mediaType: string;
  readonly bytes: number;
  readonly sha256: string;
  readonly body: Readable;
};

export function sendFile(request: FastifyRequest, reply: FastifyReply, { file, mediaType, bytes, sha256, body }: FileAnswer): FastifyReply {
  const etag = `"${sha256}"`;
  reply.headers({ etag, 'content-disposition': `attachment; filename="${file}"` });
  if (isAmong(etag, request.headers['if-none-match'])) {
    body.destroy();
    return reply.code(304).send();
  }
  return reply.code(200).headers({ 'content-type': mediaType, 'content-length': bytes }).send(body);
}
