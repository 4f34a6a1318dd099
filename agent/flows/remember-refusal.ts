import { TsugiteError } from '../../protocol/errors.ts';
import { type Digest, toUtcTime } from '../../protocol/fields.ts';
import type { RefusalStore } from '../ports/disk.ts';
import type { EventLog } from '../ports.ts';
import type { Fault } from '../rules/agent-state.ts';
import { noteRefusal, type RefusedNotice } from '../rules/refused-notice.ts';
import { reasonOf } from '../rules/report-body.ts';
import type { SendReports } from './send-reports.ts';
import { faultOf } from './supervise.ts';

export type Refusals = {
  /** The last notice that was refused since the newest accepted one. */
  last(): RefusedNotice | null;
  /** Logs and reports what is news, and remembers it through restarts. Never throws: a connection must not end over what was refused anyway. */
  tell(refused: Fault & { sha256: Digest }): void;
  /** What the server publishes now is in force here. */
  forget(): void;
};

type Needs = { store: RefusalStore; reports: Pick<SendReports, 'report'>; log: EventLog; nowMs: () => number };

/** On a flapping line the same bad notice comes with every connect: how often is written down no more often than this. */
const saveAgainMs = 3_600_000;

export function makeRememberRefusal({ store, reports, log, nowMs }: Needs): Refusals {
  let last = load();
  let savedMs = Number.NEGATIVE_INFINITY;
  /** A full disk took no report: it is made up for when the notice comes again. */
  let isUntold = false;

  function load(): RefusedNotice | null {
    try {
      return store.load()?.refused ?? null;
    } catch (error) {
      if (!(error instanceof TsugiteError && error.code === 'STATE_DAMAGED')) throw error;
      log.write({ event: 'state.damaged', code: error.code, detail: error.detail });
      return null;
    }
  }

  function save(): void {
    store.save({ v: 1, refused: last });
    savedMs = nowMs();
  }

  /** @returns whether it was done */
  function attempt(duty: () => void): boolean {
    try {
      duty();
      return true;
    } catch (error) {
      const { code, detail } = faultOf(error);
      log.write({ event: 'agent.fault', code, detail: { ...detail, duty: 'refused notice' } });
      return false;
    }
  }

  return {
    last: () => last,
    tell(refused) {
      const told = reasonOf(refused);
      const at = toUtcTime(nowMs());
      const noted = noteRefusal(last, { code: refused.code, detail: told.detail ?? {}, sha256: refused.sha256 }, at);
      last = noted.refused;
      if (noted.isNews) log.write({ event: 'notice.refused', code: refused.code, detail: refused.detail });
      if (noted.isNews || isUntold) isUntold = !attempt(() => reports.report({ at, kind: 'failure', ...told }));
      if (noted.isNews || nowMs() - savedMs >= saveAgainMs) attempt(save);
    },
    forget() {
      if (last === null) return;
      last = null;
      attempt(save);
    },
  };
}
