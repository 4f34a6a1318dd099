/** When the gateway measures, and when it sends a day (DESIGN §6: hourly samples, one message a day). */
import type { GatewayId } from '../../../protocol/fields.ts';
import { spreadOf } from '../../../protocol/spread.ts';

export const hourMs = 3_600_000;
const dayMs = 24 * hourMs;
const jstOffsetMs = 9 * hourMs;
/** A timer that comes late by so much still closes the hour before. */
const lateMs = 60_000;

export function startOfHourMs(ms: number): number {
  return Math.floor(ms / hourMs) * hourMs;
}

/** Midnight in Japan after `ms`. */
export function endOfDayMs(ms: number): number {
  return (Math.floor((ms + jstOffsetMs) / dayMs) + 1) * dayMs - jstOffsetMs;
}

export function japanDateOf(ms: number): string {
  return new Date(ms + jstOffsetMs).toISOString().slice(0, 10);
}

/** Just past the next full hour. */
export function untilNextSampleMs(nowMs: number): number {
  return startOfHourMs(nowMs) + hourMs - nowMs + 1_000;
}

/** The hour that a sample taken at `nowMs` tells of: the one that has just ended. */
export function sampledAtMs(nowMs: number): number {
  return nowMs - lateMs;
}

/**
 * A finished day goes out at a moment of its own for each gateway, so that a fleet does not send at midnight: the gateway's name fixes it within 22
 * hours after the day's end, chance moves it by up to one more.
 *
 * @param jitter  in [0, 1)
 */
export function sendAtMs(dayEndMs: number, gateway: GatewayId, jitter: number): number {
  return dayEndMs + Math.floor((spreadOf(gateway) * 22 + jitter) * hourMs);
}
