import { createHash, createPrivateKey, createPublicKey, X509Certificate } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { keyidOf, parseEnvelope, verifyEnvelope } from '../../protocol/dsse.ts';
import { catalogue, describe as describeError, isErrorCode } from '../../protocol/errors.ts';
import { profileOf } from '../../protocol/gateway-models.ts';
import { toCompactJson } from '../../protocol/json.ts';
import { parseInvitation } from '../../protocol/messages/invitation.ts';
import { parsePresence } from '../../protocol/messages/presence.ts';
import { parseReport } from '../../protocol/messages/report.ts';
import { parseStatus } from '../../protocol/messages/status.ts';
import { encodeTelemetry, parseTelemetry } from '../../protocol/messages/telemetry.ts';
import { planOf } from '../../protocol/pricing.ts';
import { manifestType, parseManifest } from '../../protocol/statements/manifest.ts';
import { noticeType, parseNotice } from '../../protocol/statements/notice.ts';
import { keysOfRole, parseRoot, rootType } from '../../protocol/statements/root.ts';
import { messageList } from '../../scripts/support/message-list.ts';

const folder = new URL('../../protocol/examples/', import.meta.url);
const read = (name: string): Buffer => readFileSync(new URL(name, folder));
const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');
const telemetryExamples = ['telemetry.bin', 'telemetry-own.bin'];
const decoded = (example: string) => example.replace('.bin', '.json');
const everyExample = messageList.flatMap(({ examples, ...message }) => examples.map((example) => ({ ...message, example })));

test.each(everyExample)('$example is read as $name', ({ parse, example, capBytes }) => {
  expect(read(example).length).toBeLessThanOrEqual(capBytes);
  expect(() => parse(read(example))).not.toThrow();
});

test.each(everyExample.filter(({ example }) => example.endsWith('.json')))(
  '$example is written again with the same bytes',
  ({ parse, example }) => {
    expect(toCompactJson(parse(read(example)))).toEqual(read(example));
  },
);

test('a frozen example never changes, and none is forgotten', () => {
  const sums = new Map(
    read('SHA256SUMS')
      .toString()
      .trimEnd()
      .split('\n')
      .map((line) => [line.slice(66), line.slice(0, 64)] as const),
  );
  const files = readdirSync(folder).filter((name) => name !== 'README.md' && name !== 'SHA256SUMS');
  expect([...sums.keys()].sort()).toEqual(files.sort());
  for (const [name, sum] of sums) expect(sha256(read(name)), name).toBe(sum);
  expect([...everyExample.map(({ example }) => example), ...telemetryExamples.map(decoded)].sort()).toEqual(files.sort());
});

test.each(telemetryExamples)('%s says what its decoded form says, and survives being sent again', (example) => {
  const telemetry = parseTelemetry(read(example));
  expect(toCompactJson(telemetry)).toEqual(read(decoded(example)));
  expect(parseTelemetry(encodeTelemetry(telemetry))).toEqual(telemetry);
});

test('the envelopes hold the payloads beside them, and their signatures are good', () => {
  const root = parseRoot(read('root.json'));
  const rootPayload = verifyEnvelope(parseEnvelope(read('root.dsse.json')), rootType, keysOfRole(root, 'root'), root.roles.root.threshold);
  expect(rootPayload).toEqual(read('root.json'));
  const noticePayload = verifyEnvelope(parseEnvelope(read('notice.dsse.json')), noticeType, keysOfRole(root, 'notice'), 1);
  expect(noticePayload).toEqual(read('notice.json'));
  const manifestEnvelope = parseEnvelope(read('manifest.dsse.json'));
  const leaf = new X509Certificate(Buffer.from(manifestEnvelope.signatures[0]?.x5c?.[0] ?? '', 'base64'));
  const signer = new Map([[keyidOf(leaf.publicKey), leaf.publicKey]]);
  expect(verifyEnvelope(manifestEnvelope, manifestType, signer, 1)).toEqual(read('manifest.json'));
  expect(leaf.subjectAltName).toBe('URI:urn:tsugite:provider:hinata');
  expect(leaf.verify(new X509Certificate(root.providerCas[0] ?? '').publicKey)).toBe(true);
});

test('the examples belong together', () => {
  const manifest = parseManifest(read('manifest.json'));
  const [target] = parseNotice(read('notice.json')).targets;
  expect(target).toMatchObject({
    software: manifest.software,
    version: manifest.version,
    provider: manifest.provider,
    installedBytes: manifest.payload.installedBytes,
    manifestSha256: sha256(read('manifest.dsse.json')),
    plan: planOf(manifest.payload.installedBytes),
  });
  const birth = parsePresence(read('presence-birth.json'));
  expect(birth).toMatchObject({ appliedNotice: { sha256: sha256(read('notice.dsse.json')) } });
  expect(birth.online && profileOf(birth.model)?.name).toBe('hgw-400');
  expect(toCompactJson(parseInvitation(read('invitation.json')).root)).toEqual(read('root.dsse.json'));
});

test('the errors in the examples are those of the catalogue', () => {
  const report = parseReport(read('report-failure.json'));
  if (!isErrorCode(report.code ?? '')) throw new Error(`${report.code} is not in the catalogue`);
  expect(catalogue[report.code as 'HEALTH_PROBE_FAILED'].number).toBe(report.number);
  const reason = parseStatus(read('status.json')).software[0]?.reason;
  const { number, code, ja, en } = describeError('HEALTH_PROBE_FAILED', { prev: '1.1.3' });
  expect(reason).toEqual({ number, code, ja, en });
});

test('the keys of the examples are made from seeds that everybody knows, as their README says', () => {
  const pkcs8 = (name: string) =>
    Buffer.concat([
      Buffer.from('302e020100300506032b657004220420', 'hex'),
      createHash('sha256').update(`tsugite example: ${name}`).digest(),
    ]);
  const idOf = (name: string) => keyidOf(createPublicKey(createPrivateKey({ key: pkcs8(name), format: 'der', type: 'pkcs8' })));
  const { roles } = parseRoot(read('root.json'));
  expect(roles.root.keyids).toEqual(['root key 1', 'root key 2', 'root key 3'].map(idOf));
  expect(roles.notice.keyids).toEqual([idOf('notice key 1')]);
});
