/** A gateway of the people's side that speaks without a broker: its notices are made and read, its reports and births taken, by the real flows. */
import { createHash, generateKeyPairSync } from 'node:crypto';
import { keyidOf, parseEnvelope, payloadOf } from '../../protocol/dsse.ts';
import { gatewayId, toUtcTime } from '../../protocol/fields.ts';
import type { Birth } from '../../protocol/messages/presence.ts';
import type { Report } from '../../protocol/messages/report.ts';
import { signStatement } from '../../protocol/signing.ts';
import { type Notice, parseNotice } from '../../protocol/statements/notice.ts';
import { makePublishNotice } from '../../server/flows/publish-notice.ts';
import { makeTakePresence } from '../../server/flows/take-presence.ts';
import { makeTakeReport } from '../../server/flows/take-report.ts';
import type { GatewayLink } from '../../server/ports/gateways.ts';
import { eligibilityCatalogues } from '../../server/rules/eligibility-catalogue.ts';
import type { PeopleSideRig } from './people-side.ts';

const noticeKey = generateKeyPairSync('ed25519').privateKey;
const policy = {
  keepaliveS: 1680,
  jitterS: 0,
  probationS: 60,
  budget: { targetBytes: 3_000_000, alarmBytes: 4_000_000, ceilingBytes: 5_000_000 },
  telemetryBytesPerMonth: 100_000,
  dataGraceDays: 30,
};
const link: GatewayLink = { publishNotice: () => {}, publishAck: () => {}, cutOff: () => {} };
const epoch = '0'.repeat(32);

export type QuietGateway = Awaited<ReturnType<typeof aQuietGateway>>;

/** Registered at the site, enrolled, never online yet. */
export async function aQuietGateway(rig: PeopleSideRig, name: string, site: string, model = 'PR-400KI') {
  const gateway = gatewayId.parse(name);
  const { status, body } = await rig.ask('operator', 'POST', '/gateways', { gateway, model, site });
  if (status !== 201) throw new Error(JSON.stringify(body));
  await rig.db.query(
    `INSERT INTO gateway_certificates (serial, gateway_id, subject_keyid, not_before, not_after, issued_at, first_used_at)
     VALUES ($1, $2, $3, '1970-01-01', '2100-01-01', '2020-01-01', '2020-01-01')`,
    [createHash('sha256').update(name).digest('hex').replace(/^0+/, ''), gateway, `sha256:${'0'.repeat(64)}`],
  );
  const parts = { db: rig.db, clock: rig.clock, log: { info: () => {}, warn: () => {}, error: () => {} } };
  const publishNotice = makePublishNotice({
    ...parts,
    link,
    policy,
    signer: { keyid: keyidOf(noticeKey), sign: (type, statement) => signStatement(type, statement, [noticeKey]) },
  });
  const takeReport = makeTakeReport({ ...parts, link, catalogue: eligibilityCatalogues.seed });
  const takePresence = makeTakePresence({ ...parts, link, publishNotice });
  let seq = 0;
  return {
    gateway,
    publish: () => publishNotice(gateway),
    notice: async (): Promise<Notice | undefined> => {
      const [row] = await rig.db.query<{ envelope: Buffer }>(
        'SELECT envelope FROM notices WHERE gateway_id = $1 ORDER BY version DESC LIMIT 1',
        [gateway],
      );
      return row && parseNotice(payloadOf(parseEnvelope(row.envelope)));
    },
    /** Online with the newest notice applied, or with what the test says. */
    birth: async (changes: Partial<Birth> = {}) => {
      const [newest] = await rig.db.query<{ version: number; sha256: string }>(
        'SELECT version, sha256 FROM notices WHERE gateway_id = $1 ORDER BY version DESC LIMIT 1',
        [gateway],
      );
      const birth = {
        v: 1,
        online: true,
        epoch,
        bootId: 'b'.repeat(32),
        agent: '1.0.0',
        model,
        firmware: '08.00.0004',
        node: '20.20.0',
        arch: 'x64',
        speaks: [1],
        appliedNotice: newest ?? null,
        rootVersion: 1,
        ...changes,
      };
      await takePresence(gateway, Buffer.from(JSON.stringify(birth)));
    },
    reports: async (said: Omit<Partial<Report>, 'target'> & { kind: Report['kind']; target?: string }) => {
      seq += 1;
      const report = { v: 1, epoch, seq, at: toUtcTime(rig.clock.nowMs()), ...said };
      const arrived = { gateway, payload: Buffer.from(JSON.stringify(report)), isFirstOnConnection: false, isAckWanted: () => false };
      await takeReport(arrived);
    },
  };
}
