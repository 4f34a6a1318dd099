/** `tsugite certificate …`: from the request that keygen made to the chain that sign takes. The key itself never leaves this machine. */
import { X509Certificate } from 'node:crypto';
import type { Answer } from '../../protocol/command-output.ts';
import { keyidOf } from '../../protocol/dsse.ts';
import { TsugiteError } from '../../protocol/errors.ts';
import { createFile, readText } from '../adapters/files.ts';
import { keyidOfRequest, readPrivateKey } from '../adapters/keys.ts';
import type { ServerApi } from '../adapters/server-api.ts';

type Request = {
  request: string;
  state: 'WAITING' | 'ISSUED' | 'REFUSED';
  subjectKeyid: string;
  organisation: string;
  requestedAt: string;
  refuseReason: string | null;
  serial: string | null;
  notAfter: string | null;
  chain: string | null;
};

export async function requestCertificate(csrFile: string, api: ServerApi): Promise<Answer> {
  // What is read out is this file's own key id, not what came back over the line.
  const keyid = keyidOfRequest(csrFile);
  const request = (await api.post('/certificate-requests', { csr: readText(csrFile) })) as Request;
  if (request.subjectKeyid !== keyid)
    throw new TsugiteError('KEY_UNUSABLE', {
      path: csrFile,
      at: 'the server has another key',
      expected: keyid,
      found: request.subjectKeyid,
    });
  return {
    value: withoutChain(request),
    lines: [
      ...linesOf(request),
      '運用者に電話などで連絡し、この鍵のIDを読み上げてください。 / Call the operator and read this key id out.',
      `発行されたら / once it is issued: tsugite certificate fetch ${request.request} --out CHAIN.pem`,
    ],
  };
}

/** @throws TsugiteError STATE_FORBIDS (waits, or was refused) · KEY_UNUSABLE (a certificate of another key) · FILE_EXISTS */
export async function fetchCertificate(id: string, { out, key }: { out: string; key?: string }, api: ServerApi): Promise<Answer> {
  const request = (await api.get(`/certificate-requests/${encodeURIComponent(id)}`)) as Request;
  if (request.chain === null)
    throw new TsugiteError('STATE_FORBIDS', { state: request.state, action: 'fetch', reason: request.refuseReason ?? undefined });
  const leaf = new X509Certificate(request.chain);
  const isOwn = key === undefined ? keyidOf(leaf.publicKey) === request.subjectKeyid : leaf.checkPrivateKey(readPrivateKey(key));
  if (!isOwn) throw new TsugiteError('KEY_UNUSABLE', { path: key ?? out, at: 'the certificate is of another key' });
  createFile(out, request.chain, 0o644);
  return { value: { ...withoutChain(request), out }, lines: [...linesOf(request), `  → ${out}`] };
}

export async function listRequests(api: ServerApi): Promise<Answer> {
  const requests = (await api.list('/certificate-requests')) as Request[];
  return {
    value: { requests: requests.map(withoutChain) },
    lines: requests.length === 0 ? ['（なし / none）'] : requests.flatMap(linesOf),
  };
}

function withoutChain({ chain: _, ...request }: Request): Omit<Request, 'chain'> {
  return request;
}

function linesOf({ request, state, subjectKeyid, organisation, requestedAt, refuseReason, serial, notAfter }: Request): string[] {
  return [
    `${request}  ${state}  ${organisation}  ${requestedAt}`,
    `  鍵のID / key id: ${subjectKeyid}`,
    ...(serial === null ? [] : [`  serial ${serial}  ～ ${notAfter}`]),
    ...(refuseReason === null ? [] : [`  却下 / refused: ${refuseReason}`]),
  ];
}
