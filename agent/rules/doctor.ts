/** 自己診断: what a technician would try by hand, one row a thing; each row that is not well carries the fault whose remedy mends it. */
import { describe, type ErrorCode, whoLabels } from '../../protocol/errors.ts';
import type { Fault } from './agent-state.ts';
import type { judgeWall } from './clock.ts';

export const checks = {
  enrolled: { ja: '登録', en: 'enrolment' },
  running: { ja: 'エージェントの動作', en: 'the agent runs' },
  folder: { ja: 'データフォルダー', en: 'data folder' },
  disk: { ja: '保存領域の空き', en: 'free storage' },
  sandbox: { ja: 'ソフトウェアの隔離', en: 'isolation of software' },
  clock: { ja: '時刻', en: 'clock' },
  certificate: { ja: '機器の証明書', en: 'device certificate' },
  name: { ja: '配信サーバーの名前解決', en: 'name of the delivery server' },
  https: { ja: '配信サーバーへの接続（HTTPS）', en: 'delivery server (HTTPS)' },
  mqtt: { ja: '配信サーバーへの接続（MQTT）', en: 'delivery server (MQTT)' },
  root: { ja: 'ルート情報', en: 'root' },
  notice: { ja: '配信情報', en: 'notice' },
  ledger: { ja: '今月の通信量', en: "this month's control traffic" },
} as const;
export type Check = keyof typeof checks;

/** Facts for people who want to see what was found: short words and numbers. */
export type Facts = Readonly<Record<string, string | number>>;
export type Examined = { check: Check; facts: Facts; fault: Fault | null };
export type DoctorRow = {
  check: Check;
  ok: boolean;
  ja: string;
  en: string;
  facts: Facts;
  reason?: { number: string; code: ErrorCode; ja: string; en: string };
  remedy?: { ja: string; en: string };
  who?: { ja: string; en: string };
};

export function rowOf({ check, facts, fault }: Examined): DoctorRow {
  const name = checks[check];
  if (fault === null) return { check, ok: true, ...name, facts };
  const { number, code, ja, en, remedy, who } = describe(fault.code, fault.detail);
  return {
    check,
    ok: false,
    ...name,
    facts: { ...facts, ...simple(fault.detail) },
    reason: { number, code, ja, en },
    remedy,
    who: whoLabels[who],
  };
}

/** What was found, as far as it is a word or a number. */
function simple(detail: Fault['detail']): Facts {
  const isSimple = (value: unknown): value is string | number => typeof value === 'string' || typeof value === 'number';
  return Object.fromEntries(Object.entries(detail).flatMap(([name, value]) => (isSimple(value) ? [[name, value]] : [])));
}

/** Room for one more installation of the largest kind, unpacked and downloaded, and for our own files. */
const neededBytes = 16_000_000;

export function judgeDisk(freeBytes: number): Fault | null {
  return freeBytes < neededBytes ? { code: 'STORE_NO_SPACE', detail: { need: neededBytes, free: freeBytes } } : null;
}

export function judgeClock(wall: ReturnType<typeof judgeWall>): Fault | null {
  return wall === 'right' ? null : { code: 'CLOCK_NOT_SET', detail: { kind: wall } };
}

export function judgeCertificate({ notBeforeMs, notAfterMs }: { notBeforeMs: number; notAfterMs: number }, nowMs: number): Fault | null {
  if (nowMs >= notBeforeMs && nowMs < notAfterMs) return null;
  return { code: 'CERTIFICATE_REFUSED', detail: { kind: nowMs < notBeforeMs ? 'not-yet-valid' : 'expired' } };
}

/** Notices are renewed every 7 days; a day later their absence is worth a word. */
const silenceMs = 8 * 86_400_000;

export function judgeNotice(
  notice: { version: number; issuedAt: string; expires: string } | null,
  refused: Fault | null,
  nowMs: number,
): Fault | null {
  if (refused !== null) return { code: refused.code, detail: refused.detail };
  if (notice === null) return { code: 'NOTICE_SILENCE', detail: { since: null } };
  if (nowMs >= Date.parse(notice.expires)) return { code: 'NOTICE_EXPIRED', detail: { version: notice.version, expires: notice.expires } };
  return nowMs - Date.parse(notice.issuedAt) > silenceMs ? { code: 'NOTICE_SILENCE', detail: { since: notice.issuedAt } } : null;
}

export function judgeRoot(root: { version: number; expires: string }, nowMs: number): Fault | null {
  return nowMs < Date.parse(root.expires) ? null : { code: 'ROOT_EXPIRED', detail: { version: root.version, expires: root.expires } };
}

export function judgeLedger(usedBytes: number, ceilingBytes: number): Fault | null {
  return usedBytes < ceilingBytes ? null : { code: 'TRAFFIC_CEILING', detail: { limit: ceilingBytes, actual: usedBytes } };
}
