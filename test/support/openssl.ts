/** Real certificates by the openssl command, so that no library of ours has made what our libraries judge. */
import { execFileSync } from 'node:child_process';
import { existsSync, linkSync, mkdirSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export function openssl(args: readonly string[], input?: string): Buffer {
  return execFileSync('openssl', args, { input, stdio: ['pipe', 'pipe', 'pipe'] });
}

const keyCache = join(tmpdir(), 'keys');

/** A private key file made once a run and used again: RSA keys take openssl a second or more. */
export function keyFile(name: string, algorithm: readonly string[] = rsa(2048)): string {
  mkdirSync(keyCache, { recursive: true, mode: 0o700 });
  const path = join(keyCache, `${name}-${algorithm.join('-').replace(/[^a-z0-9]+/gi, '-')}.pem`);
  if (existsSync(path)) return path;
  const fresh = join(mkdtempSync(join(keyCache, 'new-')), 'key.pem');
  openssl(['genpkey', ...algorithm, '-out', fresh]);
  try {
    linkSync(fresh, path);
  } catch (error) {
    // Another worker was quicker: its key is the one, since it may have signed with it already.
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  }
  return path;
}

export function rsa(bits: number, exponent = 65537): string[] {
  return ['-algorithm', 'RSA', '-pkeyopt', `rsa_keygen_bits:${bits}`, '-pkeyopt', `rsa_keygen_pubexp:${exponent}`];
}

export type Issued = { readonly pem: string; readonly certFile: string; readonly keyFile: string };

export type CertificateRequest = {
  readonly subject: string;
  /** Lines of an openssl extension section. */
  readonly extensions: readonly string[];
  readonly keyFile: string;
  readonly issuer?: Issued;
  readonly from?: string;
  readonly to?: string;
  readonly serial?: string;
  /** More arguments of `openssl ca`'s signing step, as `-md sha1`. */
  readonly sign?: readonly string[];
};

/** Issues a certificate with `openssl ca`, the one subcommand that takes any dates. Without an issuer it is self-signed. */
export function issue(request: CertificateRequest): Issued {
  const folder = mkdtempSync(join(tmpdir(), 'tsugite-ca-'));
  const at = (name: string) => join(folder, name);
  writeFileSync(at('index'), '');
  writeFileSync(at('serial'), `${request.serial ?? randomSerial()}\n`);
  writeFileSync(at('openssl.cnf'), configuration(folder, request.extensions));
  openssl(['req', '-new', '-utf8', '-key', request.keyFile, '-subj', request.subject, '-out', at('csr.pem'), '-config', at('openssl.cnf')]);
  const signer = request.issuer
    ? ['-cert', request.issuer.certFile, '-keyfile', request.issuer.keyFile]
    : ['-selfsign', '-keyfile', request.keyFile];
  const dates = ['-startdate', request.from ?? '20250101000000Z', '-enddate', request.to ?? '20350101000000Z'];
  const common = ['-batch', '-notext', '-config', at('openssl.cnf'), '-extensions', 'ext', '-in', at('csr.pem'), '-out', at('cert.pem')];
  openssl(['ca', ...common, ...signer, ...dates, ...(request.sign ?? ['-md', 'sha256'])]);
  return { pem: pemOnly(readFileSync(at('cert.pem'), 'utf8')), certFile: at('cert.pem'), keyFile: request.keyFile };
}

/** DER of one PEM certificate. */
export function derOf(pem: string): Buffer {
  return Buffer.from(pem.replace(/-----[^-]+-----|\s/g, ''), 'base64');
}

let serials = 0x5000;
function randomSerial(): string {
  serials += 1;
  return serials.toString(16);
}

function configuration(folder: string, extensions: readonly string[]): string {
  return `[req]
distinguished_name = dn
string_mask = utf8only
[dn]
[ca]
default_ca = it
[it]
database = ${folder}/index
serial = ${folder}/serial
new_certs_dir = ${folder}
unique_subject = no
email_in_dn = no
preserve = yes
policy = any
[any]
countryName = optional
organizationName = optional
organizationalUnitName = optional
commonName = optional
[ext]
${extensions.join('\n')}
`;
}

function pemOnly(text: string): string {
  return text.slice(text.indexOf('-----BEGIN'));
}
