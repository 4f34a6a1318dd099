import { TsugiteError } from '../../protocol/errors.ts';
import type { RandomId } from '../../protocol/fields.ts';
import { type OwnNumbers, ownNumbersKept } from '../../protocol/messages/own-numbers.ts';
import type { AppProcess } from '../ports.ts';
import type { SoftwareRecord } from '../rules/agent-state.ts';
import type { Sample, TargetSample } from '../rules/telemetry/day.ts';

export type Measure = {
  started(target: RandomId, process: AppProcess): void;
  /** Ended by itself, and is started again. */
  crashed(target: RandomId): void;
  denied(target: RandomId, connections: number): void;
  /** @throws TsugiteError APP_LIMIT_REACHED when it has used up its names (nothing of this is kept) */
  said(target: RandomId, numbers: OwnNumbers): void;
  connected(): void;
  /** Everything since the last call; counting begins anew. */
  take(records: readonly SoftwareRecord[]): Sample;
};

type Needs = {
  ownRssBytes: () => number;
  chargedSinceStart: () => number;
  processOf: (target: RandomId) => AppProcess | undefined;
  dataBytes: (record: SoftwareRecord) => number;
};

type Counts = { peakBytes: number; restarts: number; deniedConnections: number; own: OwnNumbers | undefined };

/** Gathers what an hour is like, from those who see it happen. */
export function makeMeasure({ ownRssBytes, chargedSinceStart, processOf, dataBytes }: Needs): Measure {
  const counts = new Map<RandomId, Counts>();
  const names = new Map<RandomId, Set<string>>();
  let connects = 0;
  let reconnects = 0;
  let chargedBefore = chargedSinceStart();

  function count(target: RandomId, change: (counts: Counts) => Partial<Counts>): void {
    const before = counts.get(target) ?? { peakBytes: 0, restarts: 0, deniedConnections: 0, own: undefined };
    counts.set(target, { ...before, ...change(before) });
  }

  function noteNames(target: RandomId, numbers: OwnNumbers): void {
    const known = new Set([...(names.get(target) ?? []), ...Object.keys(numbers)]);
    if (known.size > ownNumbersKept)
      throw new TsugiteError('APP_LIMIT_REACHED', {
        kind: 'telemetry-names',
        limitName: { ja: '動作状況の項目', en: 'telemetry names' },
        limit: ownNumbersKept,
        actual: known.size,
      });
    names.set(target, known);
  }

  function sampleOf(record: SoftwareRecord): TargetSample {
    const { target } = record;
    const { peakBytes, restarts, deniedConnections, own } = counts.get(target) ?? { peakBytes: 0, restarts: 0, deniedConnections: 0 };
    return {
      target,
      memoryPeakKiB: toKiB(Math.max(peakBytes, processOf(target)?.memoryPeakBytes() ?? 0)),
      restarts,
      dataKiB: toKiB(dataBytes(record)),
      deniedConnections,
      ...(own !== undefined && { own }),
    };
  }

  return {
    started(target, process) {
      const note = ({ memoryPeakBytes }: { memoryPeakBytes: number }) =>
        count(target, ({ peakBytes }) => ({ peakBytes: Math.max(peakBytes, memoryPeakBytes) }));
      process.exited.then(note, () => {}); // who supervises it tells what went wrong
    },
    crashed: (target) => count(target, ({ restarts }) => ({ restarts: restarts + 1 })),
    denied: (target, connections) => count(target, ({ deniedConnections }) => ({ deniedConnections: deniedConnections + connections })),
    said(target, numbers) {
      noteNames(target, numbers);
      count(target, ({ own }) => ({ own: { ...own, ...numbers } }));
    },
    connected() {
      if (connects > 0) reconnects += 1;
      connects += 1;
    },
    take(records) {
      const charged = chargedSinceStart();
      const sample: Sample = {
        agent: { rssKiB: toKiB(ownRssBytes()), controlBytes: charged - chargedBefore, reconnects },
        targets: records.map(sampleOf),
      };
      chargedBefore = charged;
      reconnects = 0;
      counts.clear();
      return sample;
    },
  };
}

function toKiB(bytes: number): number {
  return Math.ceil(bytes / 1024);
}
