import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { dataDirOf, defaultDataDir, loadConfig, pageSettingsOf, profileOfModel } from '../../agent/config.ts';
import { TsugiteError } from '../../protocol/errors.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'config-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

const written = (value: unknown) => {
  const path = join(folder, 'agent.json');
  writeFileSync(path, typeof value === 'string' ? value : JSON.stringify(value));
  return path;
};
const faultsOf = (value: unknown): unknown => {
  try {
    loadConfig(written(value), {});
  } catch (error) {
    if (error instanceof TsugiteError && error.code === 'CONFIG_INVALID') return error.detail.faults;
    throw error;
  }
  return [];
};

test('a model is all that must be said', () => {
  const config = loadConfig(written({ model: 'PR-400KI' }), {});
  expect(pageSettingsOf(config)).toMatchObject({ listen: [{ host: '127.0.0.1', port: 8888 }], appPorts: { from: 8889, count: 8 } });
  expect(profileOfModel(config).name).toBe('hgw-400');
});

test('the page may listen on addresses of the home, of either family', () => {
  const config = loadConfig(written({ model: 'PR-400KI', page: { listen: ['192.168.1.1:8888', '[fd00::1]:8888'] } }), {});
  expect(pageSettingsOf(config).listen).toEqual([
    { host: '192.168.1.1', port: 8888 },
    { host: 'fd00::1', port: 8888 },
  ]);
});

describe('a file with faults', () => {
  test('has all of them named at once, in words', () => {
    expect(faultsOf({ model: 'PR-999KI', firmware: 8, page: { listen: ['0.0.0.0:8888'] }, lgo: {} })).toEqual([
      { field: 'model', fault: 'not a model of the catalogue' },
      { field: 'firmware', fault: 'not of type string' },
      { field: '(top)', fault: 'unknown: lgo' },
      { field: 'page.listen[0].host', fault: '0.0.0.0 is not an address of the home network' },
    ]);
  });

  test('has each field named once', () => {
    expect(faultsOf({ model: 'x', log: { level: 'loud' }, page: { appPorts: { from: 0 } } })).toEqual([
      { field: 'model', fault: expect.any(String) },
      { field: 'page.appPorts.from', fault: 'below 1' },
      { field: 'log.level', fault: 'not one of debug, info, warn, error' },
    ]);
  });

  test('without a model says that it is missing', () => {
    expect(faultsOf({})).toEqual([{ field: 'model', fault: 'missing (string)' }]);
  });

  test('that is not JSON says so', () => {
    expect(faultsOf('{model: 1}')).toEqual([{ field: '(file)', fault: expect.stringContaining('not JSON') }]);
  });

  test('that cannot be read has another code', () => {
    expect(() => loadConfig(join(folder, 'nothing'), {})).toThrowError(/FILE_UNREADABLE/);
  });
});

test('the environment stands in for what the command line leaves out', () => {
  const path = written({ firmware: '02.00.0000' });
  expect(loadConfig(undefined, { TSUGITE_AGENT_CONFIG: path, TSUGITE_MODEL: 'RT-500MI' })).toMatchObject({
    model: 'RT-500MI',
    firmware: '02.00.0000',
  });
  expect([
    dataDirOf('/a', { TSUGITE_AGENT_DATA: '/b' }),
    dataDirOf(undefined, { TSUGITE_AGENT_DATA: '/b' }),
    dataDirOf(undefined, {}),
  ]).toEqual(['/a', '/b', defaultDataDir]);
});
