/** Snapshots of a gateway for tests of what people are shown. A builder states only what its test is about. */
import type { GatewaySnapshot, SoftwareSnapshot } from '../../agent/rules/gateway-snapshot.ts';
import type { RefusedNotice } from '../../agent/rules/refused-notice.ts';
import { digest, gatewayId, providerId, randomId, softwareId, utcTime, version } from '../../protocol/fields.ts';
import { type Manifest, manifestSchema } from '../../protocol/statements/manifest.ts';

export function aManifest(more: Partial<Record<keyof Manifest, unknown>> = {}): Manifest {
  return manifestSchema.parse({
    v: 1,
    software: 'demo.ipv4',
    version: '1.2.0',
    provider: 'demo-net',
    title: { ja: 'IPv4接続設定', en: 'IPv4 connection' },
    customer: {
      description: 'IPv6の回線でIPv4のサイトもご利用いただけるようにします。',
      price: '無料',
      leadTimeDays: 0,
      contact: 'デモネット サポート窓口 0120-000-000（9:00～17:00）',
      termsUrl: 'https://demo-net.example/terms',
    },
    models: ['*'],
    requires: { agent: '>=1.0.0' },
    payload: { sha256: 'a'.repeat(64), tarBytes: 10_240, installedBytes: 4_096, files: 2, encoding: 'br' },
    entry: { runtime: 'node', args: ['main.js'] },
    web: { prefix: 'demo.ipv4', main: '/demo.ipv4/main' },
    permissions: { lan: [], wan: [], telemetry: false },
    resources: { memoryBytes: 33_554_432, cpuPercent: 10, pids: 16, dataBytes: 1_048_576 },
    health: { kind: 'ready', timeoutS: 10 },
    data: { format: 1 },
    ...more,
  });
}

export function aSoftware(more: Partial<SoftwareSnapshot> = {}): SoftwareSnapshot {
  return {
    target: randomId.parse('t0123456789abcdef'),
    software: softwareId.parse('demo.ipv4'),
    provider: providerId.parse('demo-net'),
    providerName: 'デモネット株式会社',
    version: version.parse('1.2.0'),
    title: { ja: 'IPv4接続設定', en: 'IPv4 connection' },
    state: 'running',
    changedAtMs: Date.parse('2026-11-21T15:30:00Z'),
    manifest: aManifest(),
    webSocketPath: '/nowhere/web.sock',
    ...more,
  };
}

export function aSnapshot(software: readonly SoftwareSnapshot[] = [aSoftware()], more: Partial<GatewaySnapshot> = {}): GatewaySnapshot {
  return {
    gateway: gatewayId.parse('gw-0001'),
    model: 'PR-400KI',
    firmware: '08.00.0004',
    agent: version.parse('1.0.0'),
    atMs: Date.parse('2026-11-22T07:20:00Z'),
    online: true,
    month: { usedBytes: 123_456, targetBytes: 3_000_000, alarmBytes: 4_000_000, ceilingBytes: 5_000_000 },
    software,
    ...more,
  };
}

export const aRefusedNotice: RefusedNotice = {
  code: 'NOTICE_WRONG_GATEWAY',
  detail: { expected: 'gw-0001', found: 'gw-0002' },
  sha256: digest.parse('b'.repeat(64)),
  at: utcTime.parse('2026-11-22T00:30:00Z'),
  since: utcTime.parse('2026-11-21T00:30:00Z'),
  times: 3,
};
