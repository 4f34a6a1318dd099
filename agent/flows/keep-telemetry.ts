import { TsugiteError } from '../../protocol/errors.ts';
import type { GatewayId, RandomId } from '../../protocol/fields.ts';
import type { OwnNumbers } from '../../protocol/messages/own-numbers.ts';
import type { TelemetryStore } from '../ports/telemetry.ts';
import type { Cancel, Clock, EventLog } from '../ports.ts';
import type { SoftwareRecord } from '../rules/agent-state.ts';
import { permissionsInForce } from '../rules/run-terms.ts';
import {
  addSample,
  dayOf,
  emptyJournal,
  type Journal,
  keepNewest,
  type TelemetryDay,
  withoutDay,
  withoutFuture,
} from '../rules/telemetry/day.ts';
import { sampledAtMs, untilNextSampleMs } from '../rules/telemetry/hours.ts';
import type { StateKeeper } from './keep-state.ts';
import type { Trust } from './keep-trust.ts';
import type { Measure } from './measure.ts';
import { faultOf } from './supervise.ts';

export type TelemetryKeeper = {
  /** @param onHour  a sample was added, and a day may be over */
  start(onHour: () => void): void;
  /** Oldest first; the last one may still be going on. */
  days(): readonly TelemetryDay[];
  forgetDay(day: TelemetryDay): void;
  /** 0: the operator wants no telemetry. Before the first notice nobody has agreed to any. */
  bytesPerMonth(): number;
  /** Software whose measurements may leave the home: its manifest asks for it and the server grants it. */
  told(): readonly SoftwareRecord[];
  /** What software says of itself. @throws TsugiteError APP_PERMISSION_DENIED · APP_LIMIT_REACHED */
  hear(target: RandomId, numbers: OwnNumbers): void;
  /** To be called while the software still runs: the hour so far is measured and kept. */
  stop(): void;
};

type Needs = {
  gateway: GatewayId;
  store: TelemetryStore;
  measure: Measure;
  trust: Trust;
  state: StateKeeper;
  clock: Clock;
  log: EventLog;
};

/** Measures every hour and keeps what was measured until it is sent, across restarts and power cuts. */
export function makeKeepTelemetry({ gateway, store, measure, trust, state, clock, log }: Needs): TelemetryKeeper {
  let journal: Journal = emptyJournal(gateway);
  let cancelHour: Cancel = () => {};

  const bytesPerMonth = () => trust.notice()?.policy.telemetryBytesPerMonth ?? 0;
  const told = () =>
    state
      .now()
      .records.filter(({ committed, terms }) => committed !== null && permissionsInForce(terms.grants, committed.manifest).telemetry);

  function takeSample(atMs: number): void {
    const nowMs = trust.nowMs();
    const sample = measure.take(told());
    if (bytesPerMonth() === 0) {
      if (journal.days.length > 0) save(emptyJournal(gateway));
      return;
    }
    const { journal: kept, dropped } = keepNewest(addSample(withoutFuture(journal, nowMs), atMs, sample), nowMs);
    save(kept);
    for (const day of dropped) log.write({ event: 'telemetry.dropped', detail: { day: dayOf(day), why: 'too-old' } });
  }

  /** On a full disk the days stay in memory, and the next hour takes them along. */
  function save(next: Journal): void {
    journal = next;
    try {
      store.save(next);
    } catch (error) {
      if (!(error instanceof TsugiteError)) throw error;
      log.write({ event: 'disk.full', code: error.code, detail: error.detail });
    }
  }

  function guarded(duty: () => void): void {
    try {
      duty();
    } catch (error) {
      const { code, detail } = faultOf(error);
      log.write({ event: 'agent.fault', code, detail: { ...detail, duty: 'telemetry' } });
    }
  }

  function everyHour(onHour: () => void): void {
    cancelHour = clock.after(untilNextSampleMs(trust.nowMs()), () => {
      guarded(() => takeSample(sampledAtMs(trust.nowMs())));
      everyHour(onHour);
      onHour();
    });
  }

  return {
    start(onHour) {
      const kept = store.load();
      if (kept?.gateway === gateway) journal = kept;
      everyHour(onHour);
    },
    days: () => journal.days,
    forgetDay: (day) => save(withoutDay(journal, day)),
    bytesPerMonth,
    told,
    hear(target, numbers) {
      if (bytesPerMonth() === 0) throw new TsugiteError('APP_PERMISSION_DENIED', { kind: 'telemetry-off' });
      measure.said(target, numbers);
    },
    stop() {
      cancelHour();
      guarded(() => takeSample(trust.nowMs()));
    },
  };
}
