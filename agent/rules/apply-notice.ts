import type { Notice, Target } from '../../protocol/statements/notice.ts';
import type { AgentState, SoftwareRecord, Terms } from './agent-state.ts';

/** What a newly applied notice changes in memory at once: the terms of what is here, and what may be forgotten because it lists it no more. */
export function applyNotice(state: AgentState, notice: Notice): AgentState {
  const removed = new Set(notice.removed.map((removal) => removal.target));
  const requests = new Set(notice.requests.map((request) => request.id));
  return {
    ...state,
    records: state.records.map((record) => withTerms(record, notice)),
    closedRemovals: state.closedRemovals.filter((target) => removed.has(target)),
    answeredRequests: state.answeredRequests.filter((id) => requests.has(id)),
  };
}

function withTerms(record: SoftwareRecord, notice: Notice): SoftwareRecord {
  const target = notice.targets.find((entry) => entry.target === record.target);
  return target === undefined ? record : { ...record, terms: termsOf(target), orphanReported: false };
}

export function termsOf({ entitledUntil, limits, grants, graceUntil }: Target): Terms {
  return { entitledUntil, limits, grants, graceUntil: graceUntil ?? null };
}
