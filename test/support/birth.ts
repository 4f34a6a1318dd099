import type { Birth } from '../../protocol/messages/presence.ts';

/** What a gateway says of itself when it connects. */
export function aBirth(more: Partial<Record<keyof Birth, unknown>> = {}): string {
  return JSON.stringify({
    v: 1,
    online: true,
    epoch: 'a'.repeat(32),
    bootId: 'b'.repeat(32),
    agent: '1.0.0',
    model: 'PR-500KI',
    firmware: '01.00.0001',
    node: 'v20.19.0',
    arch: 'x64',
    speaks: [1],
    appliedNotice: null,
    rootVersion: 1,
    ...more,
  });
}
