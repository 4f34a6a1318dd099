/** The verbs' way to the server: its HTTP API, with the caller's token. A problem document becomes the error that the server threw. */
import { createReadStream, readFileSync, statSync } from 'node:fs';
import { type ClientRequest, request as httpRequest, type IncomingMessage } from 'node:http';
import { request as httpsRequest } from 'node:https';
import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { type ApiQuery, everyItem, readApiAnswer, readApiText, withQuery } from '../../protocol/api-answer.ts';
import { TsugiteError } from '../../protocol/errors.ts';

const timeoutMs = 120_000; // admission of 25 MB on a slow disk

export type ApiClient = {
  get(path: string, query?: ApiQuery): Promise<unknown>;
  /** Every item of a list, page after page; with a body it is asked for by POST. */
  list(path: string, query?: ApiQuery, body?: object): Promise<unknown[]>;
  post(path: string, body?: object): Promise<unknown>;
  upload(path: string, file: string): Promise<unknown>;
  /** A file of the server, as it is. What comes is bytes until its digest was compared. */
  download(path: string): Promise<Readable>;
};

export function makeApiClient({ server, token }: { server: string; token: string }): ApiClient {
  const base = new URL(`${server.replace(/\/+$/, '')}/api/v1`);
  const open = async (
    method: string,
    path: string,
    headers: Record<string, string | number>,
    write: (to: NodeJS.WritableStream) => unknown,
  ): Promise<{ request: ClientRequest; response: IncomingMessage }> => {
    const url = new URL(`${base.pathname}${path}`, base);
    const make = url.protocol === 'https:' ? httpsRequest : httpRequest;
    const request = make(url, {
      method,
      headers: { authorization: `Bearer ${token}`, accept: 'application/json', ...headers },
      timeout: timeoutMs,
    });
    const answered = new Promise<IncomingMessage>((resolve, reject) => {
      request.on('response', resolve);
      request.on('error', reject);
      request.on('timeout', () => request.destroy(new Error('no answer')));
    });
    // An upload that is refused early is answered before it is written: the answer counts, not the broken pipe.
    Promise.resolve(write(request)).catch(() => undefined);
    const response = await answered.catch((cause: Error) => {
      throw new TsugiteError('SERVER_UNREACHABLE', { address: base.origin, fault: cause.message }, { cause });
    });
    return { request, response };
  };
  const send = async (...wanted: Parameters<typeof open>) => {
    const { request, response } = await open(...wanted);
    const text = await readApiText(response);
    request.destroy(); // what is not written by now, nobody will read
    return readApiAnswer(response.statusCode ?? 0, text);
  };
  const get = (path: string) => send('GET', path, {}, (to) => to.end());
  const post = (path: string, body: object) => {
    const bytes = Buffer.from(JSON.stringify(body));
    return send('POST', path, { 'content-type': 'application/json', 'content-length': bytes.length }, (to) => to.end(bytes));
  };
  return {
    get: (path, query = {}) => get(withQuery(path, query)),
    list: (path, query = {}, body) => everyItem(path, query, (page) => (body === undefined ? get(page) : post(page, body))),
    post: (path, body = {}) => post(path, body),
    upload: (path, file) => {
      const headers = { 'content-type': 'application/octet-stream', 'content-length': sizeOf(file) };
      return send('POST', path, headers, (to) => pipeline(createReadStream(file), to));
    },
    download: async (path) => {
      const { response } = await open('GET', path, { accept: '*/*' }, (to) => to.end());
      if (response.statusCode === 200) return response;
      readApiAnswer(response.statusCode ?? 0, await readApiText(response));
      throw new TsugiteError('INTERNAL_FAULT', { kind: `HTTP ${response.statusCode}` });
    },
  };
}

function sizeOf(file: string): number {
  try {
    return statSync(file).size;
  } catch (cause) {
    throw new TsugiteError('FILE_UNREADABLE', { path: file }, { cause });
  }
}

/** @throws TsugiteError FILE_UNREADABLE */
export function readInput(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (cause) {
    throw new TsugiteError('FILE_UNREADABLE', { path: file }, { cause });
  }
}
