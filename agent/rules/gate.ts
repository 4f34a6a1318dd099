import type { GatewayProfile } from '../../protocol/gateway-models.ts';
import { limits } from '../../protocol/limits.ts';
import { mebibyteBytes, planLimitBytes } from '../../protocol/pricing.ts';
import type { Target } from '../../protocol/statements/notice.ts';
import type { RevokedSigner } from '../../protocol/statements/root.ts';
import { type AgentState, deploymentOf, type Fault, recordOf } from './agent-state.ts';
import { dropRevoked, findDowngrade, type VersionFloor } from './version-floors.ts';

/** Left free for the agent's own state, log and outbox: a full disk must not silence it. */
export const ownReserveBytes = 2_000_000;
/** Folders, partly filled blocks and the directory entries of a package, over the sum of its files. */
const overheadOf = (bytes: number) => Math.ceil(bytes / 8) + 256 * 1024;

export type GateSituation = {
  state: AgentState;
  /** The model's name, for people, and what it takes. */
  modelName: string;
  model: GatewayProfile;
  floors: readonly VersionFloor[];
  revoked: readonly RevokedSigner[];
  freeBytes: number;
  /** What an update may have to set aside of the app's data, and what a first start takes for them. */
  dataBytesOf: (target: Target) => number;
  wall: 'right' | 'behind' | 'far-ahead';
};

/**
 * Why a wish is refused before one byte of it is downloaded; undefined when it may be accepted. Whoever asks again after the notice, the space
 * or the clock has changed may get another answer.
 */
export function findRefusal(wish: Target, situation: GateSituation): Fault | undefined {
  return (
    findClockFault(situation) ??
    findDowngrade(
      wish,
      dropRevoked(situation.floors, situation.revoked),
      recordOf(situation.state, wish.target)?.committed?.version ?? null,
    ) ??
    findSizeFault(wish, situation) ??
    findCountFault(wish, situation) ??
    findSpaceFault(wish, situation)
  );
}

function findClockFault({ wall }: GateSituation): Fault | undefined {
  return wall === 'far-ahead' ? { code: 'CLOCK_NOT_SET', detail: {} } : undefined;
}

function findSizeFault(wish: Target, { model, modelName }: GateSituation): Fault | undefined {
  const { bytes } = wish.package;
  if (bytes >= limits.storedBytes) return { code: 'SIZE_OVER_MENU', detail: { limit: limits.storedBytes, actual: bytes } };
  const actual = wish.installedBytes;
  const plan = `プラン${wish.plan}`;
  const bounds = [
    // By the wider reading of "M" (DOMAIN D-01): which one this server goes by stands in the notice's own limit.
    { limit: planLimitBytes(wish.plan, mebibyteBytes), kind: 'plan', limitName: plan },
    { limit: model.installedBytes, kind: 'model', limitName: modelName },
    { limit: wish.limits.installedBytes, kind: 'notice', limitName: plan },
  ] as const;
  const smallest = bounds.reduce((best, next) => (next.limit < best.limit ? next : best));
  if (actual < smallest.limit) return undefined;
  return { code: 'SIZE_OVER_LIMIT', detail: { ...smallest, actual } };
}

function findCountFault(wish: Target, { state, model }: GateSituation): Fault | undefined {
  const others = state.records.filter(
    (record) => record.target !== wish.target && (record.committed !== null || deploymentOf(state, record.target) !== undefined),
  );
  return others.length >= model.software ? { code: 'SOFTWARE_COUNT_REACHED', detail: { limit: model.software } } : undefined;
}

function findSpaceFault(wish: Target, { state, model, freeBytes, dataBytesOf }: GateSituation): Fault | undefined {
  const others = state.records.filter((record) => record.target !== wish.target);
  const storedBytes = others.reduce((sum, record) => sum + (record.committed?.manifest.payload.installedBytes ?? 0), 0);
  if (storedBytes + wish.installedBytes > model.storageBytes)
    return {
      code: 'STORE_NO_SPACE',
      detail: { kind: 'model-storage', need: wish.installedBytes, free: Math.max(0, model.storageBytes - storedBytes) },
    };
  const need = wish.package.bytes + wish.installedBytes + overheadOf(wish.installedBytes) + dataBytesOf(wish) + ownReserveBytes;
  return freeBytes < need ? { code: 'STORE_NO_SPACE', detail: { kind: 'disk', need, free: freeBytes } } : undefined;
}
