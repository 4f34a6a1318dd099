/** pki …: signer certificates of providers, and the root. */
import type { Command } from 'commander';
import type { Answer } from '../../protocol/command-output.ts';
import { TsugiteError } from '../../protocol/errors.ts';
import { readInput } from './api-client.ts';
import type { Verbs } from './program.ts';
import { writeNew } from './provider-verbs.ts';

export function addCertificateVerbs({ verb, show, answer, api }: Verbs): void {
  const at = (request: string, rest = '') => `/certificate-requests/${encodeURIComponent(request)}${rest}`;

  verb('pki issue-provider', "certify a provider's key: from its file, or from the request that waits（署名用の証明書を発行する）")
    .option('--csr <file>', 'PKCS#10 request, PEM, as the provider handed it over (tsugite keygen)')
    .option('--provider <id>', 'with --csr: provider id; registered now under the organisation of the request when it is new')
    .option('--out <file>', 'certificate chain to write, PEM')
    .option('--request <id>', 'a request that the provider sent itself (pki requests)')
    .option(
      '--keyid <keyid>',
      'with --request: the key id as the provider read it out to you, by telephone or on paper; never as the request says',
    )
    .action(async (options: Options, command: Command) => {
      const { csr, provider, out, request, keyid } = options;
      if (request !== undefined && keyid !== undefined && csr === undefined && provider === undefined) {
        const issued = (await api(command).post(at(request, '/issue'), { keyid })) as Request;
        if (out !== undefined) writeNew(out, issued.chain ?? '');
        return answer(answerOf(issued));
      }
      if (csr === undefined || provider === undefined || out === undefined || request !== undefined || keyid !== undefined)
        throw new TsugiteError('USAGE_WRONG', { at: '--csr FILE --provider ID --out FILE | --request ID --keyid KEYID' });
      const url = `/providers/${encodeURIComponent(provider)}/certificates`;
      const issued = (await api(command).post(url, { csr: readInput(csr) })) as Issued;
      writeNew(out, issued.chain);
      answer({
        value: { provider, out, serial: issued.serial, notAfter: issued.notAfter },
        lines: [`${provider} → ${out}`, `  serial ${issued.serial}`, `  ～ ${issued.notAfter}`],
      });
    });
  verb('pki requests', 'requests for signer certificates that wait for an answer（証明書の申請の一覧）')
    .option('--all', 'also those that were answered')
    .action(async ({ all }, command: Command) => {
      const requests = (await api(command).list('/certificate-requests', { state: all === true ? undefined : 'WAITING' })) as Request[];
      answer({
        value: { requests },
        lines: requests.length === 0 ? ['（なし / none）'] : requests.flatMap((one) => answerOf(one).lines),
      });
    });
  verb('pki refuse-request', 'refuse a request for a certificate（証明書の申請を却下する）')
    .argument('<request>', 'id of the request')
    .requiredOption('--reason <text>', 'why; the provider sees it')
    .action(async (request, { reason }, command: Command) =>
      answer(answerOf((await api(command).post(at(request, '/refuse'), { reason })) as Request)),
    );
  verb('pki show', 'the root in force, its keys and authorities').action(async (_options, command: Command) =>
    show(await api(command).get('/pki')),
  );
}

type Options = { csr?: string; provider?: string; out?: string; request?: string; keyid?: string };
type Issued = { chain: string; serial: string; notAfter: string };
type Request = {
  request: string;
  provider: string;
  organisation: string;
  subjectKeyid: string;
  state: string;
  requestedBy: string;
  requestedAt: string;
  refuseReason: string | null;
  serial: string | null;
  notAfter: string | null;
  chain: string | null;
};

function answerOf(request: Request): Answer {
  const { request: id, provider, organisation, subjectKeyid, state, requestedBy, requestedAt, refuseReason, serial, notAfter } = request;
  return {
    value: { ...request },
    lines: [
      `${id}  ${provider}（${organisation}）  ${state}  ${requestedAt}  ${requestedBy}`,
      `  鍵 / key id  ${subjectKeyid}`,
      ...(state === 'WAITING'
        ? ['  事業者に電話などで鍵のIDを確認し、--keyid に指定してください。 / Ask the provider for its key id, and give that as --keyid.']
        : []),
      ...(serial === null ? [] : [`  serial ${serial}  ～ ${notAfter}`]),
      ...(refuseReason === null ? [] : [`  ${refuseReason}`]),
    ],
  };
}
