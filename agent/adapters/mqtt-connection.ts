import { MqttClient } from 'mqtt';
import { type ErrorCode, TsugiteError } from '../../protocol/errors.ts';
import { toCompactJson } from '../../protocol/json.ts';
import { limits } from '../../protocol/limits.ts';
import { lastWill } from '../../protocol/messages/presence.ts';
import { publishedByGateway, publishedByServer, topicOf } from '../../protocol/topics.ts';
import type { ConnectionEnd, ConnectionHandlers, ConnectionRequest, ControlConnection, OpenControlConnection } from '../ports/network.ts';
import type { ByteLedger, Cancel, Clock, Purpose } from '../ports.ts';
import type * as NetworkFault from '../rules/network-fault.ts';
import type * as WireModel from '../rules/wire-model.ts';
import { type MqttFrame, makeFrameScanner, packetType } from './mqtt-frames.ts';
import { meterSocket } from './socket-meter.ts';
import { errnoOf, openTlsSocket, stageReached } from './tls-socket.ts';

type Outside = {
  clock: Clock;
  ledger: ByteLedger;
  wireModel: typeof WireModel;
  networkFaultOf: typeof NetworkFault.networkFaultOf;
  answerMs: number;
};

const comeOnlineMs = 30_000;
const sayGoodbyeMs = 2_000;
/** The largest message is a notice; a topic and MQTT's own bytes come on top. */
const packetCapBytes = limits.envelopeBytes + 512;

/**
 * One connection to the broker: mqtt.js over our own TLS socket, made anew each time. Our outbox on disk is what remembers unsent reports, so
 * mqtt.js must not remember them too.
 */
export function makeOpenControlConnection(outside: Outside): OpenControlConnection {
  return (request, handlers) => openConnection(outside, request, handlers);
}

