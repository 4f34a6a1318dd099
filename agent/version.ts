import { type Version, version } from '../protocol/fields.ts';

/** Also the contract version that a manifest's `requires.agent` is held against. */
export const agentVersion: Version = version.parse('1.0.0');

/** No agent of this version runs before this moment: below it no clock is believed. */
export const builtAtMs = Date.parse('2026-11-22T00:00:00Z');
