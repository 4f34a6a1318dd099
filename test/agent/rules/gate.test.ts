import { describe, expect, test } from 'vitest';
import { emptyState, type SoftwareRecord, withRecord } from '../../../agent/rules/agent-state.ts';
import { beginDeployment } from '../../../agent/rules/begin-deployment.ts';
import { findRefusal, type GateSituation, ownReserveBytes } from '../../../agent/rules/gate.ts';
import { toUtcTime } from '../../../protocol/fields.ts';
import { type GatewayProfile, profileOf } from '../../../protocol/gateway-models.ts';
import { aTestPackage } from '../../support/agent-bench.ts';
import { aGatewayId, anId, aTarget, mintedAtMs } from '../../support/mint.ts';

const situation = (over: Partial<GateSituation> = {}): GateSituation => ({
  state: emptyState(aGatewayId),
  modelName: 'PR-400KI',
  model: profileOf('PR-400KI') as GatewayProfile,
  floors: [],
  revoked: [],
  freeBytes: 1e9,
  dataBytesOf: () => 0,
  wall: 'right',
  ...over,
});
const big = (installedBytes: number, plan = 5) =>
  aTarget('heater', { installedBytes, plan, limits: { ...aTarget('heater').limits, installedBytes: 7_500_000 } });

describe('one software', () => {
  test.each([
    [1_572_863, 1, undefined],
    [1_572_864, 1, { kind: 'plan', limit: 1_572_864, limitName: 'プラン1' }],
    [3_145_727, 2, undefined],
    [3_145_728, 2, { kind: 'plan', limit: 3_145_728 }],
    [5_999_999, 5, undefined],
    [6_000_000, 5, { kind: 'model', limit: 6_000_000 }],
    [6_213_004, 5, { kind: 'model', limit: 6_000_000, limitName: 'PR-400KI', actual: 6_213_004 }],
  ])('of %i bytes in plan %i', (bytes, plan, detail) => {
    const refusal = findRefusal(big(bytes, plan), situation());
    if (detail === undefined) expect(refusal).toBeUndefined();
    else expect(refusal).toMatchObject({ code: 'SIZE_OVER_LIMIT', detail });
  });

  test('of 6,213,004 bytes is taken by a larger model', () => {
    const model = profileOf('RT-500MI') as GatewayProfile;
    expect(findRefusal(big(6_213_004), situation({ model, modelName: 'RT-500MI' }))).toBeUndefined();
  });

  test.each([
    ['M = 10⁶', 1_500_000],
    ['M = 2²⁰', 1_572_864],
  ])('of plan 1 from a server where %s is held to exactly its limit, which the notice names', (_, limit) => {
    const of = (installedBytes: number) =>
      aTarget('heater', { installedBytes, plan: 1, limits: { ...aTarget('heater').limits, installedBytes: limit } });
    expect(findRefusal(of(limit - 1), situation())).toBeUndefined();
    expect(findRefusal(of(limit), situation())?.detail).toMatchObject({ limit, limitName: 'プラン1' });
  });

  test('of 25 M stored is refused before one byte of it is fetched, whatever the notice says', () => {
    const stored = (bytes: number) => aTarget('heater', { package: { ...aTarget('heater').package, bytes } });
    expect(findRefusal(stored(24_999_999), situation())).toBeUndefined();
    expect(findRefusal(stored(25_000_000), situation())).toEqual({
      code: 'SIZE_OVER_MENU',
      detail: { limit: 25_000_000, actual: 25_000_000 },
    });
  });

  test('is held to the limit of the notice when that is the smallest', () => {
    const wish = aTarget('heater', { installedBytes: 300_000, limits: { ...aTarget('heater').limits, installedBytes: 300_000 } });
    expect(findRefusal(wish, situation())).toMatchObject({ code: 'SIZE_OVER_LIMIT', detail: { kind: 'notice', limit: 300_000 } });
  });
});

describe('beside other software', () => {
  const withOthers = (count: number, installedBytes: number) =>
    Array.from({ length: count }, (_, index) => index).reduce((state, index) => {
      const { manifest } = aTestPackage(`other${index}`);
      const begun = beginDeployment(state, aTarget(`other${index}`), anId('d'), toUtcTime(mintedAtMs));
      const record = begun.records.find(({ software }) => software === `other${index}.acme`) as SoftwareRecord;
      const committed = {
        manifest: { ...manifest, payload: { ...manifest.payload, installedBytes } },
        signer: { issuer: 'x', serial: '1', organisation: 'x', notAfterMs: 1 },
        ...{ version: manifest.version, sha256: manifest.payload.sha256, attempt: 1, committedAt: toUtcTime(mintedAtMs) },
      };
      return withRecord({ ...begun, deployments: [] }, { ...record, committed });
    }, emptyState(aGatewayId));

  test('the number that the model takes is the limit (E307)', () => {
    expect(findRefusal(aTarget('heater'), situation({ state: withOthers(2, 1_000) }))).toBeUndefined();
    expect(findRefusal(aTarget('heater'), situation({ state: withOthers(3, 1_000) }))).toEqual({
      code: 'SOFTWARE_COUNT_REACHED',
      detail: { limit: 3 },
    });
  });

  test('an update of one of them is not one more', () => {
    expect(findRefusal(aTarget('other1', { version: '2.0.0' as never }), situation({ state: withOthers(3, 1_000) }))).toBeUndefined();
  });

  test('the storage for all committed versions is the limit (E305)', () => {
    const state = withOthers(2, 5_900_000);
    expect(findRefusal(big(300_000, 1), situation({ state }))).toEqual({
      code: 'STORE_NO_SPACE',
      detail: { kind: 'model-storage', need: 300_000, free: 200_000 },
    });
    expect(findRefusal(big(200_000, 1), situation({ state }))).toBeUndefined();
  });
});

test('free space must hold the package, its files, a copy of the data, and what the agent needs for itself', () => {
  const wish = aTarget('heater');
  const need = findRefusal(wish, situation({ freeBytes: 0 }))?.detail.need as number;
  expect(need).toBeGreaterThan(wish.package.bytes + wish.installedBytes + ownReserveBytes);
  expect(findRefusal(wish, situation({ freeBytes: need - 1 }))?.detail).toEqual({ kind: 'disk', need, free: need - 1 });
  expect(findRefusal(wish, situation({ freeBytes: need }))).toBeUndefined();
  expect(findRefusal(wish, situation({ freeBytes: need, dataBytesOf: () => 1 }))?.code).toBe('STORE_NO_SPACE');
});

test('a clock far ahead of any signed time holds an installation (E902), one that is behind does not', () => {
  expect(findRefusal(aTarget('heater'), situation({ wall: 'far-ahead' }))?.code).toBe('CLOCK_NOT_SET');
  expect(findRefusal(aTarget('heater'), situation({ wall: 'behind' }))).toBeUndefined();
});
