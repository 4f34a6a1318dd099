import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { TsugiteError } from '../../protocol/errors.ts';
import { sheetPrices } from '../../protocol/price-tables.ts';
import { billingOf, cliDefaults, loadConfig, unitBytesOf } from '../../server/config.ts';

function written(value: unknown): string {
  const file = path.join(mkdtempSync(path.join(tmpdir(), 'tsugite-config-')), 'config.json');
  writeFileSync(file, typeof value === 'string' ? value : JSON.stringify(value));
  return file;
}

function faultsOf(value: unknown): string[] {
  try {
    loadConfig(written(value), {});
  } catch (error) {
    const { faults = [] } = (error as TsugiteError).detail as { faults?: { field: string }[] };
    return faults.map(({ field }) => field).sort();
  }
  return [];
}

test('an empty file is the defaults of the design', () => {
  expect(loadConfig(written({}), {})).toMatchObject({
    people: { host: '127.0.0.1', port: 8080 },
    gateways: { https: { host: '127.0.0.1', port: 8443 }, mqtt: { port: 8883 } },
    policy: {
      keepaliveS: 1680,
      jitterS: 3600,
      probationS: 60,
      budget: { ceilingBytes: 5_000_000 },
      telemetryBytesPerMonth: 100_000,
      dataGraceDays: 30,
    },
    eligibility: 'seed',
  });
  expect(unitBytesOf(loadConfig(undefined, {}))).toBe(1_000_000);
});

test('every fault is named at once, unknown names too', () => {
  expect(faultsOf({ people: { port: -1 }, sizeUnit: 'KB', policy: { keepaliveS: 30, budget: { targetBytes: '3' } }, extra: 1 })).toEqual([
    '(top)',
    'people.port',
    'policy.budget.targetBytes',
    'policy.keepaliveS',
    'sizeUnit',
  ]);
  expect(faultsOf({ policy: { budget: { targetBytes: 6_000_000 } } })).toEqual(['policy.budget']);
  expect(faultsOf('{')).toEqual(['(file)']);
  expect(faultsOf([])).toEqual(['(top)']);
});

test('a file that is not there is told by its path', () => {
  expect(() => loadConfig('/nowhere/config.json', {})).toThrow(
    expect.objectContaining({ code: 'FILE_UNREADABLE', detail: { path: '/nowhere/config.json' } }),
  );
});

test('DATABASE_URL of the environment comes before the file, and is checked as well', () => {
  const file = written({ database: { url: 'postgres://file/db', account: 'postgres' } });
  expect(loadConfig(file, { DATABASE_URL: 'postgresql://there/db' }).database).toEqual({
    url: 'postgresql://there/db',
    account: 'postgres',
  });
  expect(loadConfig(file, {}).database.url).toBe('postgres://file/db');
  expect(() => loadConfig(file, { DATABASE_URL: 'mysql://there/db' })).toThrow(TsugiteError);
});

test('MQTT_URL of the environment comes before the file, and is checked as well', () => {
  const file = written({ broker: { url: 'mqtts://file:8884', ca: '/ca.pem' } });
  expect(loadConfig(file, { MQTT_URL: 'mqtts://there:8884' }).broker).toEqual({ url: 'mqtts://there:8884', ca: '/ca.pem' });
  expect(loadConfig(file, {}).broker.url).toBe('mqtts://file:8884');
  expect(() => loadConfig(file, { MQTT_URL: 'there:8884' })).toThrow(TsugiteError);
});

test.each([
  ['mqtt://127.0.0.1:1883', []],
  ['mqtt://[::1]:1883', []],
  ['mqtt://localhost', []],
  ['mqtts://broker.example', []],
  ['mqtt://10.0.0.5:1883', ['broker.url']],
  ['mqtt://localhost.example.com', ['broker.url']],
  ['mqtts://user:password@broker.example', ['broker.url']],
  ['mqtts://broker.example/path', ['broker.url']],
  ['https://broker.example', ['broker.url']],
  ['mqtts://', ['broker.url']],
])('a broker at %s: without TLS on this machine only, and never a secret in an address', (url, faults) => {
  expect(faultsOf({ broker: { url } })).toEqual(faults);
});

test('an outside broker needs both halves of an identity, and a port at which gateways find it', () => {
  const url = 'mqtts://broker:8884';
  expect(faultsOf({ broker: { url, certificate: '/c.pem' } })).toEqual(['broker']);
  expect(faultsOf({ broker: { url, username: 'tsugite' } })).toEqual(['broker']);
  expect(faultsOf({ broker: { url, username: 'tsugite', passwordFile: '/p' } })).toEqual([]);
  expect(faultsOf({ broker: { url }, gateways: { mqtt: { port: 0 } } })).toEqual(['gateways.mqtt.port']);
});

test('the verbs ask the server of the environment', () => {
  expect(cliDefaults({})).toEqual({ server: 'http://127.0.0.1:8080', token: undefined, person: expect.stringMatching(/./) });
  expect(cliDefaults({ TSUGITE_SERVER: 'http://10.0.0.1:9', TSUGITE_TOKEN: 't', SUDO_USER: 'hanako' })).toEqual({
    server: 'http://10.0.0.1:9',
    token: 't',
    person: 'hanako',
  });
});

describe('billing', () => {
  const table = {
    name: 'sheet-2030-04',
    validFrom: '2030-04',
    taxPercent: 12,
    menuMonthlyYen: 11_200,
    planMonthlyYen: 112,
    contractYen: 896,
    basicWorkYen: 1_120,
    switchWorkYen: { new: 28_000, change: 25_760, other: 4_480 },
  };

  test('is by the sheet and in the operator’s name; further price tables and the other readings come from the file', () => {
    expect(billingOf(loadConfig(written({ operator: { name: '運用者' } }), {}))).toEqual({
      issuer: { name: '運用者', registrationNumber: undefined, address: undefined, contact: undefined },
      readings: { registeredAt: 'ready', planPer: 'software' },
      tables: [sheetPrices],
    });
    const billing = {
      registrationNumber: 'T1234567890123',
      issuer: '発行者',
      registeredAt: 'accepted',
      planPer: 'site',
      priceTables: [table],
    };
    expect(billingOf(loadConfig(written({ billing }), {}))).toMatchObject({
      issuer: { name: '発行者', registrationNumber: 'T1234567890123' },
      readings: { registeredAt: 'accepted', planPer: 'site' },
      tables: [{ name: 'sheet-2019-10' }, { name: 'sheet-2030-04', validTo: null }],
    });
  });

  test('is refused with a number that is none, a month that is none, or a price that is no whole yen', () => {
    const faulty = [
      { ...table, validFrom: '2030-4' },
      { ...table, menuMonthlyYen: 0.5 },
      { ...table, extra: 1 },
    ];
    expect(faultsOf({ billing: { registrationNumber: '1234567890123', planPer: 'home', priceTables: faulty } })).toEqual([
      'billing.planPer',
      'billing.priceTables.0.validFrom',
      'billing.priceTables.1.menuMonthlyYen',
      'billing.priceTables.2',
      'billing.registrationNumber',
    ]);
  });
});
