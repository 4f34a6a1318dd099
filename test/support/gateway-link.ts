/**
 * The network half of an agent, as it is: its connection, its back-off, its outbox on disk, its word about the notice that it has; without sandbox
 * and packages. Its line to the broker can be cut, and counts bytes.
 */
import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { makeOpenControlConnection } from '../../agent/adapters/mqtt-connection.ts';
import { makeOutboxStore } from '../../agent/adapters/outbox-store.ts';
import { makeSendReports } from '../../agent/flows/send-reports.ts';
import { makeStayConnected } from '../../agent/flows/stay-connected.ts';
import type { ReportBody } from '../../agent/ports/disk.ts';
import type { Clock } from '../../agent/ports.ts';
import { pingAnswerMs } from '../../agent/rules/keepalive.ts';
import { networkFaultOf } from '../../agent/rules/network-fault.ts';
import * as wireModel from '../../agent/rules/wire-model.ts';
import type { GatewayId } from '../../protocol/fields.ts';
import type { Birth } from '../../protocol/messages/presence.ts';
import type { Notice } from '../../protocol/statements/notice.ts';
import { aBirth } from './birth.ts';
import { aLine } from './counted-line.ts';
import type { Identity } from './gateway-pki.ts';

export const realClock: Clock = {
  wallMs: () => Date.now(),
  monotonicMs: () => performance.now(),
  after: (delayMs, run) => {
    const timer = setTimeout(run, delayMs);
    return () => clearTimeout(timer);
  },
};

type Where = { mqttPort: number; serverCaPem: string; openNotice: (envelope: Buffer) => Notice };
export type GatewayLink = Awaited<ReturnType<typeof aGatewayLink>>;

export async function aGatewayLink({ mqttPort, serverCaPem, openNotice }: Where, own: Identity & { gateway: GatewayId }) {
  const dataDir = mkdtempSync(path.join(tmpdir(), 'tsugite-link-'));
  const line = await aLine(mqttPort);
  const outbox = makeOutboxStore(dataDir);
  const notices: Notice[] = [];
  const told: string[] = [];
  let appliedNotice: Birth['appliedNotice'] = null;
  let bootId = 'b'.repeat(32);
  const ledger = { charge: () => {}, chargePackage: () => {}, month: () => ({ totalBytes: 0, byPurpose: {} as never }) };

  const makeLink = () =>
    makeStayConnected({
      open: makeOpenControlConnection({ clock: realClock, ledger, wireModel, networkFaultOf, answerMs: pingAnswerMs }),
      clock: realClock,
      // Of each back-off the hundredth part, so that a test waits for the broker and not for the agent.
      random: { fraction: () => 0.01, hex: () => '', id: () => '' as never },
      identity: () => ({
        gateway: own.gateway,
        https: 'https://127.0.0.1:1',
        mqtt: `mqtts://127.0.0.1:${line.port}`,
        serverCasPem: [serverCaPem],
        privateKeyPem: own.keyPem,
        certificatePem: own.certPem,
      }),
      spending: () => ({ spentBytes: 0, monthElapsedMs: 0, monthLengthMs: 30 * 86_400_000, targetBytes: 3_000_000, ceilingReached: false }),
    });
  let link = makeLink();
  let reports = makeSendReports({ outbox, link, clock: realClock, log: { write: () => {} } });

  const birth = (): Buffer => Buffer.from(aBirth({ epoch: outbox.epoch, bootId, appliedNotice }));

  const start = () =>
    link.start({
      birth,
      onOnline: () => {
        told.push('online');
        reports.onOnline();
      },
      onOffline: (code) => void told.push(code),
      onNotice: async (envelope) => {
        const notice = openNotice(envelope);
        notices.push(notice);
        if (notice.version >= (appliedNotice?.version ?? 0))
          appliedNotice = { version: notice.version, sha256: createHash('sha256').update(envelope).digest('hex') as never };
      },
      onAck: (message) => reports.onAck(message),
    });
  start();

  const stop = async () => {
    reports.stop();
    await link.stop();
  };
  return {
    gateway: own.gateway,
    notices,
    told,
    isOnline: () => link.isOnline(),
    /** Reports that the server has not acknowledged. */
    waiting: () => outbox.unacknowledged().length,
    report: (body: Partial<ReportBody> = {}) => reports.report({ at: '2026-11-22T00:00:00Z', kind: 'start', ...body } as ReportBody),
    sendTelemetry: (message: Buffer) => link.publishTelemetry(message),
    cutLine: line.cut,
    bytes: line.bytes,
    /** Says good-bye. */
    stop,
    reboot: async () => {
      await stop();
      bootId = createHash('md5').update(bootId).digest('hex');
      link = makeLink();
      reports = makeSendReports({ outbox, link, clock: realClock, log: { write: () => {} } });
      start();
    },
    end: async () => {
      await stop();
      line.close();
      rmSync(dataDir, { recursive: true, force: true });
    },
  };
}
