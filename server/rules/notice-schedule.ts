/** When a gateway gets a new notice although nothing has changed, and which version it has (DESIGN §4). */
import type { GatewayId } from '../../protocol/fields.ts';
import { spreadOf } from '../../protocol/spread.ts';
import { refreshMs } from './lease.ts';

const dayMs = 86_400_000;
export const noticeLifeMs = 21 * dayMs;
export const deploymentMs = 14 * dayMs;

/** @returns the gateway's next weekly moment after `nowMs`; the moments of all gateways lie evenly over the week */
export function nextRefreshMs(gateway: GatewayId, nowMs: number): number {
  const phaseMs = Math.floor(spreadOf(gateway) * refreshMs);
  return (Math.floor((nowMs - phaseMs) / refreshMs) + 1) * refreshMs + phaseMs;
}

/**
 * Versions rise without a counter that could be lost: after a restore from an old backup the clock alone is ahead of every gateway.
 *
 * @param last   highest version that we allocated
 * @param ahead  highest version that the gateway says it applied, when that is above ours
 */
export function nextVersion(last: number, ahead: number, nowMs: number): number {
  return Math.max(last + 1, ahead + 1, nowMs);
}
