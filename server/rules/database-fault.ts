/** What a fault of the database means to people. Codes: PostgreSQL 15, appendix A; Node's for sockets and TLS. */
import { type ErrorDetail, TsugiteError } from '../../protocol/errors.ts';

type Fault = { readonly code?: unknown; readonly syscall?: unknown; readonly message?: unknown };

/** 08 connection, 57 the server goes away; the rest is what the operating system says of a socket. */
const away = /^(08|57)...$|^(ECONNRESET|EPIPE|ETIMEDOUT|EHOSTUNREACH|ENETUNREACH|ENOTFOUND|EAI_AGAIN)$/;
/** Only while connecting: elsewhere these speak of a file. */
const awayAtConnect = /^(ECONNREFUSED|ENOENT)$/;
/** The driver's own words, which have no code. */
const awayInWords = /^(Connection terminated|timeout exceeded when trying to connect|Client has encountered a connection error)/;
const tls = /^(SELF_SIGNED_CERT_IN_CHAIN|DEPTH_ZERO_SELF_SIGNED_CERT|UNABLE_TO_|CERT_|ERR_TLS_)/;

const refusals: Readonly<Record<string, (at: string) => ErrorDetail>> = {
  '28P01': () => ({ kind: 'password' }),
  '28000': (at) => ({ at }),
  '3D000': () => ({ kind: 'missing' }),
  '42501': (at) => ({ kind: 'rights', at }),
};

/** @returns undefined when it is no fault of the database that a person could do something about */
export function databaseFaultOf(error: unknown): TsugiteError | undefined {
  if (error instanceof TsugiteError) return error;
  const { code, syscall, message } = (error ?? {}) as Fault;
  const [sign, said] = [typeof code === 'string' ? code : '', typeof message === 'string' ? message : ''];
  const of = (name: ConstructorParameters<typeof TsugiteError>[0], detail: ErrorDetail = {}) =>
    new TsugiteError(name, detail, { cause: error });

  const refusal = refusals[sign];
  if (refusal !== undefined) return of('DATABASE_REFUSED', refusal(said));
  if (said.startsWith('SASL: ')) return of('DATABASE_REFUSED', { kind: 'password' });
  if (tls.test(sign)) return of('DATABASE_REFUSED', { kind: 'encryption', at: sign });
  if (said.startsWith('The server does not support SSL')) return of('DATABASE_REFUSED', { kind: 'encryption', at: said });
  if (sign === '53300') return of('DATABASE_UNAVAILABLE', { kind: 'connections' });
  if (sign === '53100') return of('DISK_FULL', { path: 'PostgreSQL' });
  if (sign === '25006') return of('DATABASE_UNSUITABLE', readOnly);
  if (away.test(sign) || (syscall === 'connect' && awayAtConnect.test(sign)) || awayInWords.test(said)) return of('DATABASE_UNAVAILABLE');
  return undefined;
}

export type DatabaseAbout = {
  /** As `server_version_num` says it: 150018. */
  readonly version: number;
  readonly encoding: string;
  readonly collation: string;
  /** `pg_database.datlocprovider`: c libc, i ICU, b built in (PostgreSQL 17). */
  readonly provider: string;
  readonly isReadOnly: boolean;
  readonly mayCreate: boolean;
};

const leastVersion = 150_000;
/** Orders that are by code point, and the same on every machine and after every update of it. */
const fixedOrders = /^(C|POSIX|C\.UTF-?8)$/i;
const readOnly: ErrorDetail = {
  expected: { ja: '書き込みできるデータベース', en: 'one that can be written' },
  found: { ja: '読み取り専用', en: 'a read-only one' },
};

/** @throws TsugiteError DATABASE_UNSUITABLE · DATABASE_REFUSED (rights) */
export function verifySuitable({ version, encoding, collation, provider, isReadOnly, mayCreate }: DatabaseAbout): void {
  const unsuitable = (expected: string, found: string) => new TsugiteError('DATABASE_UNSUITABLE', { expected, found });
  if (version < leastVersion) throw unsuitable('PostgreSQL 15', `PostgreSQL ${Math.floor(version / 10_000)}`);
  if (encoding !== 'UTF8') throw unsuitable('encoding UTF8', encoding);
  if (!fixedOrders.test(collation) || provider === 'i') throw unsuitable('collation C', `${collation}${provider === 'i' ? ' (ICU)' : ''}`);
  if (isReadOnly) throw new TsugiteError('DATABASE_UNSUITABLE', readOnly);
  if (!mayCreate) throw new TsugiteError('DATABASE_REFUSED', { kind: 'rights', at: 'CREATE' });
}
