import { TsugiteError } from '../../protocol/errors.ts';
import type { GatewayId } from '../../protocol/fields.ts';
import { limits } from '../../protocol/limits.ts';
import type { TelemetryOutside } from '../ports/telemetry.ts';
import type { Cancel, Clock, ControlLink, EventLog, Random } from '../ports.ts';
import { monthOf, type TelemetryHold } from '../rules/ledger.ts';
import { dayOf, endOfMs, type TelemetryDay } from '../rules/telemetry/day.ts';
import { sendAtMs } from '../rules/telemetry/hours.ts';
import type { TelemetryKeeper } from './keep-telemetry.ts';
import { faultOf } from './supervise.ts';

export type SendTelemetry = {
  start(): void;
  onOnline(): void;
  /** While the software still runs: its last hour is measured too. */
  stop(): void;
};

type Needs = Pick<TelemetryOutside, 'findHold' | 'loadMessage'> & {
  gateway: GatewayId;
  epoch: string;
  keeper: TelemetryKeeper;
  nowMs: () => number;
  link: ControlLink;
  clock: Clock;
  random: Random;
  log: EventLog;
};

/** Sends each day once it is over, at this gateway's own moment: one message, if there is a line and the budget has room for it. */
export function makeSendTelemetry({
  findHold,
  loadMessage,
  gateway,
  epoch,
  keeper,
  nowMs,
  link,
  clock,
  random,
  log,
}: Needs): SendTelemetry {
  let jitter = random.fraction();
  let toldHold: string | undefined;
  let isSending = false;
  let isStopped = false;
  let cancelWait: Cancel = () => {};

  const dueAtMs = (day: TelemetryDay) => sendAtMs(endOfMs(day), gateway, jitter);

  /** Nothing waits for the line to come back: that calls by itself. */
  async function sendDue(): Promise<void> {
    if (isSending || isStopped || !link.isOnline()) return;
    isSending = true;
    try {
      for (let day = nextDue(); day !== undefined && (await send(day)); ) day = nextDue();
    } catch (error) {
      logFault(error);
    }
    isSending = false;
    waitForNext();
  }

  function nextDue(): TelemetryDay | undefined {
    return isStopped ? undefined : keeper.days().find((day) => dueAtMs(day) <= nowMs());
  }

  function waitForNext(): void {
    cancelWait();
    const waits = keeper
      .days()
      .map((day) => dueAtMs(day) - nowMs())
      .filter((ms) => ms > 0);
    if (waits.length > 0 && !isStopped) cancelWait = clock.after(Math.min(...waits), () => void sendDue());
  }

  /** @returns false when this day, and so every later one, has to wait */
  async function send(day: TelemetryDay): Promise<boolean> {
    const { encodeDay, costOfMessage } = await loadMessage();
    const told = new Set(keeper.told().map(({ target }) => target));
    const message = encodeDay(day, { epoch, mayTell: (target) => told.has(target) });
    const detail = { day: dayOf(day), hours: day.agent.rssKiB.length, bytes: message.length };
    if (message.length > limits.telemetryBytes) {
      log.write({ event: 'telemetry.dropped', detail: { ...detail, why: 'too-large' } });
    } else {
      const hold = findHold(costOfMessage(message.length), keeper.bytesPerMonth());
      if (hold !== undefined) return tellHold(hold, detail);
      await link.publishTelemetry(message);
      log.write({ event: 'telemetry.sent', detail });
    }
    keeper.forgetDay(day);
    jitter = random.fraction();
    return true;
  }

  /** Once a month, not once an hour. */
  function tellHold(why: TelemetryHold, detail: Readonly<Record<string, unknown>>): false {
    const key = `${monthOf(nowMs())} ${why}`;
    if (key !== toldHold)
      log.write({ event: 'telemetry.held', ...(why === 'near-ceiling' && { code: 'TRAFFIC_CEILING' }), detail: { ...detail, why } });
    toldHold = key;
    return false;
  }

  function logFault(error: unknown): void {
    // The line went down in the middle: the next connect sends it again, and the server counts it once.
    if (error instanceof TsugiteError && error.code === 'SERVER_UNREACHABLE') return;
    const { code, detail } = faultOf(error);
    log.write({ event: 'agent.fault', code, detail: { ...detail, duty: 'telemetry' } });
  }

  return {
    start: () =>
      keeper.start(() => {
        void sendDue();
        waitForNext();
      }),
    onOnline: () => void sendDue(),
    stop() {
      isStopped = true;
      cancelWait();
      keeper.stop();
    },
  };
}
