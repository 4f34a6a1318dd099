import { describe, expect, test } from 'vitest';
import {
  ext,
  gatewayId,
  lanPermission,
  modelName,
  providerId,
  randomId,
  softwareId,
  toUtcTime,
  utcTime,
  version,
  wanPermission,
  webPrefix,
} from '../../protocol/fields.ts';

const fields = { gatewayId, softwareId, webPrefix, providerId, randomId, utcTime, version, modelName, lanPermission, wanPermission, ext };

describe.each<[keyof typeof fields, unknown[], unknown[]]>([
  ['gatewayId', ['gw1', '0-a', 'a'.repeat(63)], ['gw', '-gw1', 'GW1', 'gw_1', 'a'.repeat(64), 'gw1\n', 'gw/1', '']],
  ['softwareId', ['demo.ipv4', 'a.b', 'jp.ne.enabler'], ['demo', '.a', 'a.', 'Demo.a', '1a.b', `a.${'b'.repeat(63)}`, 'a..b']],
  ['webPrefix', ['demo.ipv4'], ['status.json', 't']],
  ['providerId', ['ab', 'acme-1'], ['a', '1a', 'A', 'a'.repeat(32)]],
  ['randomId', ['a'.repeat(16), '0'.repeat(32)], ['a'.repeat(15), 'a'.repeat(33), 'A'.repeat(16)]],
  [
    'utcTime',
    ['2026-11-22T00:00:00Z', '2028-02-29T23:59:59Z', '1970-01-01T00:00:00Z'],
    [
      '2026-02-30T00:00:00Z',
      '2027-02-29T00:00:00Z',
      '2026-11-22T00:00:00+09:00',
      '2026-11-22T00:00:00.000Z',
      '2026-11-22T24:00:00Z',
      '2026-11-22',
    ],
  ],
  ['version', ['1.0.0', '0.0.1', '1.2.3-rc.1'], ['1.0', '01.0.0', '1.0.0+build', '1.0.0-01', 'v1.0.0', '1.0.0 ']],
  ['modelName', ['PR-400KI', 'RT-500MI', 'SG-100KI'], ['PR-400', 'XG-100NE', 'PR-400ki']],
  ['lanPermission', ['udp:3610', 'tcp:1', 'udp:65535'], ['udp:0', 'udp:65536', 'icmp:1', 'udp:03610', '3610']],
  [
    'wanPermission',
    ['api.example.jp:443', 'a.b:1'],
    [
      'localhost:443',
      '10.0.0.1:443',
      '*.example.jp:443',
      'API.example.jp:443',
      'api.example.jp',
      'api.example.jp:0',
      'api.example.jp:65536',
      '[::1]:443',
      '-a.jp:1',
      'a..jp:1',
    ],
  ],
  ['ext', [{}, { note: { deep: [1] } }], [{ '1': 'a' }, { a: { '10': 1 } }, []]],
])('%s', (name, good, bad) => {
  test.each(good)('accepts %j', (value) => expect(fields[name].safeParse(value).success).toBe(true));
  test.each(bad)('refuses %j', (value) => expect(fields[name].safeParse(value).success).toBe(false));
});

test('a time loses its fraction of a second, never gains one', () => {
  expect(toUtcTime(Date.UTC(2026, 10, 22, 0, 0, 0, 999))).toBe('2026-11-22T00:00:00Z');
});
