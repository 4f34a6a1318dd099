/**
 * The kit's way to the distribution server's API. Beside server/cli/api-client.ts on purpose: the programs do not import one another and protocol/ has
 * no I/O; what both read alike stands in protocol/api-answer.ts. This one goes over the internet: it insists on TLS, shows progress, and tries again.
 */
import { createReadStream } from 'node:fs';
import { request as httpRequest, type IncomingMessage } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { setTimeout as pause } from 'node:timers/promises';
import { type ApiQuery, everyItem, readApiAnswer, readApiText, withQuery } from '../../protocol/api-answer.ts';
import { TsugiteError } from '../../protocol/errors.ts';

const timeoutMs = 120_000;

export type Progress = (sentBytes: number) => void;
export type ServerApi = {
  readonly server: string;
  get(path: string, query?: ApiQuery): Promise<unknown>;
  list(path: string, query?: ApiQuery): Promise<unknown[]>;
  post(path: string, body?: object): Promise<unknown>;
  upload(path: string, file: { readonly path: string; readonly bytes: number }, onProgress: Progress): Promise<unknown>;
};
export type ApiDoor = {
  readonly server: string;
  readonly token: string;
  readonly caPem?: string | undefined;
  /** Every request of the kit may be sent twice: the server answers the second like the first. */
  readonly pausesMs: readonly number[];
};

/** @returns as it is stored and shown: no slash at the end  @throws TsugiteError USAGE_WRONG: without TLS a token goes no further than this machine */
export function serverAddress(text: string): string {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  const isHere = url !== undefined && ['127.0.0.1', '[::1]', 'localhost'].includes(url.hostname);
  if (url === undefined || !(url.protocol === 'https:' || (url.protocol === 'http:' && isHere)) || url.username + url.password !== '')
    throw new TsugiteError('USAGE_WRONG', { at: `${text.slice(0, 200)} (https://HOST; http:// only on this machine)` });
  return `${url.origin}${url.pathname.replace(/\/+$/, '')}`;
}

export function makeServerApi(door: ApiDoor): ServerApi {
  const get = (path: string) => withRetries(door, () => send(door, 'GET', path, {}, (to) => to.end()));
  return {
    server: door.server,
    get: (path, query = {}) => get(withQuery(path, query)),
    list: (path, query = {}) => everyItem(path, query, get),
    post: (path, body = {}) => {
      const bytes = Buffer.from(JSON.stringify(body));
      const headers = { 'content-type': 'application/json', 'content-length': bytes.length };
      return withRetries(door, () => send(door, 'POST', path, headers, (to) => to.end(bytes)));
    },
    upload: (path, file, onProgress) => {
      const headers = { 'content-type': 'application/octet-stream', 'content-length': file.bytes };
      return withRetries(door, () =>
        send(door, 'POST', path, headers, (to) => pipeline(createReadStream(file.path), meter(onProgress), to)),
      );
    },
  };
}

async function withRetries<Result>({ pausesMs }: ApiDoor, job: () => Promise<Result>): Promise<Result> {
  for (const ms of pausesMs)
    try {
      return await job();
    } catch (error) {
      if (!(error instanceof TsugiteError) || error.code !== 'SERVER_UNREACHABLE') throw error;
      await pause(ms);
    }
  return job();
}

async function send(
  { server, token, caPem }: ApiDoor,
  method: string,
  path: string,
  headers: Readonly<Record<string, string | number>>,
  write: (to: NodeJS.WritableStream) => unknown,
): Promise<unknown> {
  const url = new URL(`${server}/api/v1${path}`);
  const make = url.protocol === 'https:' ? httpsRequest : httpRequest;
  const request = make(url, {
    method,
    headers: { authorization: `Bearer ${token}`, accept: 'application/json', ...headers },
    timeout: timeoutMs,
    agent: false, // a connection of its own: one that was kept may have died, and nothing here is asked often
    ...(caPem === undefined ? {} : { ca: caPem }),
  });
  const answered = new Promise<IncomingMessage>((resolve, reject) => {
    request.on('response', resolve);
    request.on('error', reject);
    request.on('timeout', () => request.destroy(new Error('no answer')));
  });
  // An upload that is refused early is answered before it is written: the answer counts, not the broken pipe.
  Promise.resolve(write(request)).catch(() => undefined);
  try {
    const response = await answered;
    const text = await readApiText(response);
    return readApiAnswer(response.statusCode ?? 0, text);
  } catch (error) {
    throw asReachError(error, url.origin);
  } finally {
    request.destroy(); // what is not written by now, nobody will read
  }
}

function meter(onProgress: Progress): Transform {
  let sent = 0;
  return new Transform({
    transform(chunk: Buffer, _encoding, done) {
      sent += chunk.length;
      onProgress(sent);
      done(null, chunk);
    },
  });
}

/** OpenSSL's verdicts on a certificate, as Node names them; they do not change by themselves. */
const badCertificate = /^(ERR_TLS_|ERR_SSL_|CERT_|UNABLE_TO_|SELF_SIGNED_|DEPTH_ZERO_|HOSTNAME_MISMATCH)/;

function asReachError(error: unknown, address: string): unknown {
  if (error instanceof TsugiteError) return error;
  const { code = '', message } = error as NodeJS.ErrnoException;
  const detail = { address, fault: code === '' ? message : code };
  return new TsugiteError(badCertificate.test(code) ? 'TLS_FAILED' : 'SERVER_UNREACHABLE', detail, { cause: error });
}
