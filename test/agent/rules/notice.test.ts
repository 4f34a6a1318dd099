import { describe, expect, test } from 'vitest';
import { decideNotice, findInstallBlock } from '../../../agent/rules/notice.ts';
import { gatewayId, toUtcTime } from '../../../protocol/fields.ts';
import { aGatewayId, aNotice, aRoot, digestOfText, mintedAtMs, someRootKeys } from '../../support/mint.ts';

const sha256 = digestOfText('these bytes');
const mark = { version: mintedAtMs, sha256 };
const about = { gateway: aGatewayId, mark, nowMs: mintedAtMs + 1_000 };

describe('a proven notice', () => {
  test('is applied when it is the first one', () => {
    expect(decideNotice(aNotice(), sha256, { ...about, mark: null })).toEqual({ kind: 'apply', version: mintedAtMs });
  });

  test('is applied when it is newer than the applied one', () => {
    expect(decideNotice(aNotice({ version: mintedAtMs + 1 }), sha256, about).kind).toBe('apply');
  });

  test('is ignored when it is the applied one, byte for byte', () => {
    expect(decideNotice(aNotice(), sha256, about)).toEqual({ kind: 'ignore', why: 'already-applied' });
  });

  test('is ignored when it is the applied one, also after it expired: the broker keeps sending what it retains', () => {
    expect(decideNotice(aNotice(), sha256, { ...about, nowMs: mintedAtMs + 1e11 }).kind).toBe('ignore');
  });

  test('is refused when it is older than the applied one', () => {
    expect(decideNotice(aNotice({ version: mintedAtMs - 1 }), sha256, about)).toEqual({
      kind: 'refuse',
      code: 'NOTICE_DOWNGRADE',
      expected: mintedAtMs,
      found: mintedAtMs - 1,
    });
  });

  test('is refused with a code of its own when it has the number of the applied one but other bytes', () => {
    const other = digestOfText('other bytes');
    expect(decideNotice(aNotice(), other, about)).toMatchObject({ code: 'NOTICE_VERSION_REUSED', expected: sha256, found: other });
  });

  test('is refused when it is for another gateway, whatever else it says', () => {
    const notice = aNotice({ gateway: gatewayId.parse('hgw-0002'), version: mintedAtMs - 1 });
    expect(decideNotice(notice, sha256, about)).toMatchObject({ code: 'NOTICE_WRONG_GATEWAY', expected: 'hgw-0001', found: 'hgw-0002' });
  });

  test('is refused at the second it expires, not the second before', () => {
    const notice = aNotice({ version: mintedAtMs + 1 });
    const expiresMs = Date.parse(notice.expires);
    expect(decideNotice(notice, sha256, { ...about, nowMs: expiresMs })).toMatchObject({ code: 'NOTICE_EXPIRED' });
    expect(decideNotice(notice, sha256, { ...about, nowMs: expiresMs - 1 }).kind).toBe('apply');
  });
});

describe('installs are blocked, and nothing else', () => {
  const root = aRoot(someRootKeys());

  test('by an expired root', () => {
    const expired = { ...root, expires: toUtcTime(mintedAtMs) };
    expect(findInstallBlock(aNotice(), expired, mintedAtMs)?.code).toBe('ROOT_EXPIRED');
  });

  test('by a notice that expired after it was applied', () => {
    const notice = aNotice();
    expect(findInstallBlock(notice, root, Date.parse(notice.expires))?.code).toBe('NOTICE_EXPIRED');
  });

  test('by a root that is behind the one the notice names: the newer may have revoked the signer', () => {
    expect(findInstallBlock(aNotice({ rootVersion: 2 }), root, mintedAtMs)).toEqual({
      code: 'ROOT_BEHIND',
      detail: { expected: 2, found: 1 },
    });
  });

  test('not otherwise', () => {
    expect(findInstallBlock(aNotice(), root, mintedAtMs)).toBeUndefined();
  });
});
