import { expect, test } from 'vitest';
import { digest, gatewayId, randomId } from '../../protocol/fields.ts';
import { bundlePath, est, packagePath, packageUrl, parseGatewayRoute, rootPath } from '../../protocol/routes.ts';
import { parseTopic, topicKinds, topicOf } from '../../protocol/topics.ts';

const gateway = gatewayId.parse('gw-0001');
const sha256 = digest.parse('ab'.repeat(32));
const id = randomId.parse('a1b2c3d4e5f6a7b8');

test('every topic that is built is read back, and stands as the contract says', () => {
  for (const kind of topicKinds) expect(parseTopic(topicOf(gateway, kind))).toEqual({ gateway, kind });
  expect(topicOf(gateway, 'notice')).toBe('tsugite/1/gw-0001/notice');
});

test.each([
  'tsugite/1/+/notice',
  'tsugite/1/#',
  'tsugite/1/gw-0001/notice/',
  'tsugite/1/gw-0001/notice/more',
  'tsugite/1/gw-0001',
  'tsugite/2/gw-0001/notice',
  'tsugite/1/gw-0001/other',
  'tsugite/1/GW-0001/notice',
  '/tsugite/1/gw-0001/notice',
  '$SYS/broker',
  '',
])('%j is not one of our topics', (topic) => {
  expect(parseTopic(topic)).toBeUndefined();
});

test('every route that is built is read back', () => {
  expect(parseGatewayRoute(packagePath(sha256))).toEqual({ kind: 'package', sha256 });
  expect(parseGatewayRoute(rootPath(12))).toEqual({ kind: 'root', version: 12 });
  expect(parseGatewayRoute(bundlePath(id))).toEqual({ kind: 'bundle', id });
  for (const [kind, path] of Object.entries(est)) expect(parseGatewayRoute(path)).toEqual({ kind });
});

test.each([
  '/packages/',
  `/packages/${'AB'.repeat(32)}`,
  `/packages/${'ab'.repeat(32)}/`,
  '/packages/../root/1',
  '/root/0',
  '/root/01',
  '/root/1e3',
  '/root/',
  '/',
  '',
  '/root',
  '/.well-known/est',
])('%j is no route of ours', (path) => {
  expect(parseGatewayRoute(path)).toBeUndefined();
});

test('a package address does not depend on a trailing slash of its base', () => {
  expect(packageUrl('https://cdn.example.jp/', sha256)).toBe(packageUrl('https://cdn.example.jp', sha256));
});
