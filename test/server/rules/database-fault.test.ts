import { expect, test } from 'vitest';
import { TsugiteError } from '../../../protocol/errors.ts';
import { type DatabaseAbout, databaseFaultOf, verifySuitable } from '../../../server/rules/database-fault.ts';

const fault = (code: string, message = '', more = {}) => Object.assign(new Error(message), { code, ...more });
const told = (error: unknown) => {
  const found = databaseFaultOf(error);
  return found && [found.code, found.detail.kind];
};

test.each([
  [fault('28P01', 'password authentication failed'), ['DATABASE_REFUSED', 'password']],
  [new Error('SASL: SCRAM-SERVER-FIRST-MESSAGE: client password must be a string'), ['DATABASE_REFUSED', 'password']],
  [fault('28000', 'no pg_hba.conf entry for host'), ['DATABASE_REFUSED', undefined]],
  [fault('3D000'), ['DATABASE_REFUSED', 'missing']],
  [fault('42501', 'permission denied for schema public'), ['DATABASE_REFUSED', 'rights']],
  [fault('DEPTH_ZERO_SELF_SIGNED_CERT'), ['DATABASE_REFUSED', 'encryption']],
  [new Error('The server does not support SSL connections'), ['DATABASE_REFUSED', 'encryption']],
  [fault('53300', 'sorry, too many clients already'), ['DATABASE_UNAVAILABLE', 'connections']],
  [fault('53100', 'could not extend file'), ['DISK_FULL', undefined]],
  [fault('25006', 'cannot execute INSERT in a read-only transaction'), ['DATABASE_UNSUITABLE', undefined]],
  [fault('57P01', 'terminating connection due to administrator command'), ['DATABASE_UNAVAILABLE', undefined]],
  [fault('08006'), ['DATABASE_UNAVAILABLE', undefined]],
  [fault('ECONNREFUSED', '', { syscall: 'connect' }), ['DATABASE_UNAVAILABLE', undefined]],
  [fault('ENOENT', '', { syscall: 'connect' }), ['DATABASE_UNAVAILABLE', undefined]],
  [new Error('Connection terminated unexpectedly'), ['DATABASE_UNAVAILABLE', undefined]],
  [new Error('timeout exceeded when trying to connect'), ['DATABASE_UNAVAILABLE', undefined]],
])('%s is what a person can act on', (error, code) => {
  expect(told(error)).toEqual(code);
});

test('a file that is missing, a faulty statement and a fault of our own are none of the database’s', () => {
  for (const error of [fault('ENOENT', '', { syscall: 'open' }), fault('23505'), fault('42601'), new Error('x'), undefined, null, 'text'])
    expect(databaseFaultOf(error)).toBeUndefined();
  const own = new TsugiteError('NOT_FOUND');
  expect(databaseFaultOf(own)).toBe(own);
});

const good: DatabaseAbout = { version: 150_018, encoding: 'UTF8', collation: 'C', provider: 'c', isReadOnly: false, mayCreate: true };

test('PostgreSQL 15 with UTF-8 and an order by code point will do, and so will newer ones', () => {
  for (const about of [
    good,
    { ...good, version: 180_004 },
    { ...good, collation: 'POSIX' },
    { ...good, collation: 'C.UTF-8' },
    { ...good, collation: 'C.utf8', provider: 'b' },
  ])
    expect(() => verifySuitable(about)).not.toThrow();
});

test.each([
  [{ version: 140_012 }, 'PostgreSQL 15', 'PostgreSQL 14'],
  [{ encoding: 'SQL_ASCII' }, 'encoding UTF8', 'SQL_ASCII'],
  [{ collation: 'ja_JP.UTF-8' }, 'collation C', 'ja_JP.UTF-8'],
  [{ collation: 'C', provider: 'i' }, 'collation C', 'C (ICU)'],
  [{ isReadOnly: true }, { ja: '書き込みできるデータベース', en: 'one that can be written' }, expect.anything()],
])('%j is refused with what is needed and what was found', (change, expected, found) => {
  expect(() => verifySuitable({ ...good, ...change })).toThrow(
    expect.objectContaining({ code: 'DATABASE_UNSUITABLE', detail: { expected, found } }),
  );
});

test('a role that may create nothing is told so before it tries', () => {
  expect(() => verifySuitable({ ...good, mayCreate: false })).toThrow(expect.objectContaining({ code: 'DATABASE_REFUSED' }));
});
