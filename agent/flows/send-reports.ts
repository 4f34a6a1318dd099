import { toCompactJson } from '../../protocol/json.ts';
import { parseAck } from '../../protocol/messages/ack.ts';
import type { Report } from '../../protocol/messages/report.ts';
import type { Outbox, ReportBody } from '../ports/disk.ts';
import type { Cancel, Clock, ControlLink, EventLog } from '../ports.ts';
import { resendAfterMs } from '../rules/resend.ts';

export type SendReports = {
  /** Durable when it returns; sent when there is a connection. */
  report(body: ReportBody): void;
  onOnline(): void;
  onAck(message: Buffer): void;
  stop(): void;
};

/** Brings every report to the server's database: again after each connect, and at growing distances while the acknowledgement is missing. */
export function makeSendReports({
  outbox,
  link,
  clock,
  log,
}: {
  outbox: Outbox;
  link: ControlLink;
  clock: Clock;
  log: EventLog;
}): SendReports {
  const timers = new Map<number, Cancel>();

  function send(report: Report, sends: number): void {
    if (!link.isOnline()) return;
    // Lost with the connection: the next connect sends it again.
    link.publishReport(toCompactJson(report)).catch(() => {});
    timers.get(report.seq)?.();
    timers.set(
      report.seq,
      clock.after(resendAfterMs(sends), () => send(report, sends + 1)),
    );
  }

  function forgetTimers(isGone: (seq: number) => boolean): void {
    for (const [seq, cancel] of timers) {
      if (!isGone(seq)) continue;
      cancel();
      timers.delete(seq);
    }
  }

  return {
    report: (body) => send(outbox.add(body), 1),
    onOnline() {
      for (const report of outbox.unacknowledged()) send(report, 1);
    },
    onAck(message) {
      try {
        const { epoch, upTo } = parseAck(message);
        outbox.acknowledge(epoch, upTo);
      } catch (error) {
        // Whatever came there is not an acknowledgement: nothing is forgotten for it.
        log.write({ event: 'agent.fault', detail: { what: 'ack', at: String(error) } });
      }
      const waiting = new Set(outbox.unacknowledged().map((report) => report.seq));
      forgetTimers((seq) => !waiting.has(seq));
    },
    stop: () => forgetTimers(() => true),
  };
}
