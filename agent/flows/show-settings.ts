import { postpone } from '../rules/choices.ts';
import { findPending } from '../rules/pending.ts';
import type { Situation } from '../rules/reconcile.ts';
import type { OpenRequest, PendingUpdate, SettingsView } from '../rules/settings/view.ts';
import type { ChoicesKeeper } from './keep-choices.ts';

/** What the settings page is drawn from. */
export function makeShowSettings({
  observe,
  about,
  choices,
}: {
  observe: () => Situation;
  about: { gateway: string; model: string };
  choices: Pick<ChoicesKeeper, 'now'>;
}): () => SettingsView {
  return () => {
    const situation = observe();
    const { notice, nowMs } = situation;
    const pending = findPending(situation).map(({ wish, record, hold, mayPostpone }): PendingUpdate => {
      const next = mayPostpone ? postpone(choices.now(), wish, nowMs) : undefined;
      return {
        target: wish.target,
        software: wish.software,
        title: record?.committed?.manifest.title ?? { ja: wish.software, en: wish.software },
        from: record?.committed?.version ?? null,
        to: wish.version,
        reason: hold,
        mayPostponeUntilMs: next?.kind === 'postponed' ? next.untilMs : null,
      };
    });
    const requests = (notice?.requests ?? [])
      .filter(({ kind, expires }) => kind === 'bundle' && nowMs < Date.parse(expires))
      .map(({ id, expires, maxBytes }): OpenRequest => {
        const consent = choices.now().consents.find((entry) => entry.request === id && nowMs < Date.parse(entry.until)) ?? null;
        return { id, expiresMs: Date.parse(expires), maxBytes, consent };
      });
    return { ...about, pending, requests, confirmations: choices.now().confirmations };
  };
}
