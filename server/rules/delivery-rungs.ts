/** The last rungs of `explain`: from the gateway to the disk. */
import { isErrorCode } from '../../protocol/errors.ts';
import type { Snapshot } from './explain-snapshot.ts';
import { entitledUntilMs } from './lease.ts';
import { type Fault, no, type RungRule, waiting, yes } from './rung.ts';
import { endedStates } from './targets.ts';

const clauses = {
  gateway: '「ホームゲートウェイ（…）」のご利用が必要',
  delivery: 'ソフトウェアの配信（NTT東日本→お客さま） サービスの利用が可能となります。',
  ended: 'これらの契約を解約した場合には、本サービスを提供できなくなるため、自動的に廃止となります。',
} as const;

export const deliveryRungs: readonly RungRule[] = [
  {
    id: 'gateway',
    question: { ja: 'ホームゲートウェイは登録されているか', en: 'Is the gateway registered and enrolled?' },
    clause: clauses.gateway,
    judge: ({ gateway }) => {
      if (gateway === undefined) return no(['DEVICE_NOT_BOUND', { kind: 'none' }], {});
      const { gateway: id, model, isEnrolled, isBlocked } = gateway;
      const inputs = { gateway: id, model, isEnrolled, isBlocked };
      if (isBlocked) return no(['GATEWAY_BLOCKED', { gateway: id }], inputs);
      return isEnrolled ? yes(inputs) : no(['NOT_ENROLLED', {}], inputs);
    },
  },
  {
    id: 'contact',
    question: { ja: 'ホームゲートウェイと連絡が取れているか', en: 'Is the gateway in contact?' },
    judge: (it) => {
      const { gateway, target, nowMs } = it;
      if (gateway === undefined) return waiting();
      const { online, lastSeenAt, agent } = gateway;
      const inputs = { online, lastSeenAt, agent, silentSince: target?.silentSince ?? null };
      if (lastSeenAt === null) return no(['GATEWAY_SILENT', { kind: 'never-seen' }], inputs);
      if (online) return yes(inputs, lastSeenAt);
      const leaseEnd = new Date(entitledUntilMs(lastSeenAt.getTime()));
      if (nowMs >= leaseEnd.getTime())
        return no(
          ['GATEWAY_SILENT', { kind: 'lease-ended', entitledUntil: iso(leaseEnd), lastSeenAt: iso(lastSeenAt) }],
          inputs,
          lastSeenAt,
        );
      if (isDelivered(it)) return yes(inputs, lastSeenAt);
      const isOver = target?.deadline != null && target.deadline.getTime() <= nowMs;
      return isOver
        ? no(['GATEWAY_SILENT', { deadline: iso(target.deadline), lastSeenAt: iso(lastSeenAt) }], inputs, lastSeenAt)
        : waiting(inputs, lastSeenAt);
    },
  },
  {
    id: 'listed',
    question: { ja: '配信通知に載っているか', en: 'Does the notice list it?' },
    judge: (it) => {
      const { notice, target, isHeld } = it;
      const listed = notice?.listed;
      const inputs = {
        noticeVersion: notice?.version ?? null,
        issuedAt: notice?.issuedAt ?? null,
        expiresAt: notice?.expiresAt ?? null,
        enteredNoticeAt: target?.enteredNoticeAt ?? null,
        version: listed?.version ?? null,
        plan: listed?.plan ?? null,
        limits: listed?.limits ?? null,
        deadline: listed?.deadline ?? null,
      };
      if (isHeld && listed === undefined) return no(['PUBLICATION_HELD', {}], inputs);
      return { status: listed === undefined ? 'waiting' : 'yes', inputs, since: notice?.issuedAt ?? null };
    },
  },
  {
    id: 'notice',
    question: { ja: '配信通知は届いているか', en: 'Has the gateway applied its notice?' },
    judge: (it) => {
      const { notice, gateway, report } = it;
      const noticed = notice?.noticedVersion ?? null;
      const applied = gateway?.appliedVersion ?? null;
      const inputs = { noticedVersion: noticed, appliedVersion: applied, noticeVersion: notice?.version ?? null };
      // A gateway tells at its birth what it has applied; a word about the target itself says it too.
      const isApplied = noticed !== null && ((applied ?? 0) >= noticed || report !== undefined);
      return { status: isApplied || it.target?.committedVersion != null ? 'yes' : 'waiting', inputs };
    },
  },
  {
    id: 'reported',
    question: { ja: 'インストールの報告はどうか', en: 'What did the gateway report?' },
    judge: ({ report, target, gateway, nowMs }) => {
      const inputs = {
        kind: report?.kind ?? null,
        state: report?.state ?? null,
        version: report?.version ?? null,
        code: report?.code ?? null,
        saidAt: report?.saidAt ?? null,
        receivedAt: report?.receivedAt ?? null,
        deadline: target?.deadline ?? null,
      };
      const since = report?.receivedAt ?? null;
      if (target?.state === 'FAILED' || target?.state === 'ROLLED_BACK')
        return { status: 'no', faults: reportFaults(report), inputs, since };
      if (target?.committedVersion != null && target.state !== 'UPDATING') return yes(inputs, since);
      const isOver = target?.deadline != null && target.deadline.getTime() <= nowMs;
      if (isOver)
        return no(['GATEWAY_SILENT', { deadline: iso(target.deadline), lastSeenAt: iso(gateway?.lastSeenAt ?? null) }], inputs, since);
      return waiting(inputs, since);
    },
  },
  {
    id: 'running',
    question: { ja: '動作しているか', en: 'Is it installed and running?' },
    clause: clauses.delivery,
    judge: (it) => {
      const { target, release } = it;
      const inputs = { wanted: release?.version ?? null, running: target?.committedVersion ?? null, state: target?.state ?? null };
      return { status: isDelivered(it) ? 'yes' : 'waiting', inputs, since: target?.since ?? null };
    },
  },
  {
    id: 'entitled',
    question: { ja: '動作できる期間内か', en: 'May it go on running?' },
    judge: ({ target, notice, nowMs }) => {
      if (target === undefined) return waiting();
      const { entitledUntil, graceUntil, runningBytes } = target;
      const limit = notice?.listed?.limits.installedBytes ?? null;
      const inputs = { entitledUntil, graceUntil, runningBytes, limit };
      const isGraceOver = graceUntil !== null && graceUntil.getTime() <= nowMs;
      if (isGraceOver) return no(['SIZE_OVER_LIMIT', { kind: 'plan', limit, actual: runningBytes }], inputs, graceUntil);
      return { status: entitledUntil === null ? 'waiting' : 'yes', inputs };
    },
  },
  {
    id: 'removed',
    question: { ja: 'ホームゲートウェイから削除されたか', en: 'Has the gateway removed it?' },
    clause: clauses.ended,
    judge: ({ target, notice }) => {
      if (target === undefined || target.endedAt === null || target.entitledUntil === null) return undefined;
      const { endedAt, removedReason, purgedAt, entitledUntil } = target;
      const inputs = { endedAt, removedReason, purgedAt, entitledUntil, isListed: notice?.removed !== undefined };
      return { status: purgedAt === null ? 'waiting' : 'yes', inputs, since: purgedAt };
    },
  },
];

/** The version that is wanted runs, or what runs is suspended by a contract that says so itself. */
function isDelivered({ target, release }: Snapshot): boolean {
  if (target === undefined || endedStates.includes(target.state) || target.committedVersion === null) return false;
  return target.committedVersion === release?.version;
}

function reportFaults(report: Snapshot['report']): Fault[] {
  return report?.code != null && isErrorCode(report.code) ? [[report.code, report.detail]] : [];
}

function iso(at: Date | null): string | null {
  return at === null ? null : at.toISOString();
}
