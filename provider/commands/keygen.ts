import { join } from 'node:path';
import type { Answer } from '../../protocol/command-output.ts';
import { TsugiteError } from '../../protocol/errors.ts';
import { providerId } from '../../protocol/fields.ts';
import { createFile, makeFolder } from '../adapters/files.ts';
import { makeKeyAndRequest, readPkcs12 } from '../adapters/keys.ts';

type Options = { out: string; provider?: string; org?: string; pkcs12?: string; passwordFile?: string };

/** A new key stays with the provider; the request goes to the operator, who certifies it. */
export function generateKey({ out, provider, org }: Options): Answer {
  const id = providerId.safeParse(provider);
  if (!id.success) throw new TsugiteError('USAGE_WRONG', { at: '--provider ID (^[a-z][a-z0-9-]{1,30}$)' });
  const organisation = org?.normalize('NFC').trim() ?? '';
  if (organisation === '' || [...organisation].length > 64 || /[\p{Cc}\p{Cf}]/u.test(organisation))
    throw new TsugiteError('USAGE_WRONG', { at: '--org NAME (1–64 characters)' }); // ub-organization-name, RFC 5280 Appendix A.1
  const { keyPem, csrPem } = makeKeyAndRequest(id.data, organisation);
  const key = join(out, 'provider.key.pem');
  const csr = join(out, 'provider.csr.pem');
  makeFolder(out);
  createFile(key, keyPem, 0o600);
  createFile(csr, csrPem, 0o644);
  return {
    value: { provider: id.data, organisation, key, csr },
    lines: [
      `秘密鍵 / private key: ${key} (0600)`,
      `証明書要求 / request: ${csr}`,
      '秘密鍵は渡さず、証明書要求だけを運用者に提出してください。 / Keep the key; give only the request to the operator.',
    ],
  };
}

/** Takes key and certificates that a provider has already. */
export function importPkcs12({ out, pkcs12, passwordFile }: Options): Answer {
  if (pkcs12 === undefined) throw new TsugiteError('USAGE_WRONG', { at: '--pkcs12 FILE' });
  const { keyPem, chainPem, certificates } = readPkcs12(pkcs12, passwordFile);
  const key = join(out, 'provider.key.pem');
  const chain = join(out, 'provider.chain.pem');
  makeFolder(out);
  createFile(key, keyPem, 0o600);
  createFile(chain, chainPem, 0o644);
  return {
    value: { key, chain, certificates: certificates.map(({ subject, validTo }) => ({ subject, validTo })) },
    lines: [`秘密鍵 / private key: ${key} (0600)`, `証明書 / certificates: ${chain} (${certificates.length})`],
  };
}
