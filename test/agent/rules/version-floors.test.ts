import { describe, expect, test } from 'vitest';
import { dropRevoked, findDowngrade, forgetCommitted, learnCommit, type VersionFloor } from '../../../agent/rules/version-floors.ts';
import { type Version, version } from '../../../protocol/fields.ts';
import { aTestPackage } from '../../support/agent-bench.ts';
import { aTarget, mintedAtMs } from '../../support/mint.ts';

const v = (text: string): Version => version.parse(text);
const committed = (text: string, { serial = '1', minVersion }: { serial?: string; minVersion?: string } = {}) => {
  const { wish, manifest } = aTestPackage('heater', text, minVersion === undefined ? {} : { manifest: { minVersion: v(minVersion) } });
  return {
    ...{ manifest, version: v(text), sha256: wish.package.sha256, attempt: 1, committedAt: wish.deadline },
    signer: { issuer: 'ca', serial, organisation: 'x', notAfterMs: mintedAtMs },
  };
};
const floorsOf = (...commits: Parameters<typeof committed>[]): VersionFloor[] =>
  commits.reduce<VersionFloor[]>((floors, args) => learnCommit(floors, committed(...args), false), []);
const wish = (text: string, rollbackFrom?: string) =>
  aTarget('heater', {
    version: v(text),
    ...(rollbackFrom !== undefined && { rollback: { from: v(rollbackFrom), order: 'o'.repeat(26) as never, reason: 'fault' } }),
  });

describe('a version', () => {
  test('that is higher or equal may come', () => {
    expect(findDowngrade(wish('1.1.0'), floorsOf(['1.0.0']), v('1.0.0'))).toBeUndefined();
    expect(findDowngrade(wish('1.0.0'), floorsOf(['1.0.0']), v('1.0.0'))).toBeUndefined();
  });

  test('that is lower than what was committed may not', () => {
    expect(findDowngrade(wish('1.0.0'), floorsOf(['1.1.0']), v('1.1.0'))).toEqual({
      code: 'PKG_DOWNGRADE',
      detail: { reason: 'older-than-committed', expected: '1.1.0', found: '1.0.0' },
    });
  });

  test('that is a pre-release of the committed one is lower', () => {
    expect(findDowngrade(wish('1.1.0-rc.1'), floorsOf(['1.1.0']), v('1.1.0'))?.code).toBe('PKG_DOWNGRADE');
  });

  test('of another software is no matter', () => {
    expect(findDowngrade(aTarget('lamp', { version: v('0.1.0') }), floorsOf(['1.1.0']), null)).toBeUndefined();
  });
});

describe('an order back', () => {
  test('opens the way from exactly the committed version', () => {
    expect(findDowngrade(wish('1.0.0', '1.1.0'), floorsOf(['1.1.0']), v('1.1.0'))).toBeUndefined();
    expect(findDowngrade(wish('1.0.0', '1.0.5'), floorsOf(['1.1.0']), v('1.1.0'))?.code).toBe('PKG_DOWNGRADE');
    expect(findDowngrade(wish('1.0.0', '1.1.0'), floorsOf(['1.1.0']), null)?.code).toBe('PKG_DOWNGRADE');
  });

  test('does not go below what the provider has stated', () => {
    const floors = floorsOf(['1.1.0', { minVersion: '1.0.5' }]);
    expect(findDowngrade(wish('1.0.0', '1.1.0'), floors, v('1.1.0'))?.detail).toMatchObject({ reason: 'min-version', expected: '1.0.5' });
    expect(findDowngrade(wish('1.0.5', '1.1.0'), floors, v('1.1.0'))).toBeUndefined();
  });

  test('makes the version it led to the highest', () => {
    const floors = learnCommit(floorsOf(['1.1.0']), committed('1.0.0'), true);
    expect(findDowngrade(wish('1.0.1'), floors, v('1.0.0'))).toBeUndefined();
    expect(findDowngrade(wish('0.9.0'), floors, v('1.0.0'))?.code).toBe('PKG_DOWNGRADE');
  });
});

describe('a signer', () => {
  const revoked = [{ issuer: 'ca', serial: '2', since: aTarget('x').deadline, reason: 'stolen', stop: false }] as never;

  test('that is revoked takes along what it claimed, and only that', () => {
    const floors = floorsOf(['1.2.0'], ['99.0.0', { serial: '2', minVersion: '50.0.0' }]);
    expect(findDowngrade(wish('1.2.27'), floors, v('99.0.0'))?.code).toBe('PKG_DOWNGRADE');
    const honest = dropRevoked(floors, revoked);
    expect(findDowngrade(wish('1.2.27'), honest, v('99.0.0'))).toBeUndefined();
    expect(findDowngrade(wish('1.1.0'), honest, v('99.0.0'))?.code).toBe('PKG_DOWNGRADE');
  });
});

test('a removal forgets what was committed, not what the provider has stated', () => {
  const floors = forgetCommitted(
    floorsOf(['1.1.0', { minVersion: '1.0.0' }]),
    committed('1.1.0').manifest.software,
    committed('1.1.0').manifest.provider,
  );
  expect(findDowngrade(wish('1.0.0'), floors, null)).toBeUndefined();
  expect(findDowngrade(wish('0.9.0'), floors, null)?.code).toBe('PKG_DOWNGRADE');
  expect(forgetCommitted(floorsOf(['1.1.0']), committed('1.1.0').manifest.software, committed('1.1.0').manifest.provider)).toEqual([]);
});
