import { TsugiteError } from '../../protocol/errors.ts';
import { toUtcTime } from '../../protocol/fields.ts';
import { limits } from '../../protocol/limits.ts';
import type { ReportBody } from '../ports/disk.ts';
import type { Clock, EventLog, RootSource } from '../ports.ts';
import type { Fault } from '../rules/agent-state.ts';
import { reasonOf } from '../rules/report-body.ts';
import type { Trust } from './keep-trust.ts';
import { faultOf } from './supervise.ts';

const hourMs = 3_600_000;

/** `caught-up`: the server has no newer one. `skipped`: urged less than an hour ago. `failed`: could not ask, or was given one that does not follow. */
export type Walk = { kind: 'caught-up' | 'skipped' | 'failed'; steps: number };

type Needs = { trust: Trust; source: RootSource; clock: Clock; log: EventLog; report: (body: ReportBody) => void };

/**
 * Follows the chain of roots to its newest (TUF 1.0.33 §5.3): each is saved before the next is asked for, so a walk that breaks off goes on
 * from there.
 */
export function makeWalkRoot({ trust, source, clock, log, report }: Needs) {
  let walking: Promise<Walk> | undefined;
  let urgedAtMs = Number.NEGATIVE_INFINITY;
  /** The server may offer the same bad root at every walk: it is told once. */
  let toldOf: string | undefined;

  async function walk(): Promise<Walk> {
    let steps = 0;
    try {
      for (; steps < limits.rootRotationsPerWalk; steps++) {
        const envelope = await source.fetchRoot(trust.root().version + 1);
        if (envelope === undefined) return { kind: 'caught-up', steps };
        const root = trust.acceptRoot(envelope);
        log.write({ event: 'root.accepted', detail: { version: root.version, expires: root.expires } });
      }
      return { kind: 'failed', steps };
    } catch (error) {
      if (!(error instanceof TsugiteError)) throw error;
      const isTemporary = error.number.startsWith('E4');
      const detail = { ...error.detail, version: trust.root().version + 1 };
      log.write({ event: isTemporary ? 'root.walk_failed' : 'root.refused', code: error.code, detail });
      if (!isTemporary) tell({ code: error.code, detail });
      return { kind: 'failed', steps };
    }
  }

  function tell(fault: Fault): void {
    const offered = `${fault.code} ${fault.detail.version}`;
    if (offered === toldOf) return;
    try {
      report({ at: toUtcTime(trust.nowMs()), kind: 'failure', ...reasonOf(fault) });
      toldOf = offered;
    } catch (error) {
      log.write({ event: 'agent.fault', ...faultOf(error) }); // a full disk took no report: the next walk makes up for it
    }
  }

  /** @param isUrged  a notice hints at a newer root: whoever can send notices must not make us ask more than once an hour */
  return ({ isUrged = false }: { isUrged?: boolean } = {}): Promise<Walk> => {
    if (walking !== undefined) return walking;
    if (isUrged && clock.monotonicMs() - urgedAtMs < hourMs) return Promise.resolve({ kind: 'skipped', steps: 0 });
    if (isUrged) urgedAtMs = clock.monotonicMs();
    walking = walk().finally(() => {
      walking = undefined;
    });
    return walking;
  };
}
