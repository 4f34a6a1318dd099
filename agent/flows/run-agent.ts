import type { Cancel, Clock, ControlLink, EventLog, GatewaySnapshot, LocalPage, Sandbox } from '../ports.ts';
import type { Deploy } from './deploy.ts';
import type { HearServer } from './hear-server.ts';
import type { Trust } from './keep-trust.ts';
import type { Reconcile } from './reconcile.ts';
import type { SendReports } from './send-reports.ts';
import type { SendTelemetry } from './send-telemetry.ts';
import { faultOf, type Supervisor } from './supervise.ts';
import type { Walk } from './walk-root.ts';

const hourMs = 3_600_000;
const rootWalkMs = 30 * 24 * hourMs;

type Needs = {
  agentVersion: string;
  startClean: () => Promise<void>;
  deploy: Deploy;
  reconcile: Reconcile;
  supervisor: Supervisor;
  sandbox: Sandbox;
  trust: Trust;
  link: ControlLink;
  handlers: HearServer;
  reports: SendReports;
  telemetry: SendTelemetry;
  page: LocalPage;
  snapshot: () => GatewaySnapshot;
  walkRoot: () => Promise<Walk>;
  /** At the start and every hour; true when the next connection should use a new certificate. */
  renewCertificate: (nowMs: number) => Promise<boolean>;
  saveLedger: () => void;
  clock: Clock;
  log: EventLog;
};

export type RunningAgent = { stop(): Promise<void> };

/** Brings everything up in the one right order, keeps the slow duties of years, and takes everything down again. */
export function makeRunAgent(needs: Needs) {
  const { startClean, deploy, reconcile, supervisor, sandbox, trust, link, handlers, reports, telemetry, page, clock, log } = needs;
  let cancelHour: Cancel = () => {};
  let cancelWalk: Cancel = () => {};
  let wall: ReturnType<Trust['wall']> = 'right';

  function everyHour(): void {
    cancelHour = clock.after(hourMs, everyHour);
    guarded('clock', () => trust.saveClock());
    guarded('ledger', needs.saveLedger);
    noteClock();
    needs.renewCertificate(trust.nowMs()).catch(logFault('certificate'));
    reconcile.trigger();
  }

  function everyMonth(): void {
    cancelWalk = clock.after(rootWalkMs, everyMonth);
    needs.walkRoot().then(() => reconcile.trigger(), logFault('root'));
  }

  function noteClock(): void {
    const now = trust.wall();
    if (now === wall) return;
    wall = now;
    const events = { behind: 'clock.behind', 'far-ahead': 'clock.far_ahead', right: 'clock.right' } as const;
    log.write({
      event: events[now],
      ...(now === 'far-ahead' && { code: 'CLOCK_NOT_SET' }),
      detail: { trusted: new Date(trust.nowMs()).toISOString() },
    });
  }

  /** A full disk must not stop the duties that come after this one. */
  function guarded(what: string, duty: () => void): void {
    try {
      duty();
    } catch (error) {
      logFault(what)(error);
    }
  }

  function logFault(what: string) {
    return (error: unknown) => {
      const { code, detail } = faultOf(error);
      log.write({ event: 'agent.fault', code, detail: { ...detail, duty: what } });
    };
  }

  async function probe(): Promise<void> {
    try {
      log.write({ event: 'sandbox.ready', detail: await sandbox.probe() });
    } catch (error) {
      log.write({ event: 'sandbox.unavailable', ...faultOf(error) });
    }
  }

  return async (): Promise<RunningAgent> => {
    log.write({ event: 'agent.started', detail: { agent: needs.agentVersion } });
    noteClock();
    await startClean();
    await page.start(needs.snapshot);
    deploy.resumeAll();
    reconcile.trigger();
    telemetry.start();
    link.start(handlers);
    cancelHour = clock.after(hourMs, everyHour);
    cancelWalk = clock.after(rootWalkMs, everyMonth);
    needs.renewCertificate(trust.nowMs()).catch(logFault('certificate'));
    void probe();

    return {
      async stop() {
        cancelHour();
        cancelWalk();
        deploy.stop();
        reconcile.stop();
        reports.stop();
        telemetry.stop();
        await reconcile.settled();
        await Promise.all([link.stop(), page.stop(), supervisor.haltAll()]);
        handlers.stop();
        guarded('clock', () => trust.saveClock());
        guarded('ledger', needs.saveLedger);
        log.write({ event: 'agent.stopped', detail: {} });
      },
    };
  };
}
