import { TsugiteError } from '../../protocol/errors.ts';
import type { ConnectionEnd, ControlConnection, OpenControlConnection } from '../ports/network.ts';
import type { Cancel, Clock, ControlLink, Identity, LinkHandlers, Random } from '../ports.ts';
import { type ReconnectSpending, reconnectDelayMs } from '../rules/back-off.ts';
import {
  afterConnected,
  afterPingAnswered,
  afterPingUnanswered,
  creepBack,
  initialKeepalive,
  keepaliveBounds,
  withPolicy,
} from '../rules/keepalive.ts';

type Needs = {
  open: OpenControlConnection;
  clock: Clock;
  random: Random;
  /** Read anew for every connection: the certificate may have been renewed. */
  identity: () => Identity;
  spending: () => ReconnectSpending;
};

/** A connection that held this long ends a row of failures; one that drops at once does not, however often it comes up. */
const steadyAfterMs = 60_000;
/** Leaves time to acknowledge the notice that brought the new interval. */
const applyIntervalAfterMs = 5_000;

/** Keeps one connection to the broker, for years: opens, waits, opens again; finds the keep-alive interval that the line bears. */
export function makeStayConnected({ open, clock, random, identity, spending }: Needs): ControlLink {
  let handlers: LinkHandlers | undefined;
  let connection: ControlConnection | undefined;
  let connectionKeepaliveS = 0;
  let keepalive = initialKeepalive(keepaliveBounds.defaultS, clock.monotonicMs());
  let isOnline = false;
  let wasEverOnline = false;
  let failures = 0;
  let toldCode: string | undefined;
  let forgetSession = false;
  let cancelRetry: Cancel = () => {};
  let cancelSteady: Cancel = () => {};
  let cancelInterval: Cancel = () => {};

  function connect(told: LinkHandlers): void {
    connectionKeepaliveS = keepalive.currentS;
    connection = open(
      { identity: identity(), keepaliveS: connectionKeepaliveS, birth: told.birth(), mustSubscribe: !wasEverOnline, forgetSession },
      {
        onOnline: () => cameOnline(told),
        onAnswered: () => {
          keepalive = creepBack(afterPingAnswered(keepalive), clock.monotonicMs());
          applyInterval();
        },
        onNotice: (envelope) => told.onNotice(envelope),
        onAck: (message) => told.onAck(message),
        onEnd: (end) => ended(told, end),
      },
    );
  }

  function cameOnline(told: LinkHandlers): void {
    isOnline = true;
    wasEverOnline = true;
    toldCode = undefined;
    keepalive = afterConnected(keepalive, clock.monotonicMs());
    cancelSteady = clock.after(steadyAfterMs, () => {
      failures = 0;
    });
    told.onOnline();
    applyInterval();
  }

  function ended(told: LinkHandlers, { kind, code, detail }: ConnectionEnd): void {
    const wasOnline = isOnline;
    isOnline = false;
    connection = undefined;
    cancelSteady();
    if (handlers === undefined) return;
    if (kind === 'unanswered') keepalive = afterPingUnanswered(keepalive, clock.monotonicMs());
    if (kind === 'closed-by-us') {
      connect(told);
      return;
    }
    failures += 1;
    forgetSession = code === 'MESSAGE_TOO_LARGE';
    // The same failure is told once, not at every attempt of a night.
    if (wasOnline || code !== toldCode) told.onOffline(code, detail);
    toldCode = code;
    cancelRetry = clock.after(reconnectDelayMs(failures, random.fraction(), spending()), () => connect(told));
  }

  /** MQTT 3.1.1 fixes the interval in CONNECT, so another one costs a new connection. */
  function applyInterval(): void {
    cancelInterval();
    if (!isOnline || keepalive.currentS === connectionKeepaliveS) return;
    cancelInterval = clock.after(applyIntervalAfterMs, () => void connection?.close());
  }

  function publish(kind: 'report' | 'telemetry', message: Buffer): Promise<void> {
    if (!isOnline || connection === undefined) return Promise.reject(new TsugiteError('SERVER_UNREACHABLE', { kind: 'offline' }));
    return connection.publish(kind, message);
  }

  return {
    start(told) {
      handlers = told;
      connect(told);
    },
    isOnline: () => isOnline,
    publishReport: (message) => publish('report', message),
    publishTelemetry: (message) => publish('telemetry', message),
    setKeepaliveS(keepaliveS) {
      keepalive = withPolicy(keepalive, keepaliveS, clock.monotonicMs());
      applyInterval();
    },
    async stop() {
      handlers = undefined;
      cancelRetry();
      cancelSteady();
      cancelInterval();
      await connection?.close();
      isOnline = false;
    },
  };
}
