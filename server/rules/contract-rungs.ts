/** The first rungs of `explain`: the customer's contract, a code and a clause of the sheet each (DOMAIN §4.2). */
import type { SiteFacts } from './contract-events.ts';
import { type EligibilityCode, eligibilityClauses } from './eligibility.ts';
import type { Snapshot } from './explain-snapshot.ts';
import type { Fault, Judged, Question, RungRule } from './rung.ts';

function contractRung(
  id: string,
  question: Question,
  codes: readonly EligibilityCode[],
  inputsOf: (facts: SiteFacts, contract: Snapshot['contract']) => Record<string, unknown>,
): RungRule {
  const clause = eligibilityClauses().find(({ code }) => codes.includes(code))?.clause;
  const judge = ({ contract }: Snapshot): Judged => {
    const { facts, eligibility, effectiveOn, recordedAt } = contract;
    const own = eligibility.fired.filter(({ code }) => codes.includes(code));
    return {
      status: own.length === 0 ? 'yes' : 'no',
      faults: own.map(({ code, detail }): Fault => [code, detail]),
      inputs: { day: eligibility.day, effectiveOn, ...inputsOf(facts, contract) },
      since: recordedAt,
    };
  };
  return { id, question, judge, ...(clause === undefined ? {} : { clause }) };
}

export const contractRungs: readonly RungRule[] = [
  contractRung(
    'contract',
    { ja: '契約は生きているか', en: 'Is the contract in force?' },
    ['ELIG_CONTRACT_ENDED'],
    ({ lineCancelled, hgwCancelled }) => ({ lineCancelled, hgwCancelled }),
  ),
  contractRung(
    'line',
    { ja: '回線は対象か', en: 'Is the line eligible?' },
    ['ELIG_LINE'],
    ({ line, access, collabCarrier }, { lines, profile }) => ({ line, access, collabCarrier, lines, profile }),
  ),
  contractRung(
    'home-gateway',
    { ja: 'ホームゲートウェイがあるか', en: 'Is there a home gateway?' },
    ['ELIG_NO_GATEWAY'],
    ({ hgwModel }) => ({ hgwModel }),
  ),
  contractRung('model', { ja: '機種は対象か', en: 'Is the model eligible?' }, ['ELIG_MODEL'], ({ hgwModel }, { series, profile }) => ({
    hgwModel,
    series,
    profile,
  })),
  contractRung(
    'phone-or-rental',
    { ja: '前提契約は足りるか', en: 'Is there a telephone or rental contract?' },
    ['ELIG_NO_PHONE_OR_RENTAL'],
    ({ line, denwa, rental }) => ({ line, denwa, rental }),
  ),
  contractRung(
    'office-equipment',
    { ja: '電話オフィスと機器の併用はないか', en: 'Is no office telephone equipment attached?' },
    ['ELIG_OFFICE_EQUIPMENT', 'ELIG_OFFICE_UNKNOWN'],
    ({ line, denwa, officeEq }) => ({ line, denwa, officeEq }),
  ),
  contractRung(
    'type-change',
    { ja: 'ひかり電話タイプ変更は済んでいるか', en: 'Is the type change completed?' },
    ['ELIG_TYPE_CHANGE'],
    ({ line, denwa, bflets, typeChanged }) => ({ line, denwa, bflets, typeChanged }),
  ),
];
