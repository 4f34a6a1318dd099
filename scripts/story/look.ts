/** Small looks from outside: an HTTP answer, a digest of a file, a certificate, a listing made by another program. */
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { request as httpRequest } from 'node:http';
import { request as httpsRequest } from 'node:https';
import type { TLSSocket } from 'node:tls';
import { NotSeen } from './story.ts';

export type HttpAnswer = { status: number; headers: Record<string, string | string[] | undefined>; body: Buffer; tls?: string };

export type Asked = { ca?: string; headers?: Record<string, string>; method?: string; body?: string; socketPath?: string };

export function get(url: string, { ca, headers = {}, method = 'GET', body, socketPath }: Asked = {}): Promise<HttpAnswer> {
  const request = url.startsWith('https:') ? httpsRequest : httpRequest;
  const options = {
    method,
    headers,
    timeout: 10_000,
    ...(ca === undefined ? {} : { ca }),
    ...(socketPath === undefined ? {} : { socketPath }),
  };
  return new Promise((resolve, reject) => {
    const sent = request(url, options);
    sent.on('error', reject);
    sent.on('timeout', () => sent.destroy(new Error(`no answer from ${url}`)));
    sent.on('response', (response) => {
      const tls = (response.socket as TLSSocket).getProtocol?.() ?? undefined;
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('error', reject);
      response.on('end', () => {
        const answer = { status: response.statusCode ?? 0, headers: response.headers, body: Buffer.concat(chunks) };
        resolve(tls === undefined ? answer : { ...answer, tls });
      });
    });
    sent.end(body);
  });
}

export const sha256Of = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');
export const sha256OfFile = (file: string): string => sha256Of(readFileSync(file));
export const listTar = (file: string): string[] => execFileSync('tar', ['-tf', file], { encoding: 'utf8' }).trim().split('\n');
export const takeFromTar = (file: string, name: string): Buffer => execFileSync('tar', ['-xOf', file, name], { maxBuffer: 32_000_000 });

/** @throws NotSeen with what was expected and what was there */
export function mustBe(what: string, found: unknown, expected: unknown): void {
  if (JSON.stringify(found) !== JSON.stringify(expected))
    throw new NotSeen(`${what}: expected ${JSON.stringify(expected)}, found ${JSON.stringify(found)}`);
}

export function must(what: string, isSo: boolean, detail: Record<string, unknown> = {}): void {
  if (!isSo) throw new NotSeen(what, detail);
}
