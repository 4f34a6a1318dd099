/** The middle rungs of `explain`: from the software to the order. */
import { profileOf } from '../../protocol/gateway-models.ts';
import { type ApplicationState, nextEvents, stepNames } from './application.ts';
import { no, type RungRule, waiting, yes } from './rung.ts';
import { softwareAllows } from './software-states.ts';
import { endedStates } from './targets.ts';

const clauses = {
  // Not its next sentence, about complaints and reviews: a technician reads this too.
  lawful: '本サービスを利用して公序良俗あるいは法令に反しているソフトウェアの配信はできません。',
  flow: 'お客さまがサービスを利用するまでの流れは以下のとおりです。',
  consent:
    '事業者は、お客さまに対しサービスを提供する場合、明確に内容や料金を提示し、必要に応じてお申し込み・ご契約などを実施していただきます。',
  deposit:
    'NTT東日本が設置するソフトウェア配信サーバーにお預かりしたサービス事業者独自のソフトウェアを、お客様のホームゲートウェイなどへ配信するサービスです。',
  size: 'ソフトウェアのサイズなどを測定し、それに応じて、…料金を適用させていただきます。…配信対象機種により、その他制限事項が生じる場合がございます。',
  order: 'ソフトウェアの配信申し込み（事業者→NTT東日本）',
} as const;

export const orderRungs: readonly RungRule[] = [
  {
    id: 'software',
    question: { ja: 'ソフトウェアは配信できる状態か', en: 'May the software be delivered?' },
    clause: clauses.lawful,
    judge: ({ software, target }) => {
      if (software === undefined) return no(['NOT_FOUND', { what: 'software' }], {});
      const { state, since, review, mayKnowReview } = software;
      const isRunning = target?.committedVersion != null;
      // A running copy shows no change during a review, and whoever may not know of it reads what the household reads.
      const told = mayKnowReview ? { state, ...review } : state === 'UNDER_REVIEW' ? {} : { state };
      if (softwareAllows[state].newInstalls || (state === 'UNDER_REVIEW' && isRunning)) return yes(told, since);
      if (state === 'PROHIBITED') return no(['SOFTWARE_PROHIBITED', {}], told, since);
      if (state === 'UNDER_REVIEW') return no(['ETHICS_REVIEW', mayKnowReview ? { kind: 'staff' } : {}], told, since);
      return no(['STATE_FORBIDS', { state, action: 'order' }], told, since);
    },
  },
  {
    id: 'application',
    question: { ja: '利用までの手順は進んでいるか', en: 'Have the steps before been taken?' },
    clause: clauses.flow,
    judge: ({ application }) => {
      if (application === undefined) return yes({ application: null });
      const { state, since } = application;
      const inputs = { ...application, next: nextEvents(state) };
      const missing = missingStep(state);
      if (missing === undefined) return yes(inputs, since);
      const kind = missing >= 4 ? { kind: 'provider' } : {};
      return no(['STEP_MISSING', { ...kind, step: stepNames[5], missing: stepNames[missing] }], inputs, since);
    },
  },
  {
    id: 'consent',
    question: { ja: '同意は登録されているか', en: 'Is the consent registered?' },
    clause: clauses.consent,
    judge: ({ consent }) => {
      const since = consent.withdrawnAt ?? consent.givenAt;
      return !consent.isRequired || consent.scopes.includes('delivery')
        ? yes({ ...consent }, consent.givenAt)
        : no(['CONSENT_MISSING', {}], { ...consent }, since);
    },
  },
  {
    id: 'release',
    question: { ja: '配信できるバージョンがあるか', en: 'Is there a version that may be installed?' },
    clause: clauses.deposit,
    judge: ({ release, misfit, target, software }) => {
      if (software === undefined) return waiting();
      const inputs = release === undefined ? {} : { version: release.version, state: release.state, haltReason: release.haltReason };
      const since = release?.haltedAt ?? release?.admittedAt ?? null;
      const isRunning = release !== undefined && target?.committedVersion === release.version;
      if (isRunning || release?.state === 'ADMITTED') return yes(inputs, since);
      if (release !== undefined) return no(['DELIVERY_HALTED', { version: release.version }], inputs, since);
      return misfit?.code === 'STATE_FORBIDS' || misfit?.code === 'DELIVERY_HALTED'
        ? no([misfit.code, misfit.detail], inputs)
        : yes(inputs);
    },
  },
  {
    id: 'fits',
    question: { ja: 'この機種に入る大きさか', en: 'Does it go onto this model?' },
    clause: clauses.size,
    judge: ({ release, misfit, model, software }) => {
      if (software === undefined) return waiting();
      const inputs = {
        model: model.model,
        modelLimit: model.limit,
        installedBytes: release?.installedBytes ?? null,
        plan: release?.plan ?? null,
        planLimit: release?.planLimit ?? null,
        isInvented: model.model !== null && profileOf(model.model)?.isInvented === true,
      };
      const isOfRelease = misfit === undefined || misfit.code === 'STATE_FORBIDS' || misfit.code === 'DELIVERY_HALTED';
      return isOfRelease ? yes(inputs) : no([misfit.code, misfit.detail], inputs);
    },
  },
  {
    id: 'ordered',
    question: { ja: '配信は申し込まれているか', en: 'Has delivery been ordered?' },
    clause: clauses.order,
    judge: ({ target }) => {
      if (target === undefined) return no(['NOT_ORDERED', {}], {});
      const { state, requestedAt, readyAt, endedAt, removedReason, since, plan, attempt } = target;
      const inputs = { target: target.target, state, requestedAt, readyAt, endedAt, removedReason, plan, attempt };
      return endedStates.includes(state) ? no(['NOT_ORDERED', {}], inputs, endedAt) : yes(inputs, since);
    },
  },
];

/** The step that the order waits for; undefined: it may come, or has come. */
function missingStep(state: ApplicationState): 3 | 4 | undefined {
  if (state === 'LINE_ORDERED') return 3;
  return state === 'LINE_READY' ? 4 : undefined;
}
