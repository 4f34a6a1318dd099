/** 「なぜこのPR-400に入っていないのか」: the whole ladder from the contract to the running software, and the first rung that is missing. */
import { describe, type ErrorCode } from '../../protocol/errors.ts';
import { contractRungs } from './contract-rungs.ts';
import { deliveryRungs } from './delivery-rungs.ts';
import type { Eligibility } from './eligibility.ts';
import type { Snapshot } from './explain-snapshot.ts';
import { orderRungs } from './order-rungs.ts';
import type { Fault, Question, RungRule, RungStatus } from './rung.ts';

export type Reason = {
  readonly number: string;
  readonly code: ErrorCode;
  readonly ja: string;
  readonly en: string;
  readonly remedy: { readonly ja: string; readonly en: string };
  readonly who: string;
};
export type Rung = {
  readonly id: string;
  readonly question: Question;
  readonly status: RungStatus;
  readonly reasons: readonly Reason[];
  readonly clause: string | null;
  readonly inputs: Readonly<Record<string, unknown>>;
  readonly since: Date | null;
};
export type Explanation = {
  readonly result: Eligibility['result'];
  readonly rungs: readonly Rung[];
  /** Id of the first rung that is not `yes`; null: delivered and running. */
  readonly firstMissing: string | null;
};

export function explainDelivery(it: Snapshot): Explanation {
  return concluded(it.contract.eligibility.result, climb([...contractRungs, ...orderRungs, ...deliveryRungs], it));
}

/** The answer for those who may not see the customer's contract (DOMAIN §12): one rung stands for all of it, and says no more than E100. */
export function hideContract(explanation: Explanation): Explanation {
  const isContract = ({ id }: Rung) => contractRungs.some((rung) => rung.id === id);
  const isMet = explanation.rungs.filter(isContract).every(({ status }) => status === 'yes');
  const conditions: Rung = {
    id: 'conditions',
    question: { ja: '提供条件を満たすか', en: 'Are the provision conditions met?' },
    status: isMet ? 'yes' : 'no',
    reasons: isMet ? [] : [toReason(['ELIG_NOT_MET', {}])],
    clause: null,
    inputs: {},
    since: null,
  };
  return concluded(isMet ? 'ELIGIBLE' : 'INELIGIBLE', [conditions, ...explanation.rungs.filter((rung) => !isContract(rung))]);
}

function climb(rules: readonly RungRule[], it: Snapshot): Rung[] {
  return rules.flatMap(({ id, question, clause = null, judge }) => {
    const judged = judge(it);
    if (judged === undefined) return [];
    const { status, faults = [], inputs, since = null } = judged;
    return [{ id, question, status, reasons: faults.map(toReason), clause, inputs, since }];
  });
}

function concluded(result: Eligibility['result'], rungs: readonly Rung[]): Explanation {
  return { result, rungs, firstMissing: rungs.find(({ status }) => status !== 'yes')?.id ?? null };
}

function toReason([code, detail]: Fault): Reason {
  const { number, ja, en, remedy, who } = describe(code, detail);
  return { number, code, ja, en, remedy, who };
}