function openConnection(
  { clock, ledger, wireModel, networkFaultOf, answerMs }: Outside,
  { identity, keepaliveS, birth, mustSubscribe, forgetSession }: ConnectionRequest,
  handlers: ConnectionHandlers,
): ControlConnection {
  const { hostname, port } = new URL(identity.mqtt);
  const { gateway, privateKeyPem, certificatePem, serverCasPem } = identity;
  const topics = { notice: topicOf(gateway, 'notice'), ack: topicOf(gateway, 'ack'), presence: topicOf(gateway, 'presence') };
  const farewell = toCompactJson(lastWill);

  const { raw, tls } = openTlsSocket(
    { host: hostname, port: Number(port) || 8883 },
    { serverCasPem, client: { privateKeyPem, certificatePem } },
  );
  const meter = meterSocket(raw, wireModel, clock);
  const scan = makeFrameScanner(packetCapBytes);

  let stage: NetworkFault.Stage = 'connecting';
  let end: ConnectionEnd | undefined;
  let isOnline = false;
  let isAccepted = false;
  let handshakeBytes = 0;
  let sentFor: Purpose = 'connect';
  let sentIsAnswered = true;
  let cancelAnswerTimer: Cancel | undefined;
  const cancelOnlineTimer = clock.after(comeOnlineMs, () => drop('failed', 'SERVER_UNREACHABLE', { kind: `no-answer-while-${stage}` }));

  function drop(kind: ConnectionEnd['kind'], code: ErrorCode, detail: Readonly<Record<string, unknown>>): void {
    end ??= { kind, code, detail: { host: hostname, ...detail } };
    tls.destroy();
    raw.destroy();
  }

  function fail(cause: unknown): void {
    const fault = cause instanceof TsugiteError ? cause : undefined;
    const { code, kind } = networkFaultOf(errnoOf(cause), stageReached(stage, raw));
    drop('failed', fault?.code ?? code, fault?.detail ?? { kind });
  }

  // --- bytes in and out, charged to what they were for ---

  /** Until the broker has said yes it is open whether this was a connect or a wasted try. */
  function charge(purpose: Purpose, wireBytes: number): void {
    if (isAccepted) ledger.charge(purpose, wireBytes);
    else handshakeBytes += wireBytes;
  }

  function chargeSent(): void {
    charge(sentFor, meter.takeSent(sentIsAnswered));
  }

  function noteFrames(chunk: Buffer): void {
    const frames = scan(chunk);
    if (frames.length === 0) return;
    chargeSent();
    // Several packets in one segment share its headers.
    const wireBytes = meter.takeReceived();
    const allBytes = frames.reduce((sum, frame) => sum + frame.bytes, 0);
    for (const frame of frames) charge(purposeOf(frame), Math.round((wireBytes * frame.bytes) / allBytes));
    if (frames.some(isAnswer)) {
      cancelAnswerTimer?.();
      cancelAnswerTimer = undefined;
      if (frames.some(({ type }) => type === packetType.pingresp)) handlers.onAnswered();
    }
  }

  function acceptHandshake(): void {
    isAccepted = true;
    ledger.charge('connect', handshakeBytes);
    handshakeBytes = 0;
  }

  function purposeOf({ type, topic }: MqttFrame): Purpose {
    if (type === packetType.pingresp) return 'keepalive';
    // A report's answer is charged like the report.
    if (type === packetType.puback) return sentFor;
    if (type !== packetType.publish) return 'connect';
    return topic === topics.ack ? 'report' : 'notice';
  }

  function expectAnswer(): void {
    cancelAnswerTimer ??= clock.after(answerMs, () => drop('unanswered', 'SERVER_UNREACHABLE', { kind: 'no-answer', afterMs: answerMs }));
  }

  raw.once('connect', () => {
    stage = 'securing';
  });
  raw.on('error', fail);
  tls.once('secureConnect', () => {
    handshakeBytes += meter.takeSent(true) + meter.takeReceived();
  });
  tls.on('data', (chunk: Buffer) => {
    // In TLS 1.3 a server judges our certificate after our side of the handshake is over: until its first byte it may still refuse us.
    stage = 'talking';
    try {
      noteFrames(chunk);
    } catch (error) {
      fail(error);
    }
  });
  tls.on('error', fail);

  // --- MQTT ---

  const client = new MqttClient(() => tls, {
    clientId: gateway,
    protocolVersion: 4,
    clean: forgetSession,
    keepalive: keepaliveS,
    will: { topic: topics.presence, payload: farewell, ...publishedByGateway.presence },
    writeCache: false,
    queueQoSZero: false,
    resubscribe: false,
    reconnectPeriod: 0,
    connectTimeout: 0x7fff_ffff,
    log: () => {},
    timerVariant: intervalTimer(clock),
  });

  client.on('error', (error) => {
    if ('code' in error && typeof error.code === 'number')
      return drop('failed', 'MQTT_REFUSED', { kind: 'connack', returnCode: error.code });
    fail(error);
  });

  client.on('packetreceive', (packet) => {
    if (packet.cmd === 'connack' && packet.returnCode === 0) acceptHandshake();
  });

  client.on('packetsend', (packet) => {
    if (packet.cmd === 'connect') return;
    chargeSent();
    meter.sending();
    sentIsAnswered = packet.cmd === 'pingreq' || packet.cmd === 'subscribe' || (packet.cmd === 'publish' && packet.qos > 0);
    if (packet.cmd === 'pingreq') sentFor = 'keepalive';
    else if (packet.cmd === 'puback') sentFor = 'notice';
    else if (packet.cmd === 'publish') sentFor = purposeOfTopic(packet.topic);
    else sentFor = 'connect';
    if (sentIsAnswered) expectAnswer();
  });

  function purposeOfTopic(topic: string): Purpose {
    if (topic === topics.presence) return 'connect';
    return topic.endsWith('/telemetry') ? 'telemetry' : 'report';
  }

  client.handleMessage = ({ topic, payload }, done) => {
    const message = Buffer.isBuffer(payload) ? payload : Buffer.from(payload);
    if (topic === topics.ack) {
      handlers.onAck(message);
      return done();
    }
    // A zero-length retained message is what deletes a retained one; absence alone orders nothing (DESIGN §4).
    if (topic !== topics.notice || message.length === 0) return done();
    handlers.onNotice(message).then(
      () => done(),
      // mqtt.js would neither acknowledge nor go on: end the connection, so that the broker sends the notice again.
      (error: unknown) => drop('failed', error instanceof TsugiteError ? error.code : 'INTERNAL_FAULT', { kind: 'notice-not-taken' }),
    );
  };

  client.on('connect', ({ sessionPresent }) => {
    publish('presence', birth).catch(() => {});
    if (sessionPresent && !mustSubscribe) return comeOnline();
    const wanted = { [topics.notice]: { qos: publishedByServer.notice.qos }, [topics.ack]: { qos: publishedByServer.ack.qos } };
    client.subscribe(wanted, (error, _granted, suback) => {
      // SUBACK may say "failure" (MQTT 3.1.1 §3.9.3): without the notice topic we would be deaf and not know it.
      if (error && suback !== undefined) drop('failed', 'MQTT_REFUSED', { kind: 'subscription' });
      else if (!error) comeOnline();
    });
  });

  function comeOnline(): void {
    if (isOnline || end !== undefined) return;
    isOnline = true;
    cancelOnlineTimer();
    handlers.onOnline();
  }

  client.once('close', () => {
    cancelOnlineTimer();
    cancelAnswerTimer?.();
    const lastBytes = meter.takeSent(false) + meter.takeReceived();
    ledger.charge(isAccepted ? sentFor : 'retry', handshakeBytes + lastBytes);
    end ??= { kind: 'failed', ...closedByPeer(networkFaultOf(undefined, stageReached(stage, raw)), hostname) };
    client.end(true);
    handlers.onEnd(end);
  });

  function publish(kind: 'report' | 'telemetry' | 'presence', message: Buffer): Promise<void> {
    return new Promise((resolve, reject) => {
      const onClose = () => reject(new TsugiteError('SERVER_UNREACHABLE', { kind: 'connection-ended' }));
      if (end !== undefined || !client.connected) return onClose();
      client.once('close', onClose);
      client.publish(topicOf(gateway, kind), message, publishedByGateway[kind], (error) => {
        client.removeListener('close', onClose);
        if (error) reject(new TsugiteError('SERVER_UNREACHABLE', { kind: 'connection-ended' }, { cause: error }));
        else resolve();
      });
    });
  }

  return {
    publish,
    async close() {
      if (end !== undefined) return;
      const closed = new Promise<void>((resolve) => void client.once('close', () => resolve()));
      let cancelPatience: Cancel = () => {};
      const goneByNow = new Promise<void>((resolve) => {
        cancelPatience = clock.after(sayGoodbyeMs, resolve);
      });
      // DISCONNECT discards the last will (§3.14.4), so the farewell is published by ourselves.
      if (client.connected) await Promise.race([publish('presence', farewell).catch(() => {}), goneByNow]);
      end ??= { kind: 'closed-by-us', code: 'SERVER_UNREACHABLE', detail: { kind: 'closed-by-us' } };
      client.end(false);
      await Promise.race([closed, goneByNow]);
      tls.destroy();
      raw.destroy();
      // A client that is cut off in the middle of connecting may never say so: the patience is the bound of all three waits.
      await Promise.race([closed, goneByNow]);
      cancelPatience();
    },
  };
}

function isAnswer({ type }: MqttFrame): boolean {
  return type === packetType.pingresp || type === packetType.puback || type === packetType.suback;
}

function closedByPeer(
  { code, kind }: NetworkFault.NetworkFault,
  host: string,
): { code: ErrorCode; detail: Readonly<Record<string, unknown>> } {
  return { code, detail: { host, kind } };
}

/** mqtt.js wants an interval; ours is made of the clock's timers, so that a test's clock moves it. */
function intervalTimer(clock: Clock) {
  const cancels = new Map<number, Cancel>();
  let last = 0;
  return {
    set(run: () => void, intervalMs: number): number {
      const id = ++last;
      const again = () => {
        cancels.set(id, clock.after(intervalMs, again));
        run();
      };
      cancels.set(id, clock.after(intervalMs, again));
      return id;
    },
    clear(id: number): void {
      cancels.get(id)?.();
      cancels.delete(id);
    },
  };
}
