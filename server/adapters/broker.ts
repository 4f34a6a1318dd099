/** The embedded broker as the main thread sees it: starts the worker, starts it again when it dies, and carries messages both ways. */
import { Worker, type WorkerOptions } from 'node:worker_threads';
import { assertNever } from '../../protocol/assert-never.ts';
import { catalogue, type ErrorCode } from '../../protocol/errors.ts';
import type { GatewayId } from '../../protocol/fields.ts';
import type { BrokerSettings, FromWorker, ToWorker } from '../broker/messages.ts';
import type { Broker, BrokerDuties, Verdict } from '../ports/gateways.ts';
import type { Clock, Log } from '../ports.ts';

const restartFirstMs = 200;
const restartMostMs = 30_000;
/** A worker that lived this long was healthy: the next restart is quick again. */
const healthyMs = 60_000;

type Refused = Extract<FromWorker, { kind: 'refused' }>;
const codeOf: Readonly<Record<Refused['why'], ErrorCode>> = {
  'not-its-topic': 'TOPIC_FORBIDDEN',
  'wrong-qos': 'TOPIC_FORBIDDEN',
  'wrong-retain': 'TOPIC_FORBIDDEN',
  'last-will': 'TOPIC_FORBIDDEN',
  'client-id': 'MQTT_REFUSED',
  'keep-alive': 'MQTT_REFUSED',
  protocol: 'MQTT_REFUSED',
  'packet-too-large': 'MESSAGE_TOO_LARGE',
  'no-certificate': 'CERTIFICATE_REFUSED',
  tls: 'TLS_FAILED',
  broken: 'MESSAGE_MALFORMED',
};
const named = (code: ErrorCode) => ({ number: catalogue[code].number, code });

export function makeBroker({
  settings,
  clock,
  log,
  workerFile,
  startWorker = (file, options) => new Worker(file, options),
}: {
  settings: BrokerSettings;
  clock: Clock;
  log: Log;
  workerFile: URL;
  startWorker?: (file: URL, options: WorkerOptions) => Worker;
}): Broker {
  let worker: Worker | undefined;
  let port = settings.listen.port;
  let isStopping = false;
  let restarts = 0;
  const send = (message: ToWorker) => worker?.postMessage(message);
  const publish = (gateway: GatewayId, what: 'notice' | 'ack', payload: Uint8Array) => send({ kind: 'publish', gateway, what, payload });

  function run(duties: BrokerDuties, listening: (port: number) => void, endedEarly: ((cause: unknown) => void) | undefined): void {
    // After a restart the port stays the one that gateways already know.
    const running = startWorker(workerFile, { workerData: { ...settings, listen: { ...settings.listen, port } }, name: 'tsugite-broker' });
    const startedMs = clock.nowMs();
    let failure: unknown = new Error('the broker ended before it listened');
    worker = running;
    running.on('message', (message: FromWorker) => {
      switch (message.kind) {
        case 'ready':
          duties
            .refill((gateway, envelope) => publish(gateway, 'notice', envelope))
            .then(
              () => send({ kind: 'listen' }),
              (error: unknown) => {
                log.error('broker.refill_failed', { error: String(error) });
                failure = error;
                void running.terminate();
              },
            );
          return;
        case 'listening':
          port = message.port;
          log.info('broker.listening', { port });
          endedEarly = undefined;
          listening(port);
          return;
        case 'connect':
          answer(message.question, duties.mayConnect(message));
          return;
        case 'message':
          answer(
            message.question,
            duties.take({ ...message, payload: Buffer.from(message.payload) }).then(() => 'allow'),
          );
          return;
        case 'gone':
          duties
            .gone(message)
            .catch((error: unknown) => log.error('broker.gone_failed', { gateway: message.gateway, error: String(error) }));
          return;
        case 'refused':
          log.warn('broker.refused', { gateway: message.gateway, why: message.why, detail: message.detail, ...named(codeOf[message.why]) });
          return;
        default:
          assertNever(message);
      }
    });
    const answer = (question: number, verdict: Promise<Verdict>) => {
      verdict.then(
        (said) => running.postMessage({ kind: 'answer', question, verdict: said } satisfies ToWorker),
        (error: unknown) => {
          log.error('broker.answer_failed', { error: String(error) });
          running.postMessage({ kind: 'answer', question, verdict: 'unavailable' } satisfies ToWorker);
        },
      );
    };
    running.on('error', (error) => {
      failure = error;
      log.error('broker.failed', { error: String(error) });
    });
    running.on('exit', () => {
      if (worker === running) worker = undefined;
      if (isStopping) return;
      // At the very first start a person is waiting for the answer: a port in use is said, not tried for ever.
      if (endedEarly !== undefined) return endedEarly(failure);
      restarts = clock.nowMs() - startedMs > healthyMs ? 0 : restarts + 1;
      const waitMs = Math.min(restartFirstMs * 2 ** restarts, restartMostMs);
      log.warn('broker.restarting', { waitMs });
      clock.after(waitMs, () => {
        if (!isStopping) run(duties, () => {}, undefined);
      });
    });
  }

  return {
    start: (duties) => new Promise((resolve, reject) => run(duties, resolve, reject)),
    publishNotice: (gateway, envelope) => publish(gateway, 'notice', envelope),
    publishAck: (gateway, ack) => publish(gateway, 'ack', ack),
    cutOff: (gateway) => send({ kind: 'cut-off', gateway }),
    stop: async () => {
      isStopping = true;
      const running = worker;
      if (running === undefined) return;
      const ended = new Promise<void>((resolve) => running.once('exit', () => resolve()));
      const giveUp = clock.after(3_000, () => void running.terminate());
      send({ kind: 'stop' });
      await ended;
      giveUp();
    },
  };
}
