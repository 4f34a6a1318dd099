/** From `tsugite resign` to the notice: a package whose signature was renewed is admitted, and reaches the gateways that have it. */
import { createHash, generateKeyPairSync } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { keyidOf, parseEnvelope, payloadOf } from '../../../protocol/dsse.ts';
import { type Digest, digest, type GatewayId, gatewayId, toUtcTime } from '../../../protocol/fields.ts';
import { signStatement } from '../../../protocol/signing.ts';
import { parseNotice } from '../../../protocol/statements/notice.ts';
import { makeGatewayDownloads } from '../../../server/flows/gateway-downloads.ts';
import { makePublishNotice } from '../../../server/flows/publish-notice.ts';
import { makeTakeReport } from '../../../server/flows/take-report.ts';
import type { GatewayLink } from '../../../server/ports/gateways.ts';
import { eligibilityCatalogues } from '../../../server/rules/eligibility-catalogue.ts';
import { aFile } from '../../support/packages.ts';
import { aPeopleSide, type PeopleSideRig } from '../../support/people-side.ts';
import { leafExtensions } from '../../support/provider-pki.ts';
import { revokeSigners } from '../../support/roots.ts';

const dayMs = 86_400_000;
const policy = {
  keepaliveS: 1680,
  jitterS: 3600,
  probationS: 60,
  budget: { targetBytes: 3_000_000, alarmBytes: 4_000_000, ceilingBytes: 5_000_000 },
  telemetryBytesPerMonth: 100_000,
  dataGraceDays: 30,
};
let rig: PeopleSideRig;
let software: string;
let names = 0;
beforeAll(async () => {
  rig = await aPeopleSide();
  await rig.aProvider('acme');
  await rig.aProvider('other');
});
afterAll(() => rig.stop());
beforeEach(() => {
  names += 1;
  rig.clock.offsetMs = 0;
  software = `heater-${names}.acme`;
});

const noticeKey = generateKeyPairSync('ed25519').privateKey;
const signer = { keyid: keyidOf(noticeKey), sign: (type: string, statement: unknown) => signStatement(type, statement, [noticeKey]) };
const log = { info: () => {}, warn: () => {}, error: () => {} };
const parts = () => ({ db: rig.db, clock: rig.clock, log, catalogue: eligibilityCatalogues.seed });
const link: GatewayLink = { publishNotice: () => {}, publishAck: () => {}, cutOff: () => {} };
const sha256Of = (bytes: Buffer): Digest => digest.parse(createHash('sha256').update(bytes).digest('hex'));
/** Signed anew: the same manifest and payload, another certificate, and so another number of bytes. */
const signed = (year: number, manifest: Record<string, unknown> = {}) => {
  const name = 'ア'.repeat(year > 2031 ? 64 : 1);
  return rig.aPackage({ software, ...manifest }, undefined, { to: `${year}0101000000Z`, subject: `/O=${name}/OU=${name}/CN=${name}` });
};
const works = async () => (await rig.db.query('SELECT kind FROM work_order_items WHERE software_id = $1', [software])).length;
const packagesOf = () =>
  rig.db.query<{ sha256: string }>(
    'SELECT p.* FROM packages p JOIN releases r ON r.id = p.release_id WHERE r.software_id = $1 ORDER BY p.bytes',
    [software],
  );
const audited = () => rig.db.query("SELECT detail FROM audit WHERE action = 'release.resign' AND subject = $1", [software]);

describe('a renewed signature is admitted', () => {
  test('in the place of the one before: no work, no other release, audited; the old file stays', async () => {
    const [old, renewed] = [signed(2031), signed(2034)];
    const first = await rig.admit(old);
    const { status, body } = await rig.upload(renewed);
    expect([status, body]).toMatchObject([
      201,
      {
        release: first.body.release,
        sha256: sha256Of(renewed),
        isRepeat: false,
        admission: { kind: 'resign', replaces: sha256Of(old), menu: 1 },
      },
    ]);
    expect(await packagesOf()).toMatchObject([
      { sha256: sha256Of(renewed), bytes: renewed.length, signer_not_after: new Date('2034-01-01'), release_id: first.body.release },
    ]);
    const [release] = await rig.db.query('SELECT stored_bytes, menu, plan FROM releases WHERE id = $1', [first.body.release]);
    expect(release).toEqual({ stored_bytes: renewed.length, menu: 1, plan: 1 });
    expect(renewed.length).not.toBe(old.length);
    expect(await works()).toBe(1);
    expect(await audited()).toMatchObject([{ detail: { version: '1.0.0', sha256: sha256Of(renewed), replaces: sha256Of(old) } }]);
    expect(rig.packageFiles()).toEqual(expect.arrayContaining([sha256Of(old), sha256Of(renewed)]));
    expect((await rig.admit(renewed)).body).toMatchObject({ isRepeat: true });
    expect(await audited()).toHaveLength(1);
  });

  test('of a release that is not the highest any more', async () => {
    await rig.admit(signed(2031));
    await rig.admit(signed(2031, { version: '2.0.0' }));
    expect((await rig.admit(signed(2034))).body).toMatchObject({ version: '1.0.0', admission: { kind: 'resign' } });
    expect(await works()).toBe(2);
  });

  test('of one variant: the other one stays, and both count', async () => {
    await rig.admit(signed(2031, { models: ['PR-400KI'] }));
    const other = signed(2031, { models: ['PR-500KI'] });
    await rig.admit(other);
    const renewed = signed(2034, { models: ['PR-400KI'] });
    expect((await rig.admit(renewed)).body.admission).toMatchObject({ kind: 'resign', storedBytes: other.length + renewed.length });
    expect((await packagesOf()).map(({ sha256 }) => sha256).sort()).toEqual([sha256Of(other), sha256Of(renewed)].sort());
  });
});

describe('a renewed signature is refused, and what was there stays', () => {
  const refusals: [string, string, () => Promise<Buffer> | Buffer, string?][] = [
    ['by a certificate of another provider', 'SIGNER_NOT_PROVIDER', () => signedAs('other', 'acme')],
    ['by another provider in its own name', 'SOFTWARE_ID_TAKEN', () => signed(2034, { provider: 'other' })],
    ['uploaded by another provider', 'API_FORBIDDEN', () => signed(2034), 'provider:other'],
    ['by an expired certificate', 'SIGNER_EXPIRED', () => signed(2026)],
    ['by a certificate that ends sooner', 'SIGNATURE_ENDS_SOONER', () => signed(2030)],
    ['over another manifest', 'VERSION_NOT_HIGHER', () => signed(2034, { health: { kind: 'ready', timeoutS: 31 } })],
    [
      'over another payload',
      'VERSION_NOT_HIGHER',
      () => rig.aPackage({ software }, [aFile('main.js', 'other')], { to: '20340101000000Z' }),
    ],
  ];
  test.each(refusals)('%s', async (_, code, renewed, who = 'operator') => {
    await rig.admit(signed(2031));
    const before = await packagesOf();
    const files = rig.packageFiles();
    expect((await (who === 'operator' ? rig.admit : rig.upload)(await renewed(), who)).body.code).toBe(code);
    expect(await packagesOf()).toEqual(before);
    expect(rig.packageFiles()).toEqual(files);
    expect(await audited()).toEqual([]);
  });

  test('by a revoked signer; one whose signer was revoked may be replaced by a certificate that ends sooner', async () => {
    await rig.admit(rig.aPackage({ software }, undefined, { serial: '7B01', to: '20340101000000Z' }));
    const renewed = rig.aPackage({ software }, undefined, { serial: '7B02', to: '20350101000000Z' });
    await revokeSigners(rig.db, ['7b01', '7b02']);
    expect((await rig.admit(renewed)).body.code).toBe('SIGNING_KEY_UNKNOWN');
    expect((await rig.admit(signed(2031))).body.admission).toMatchObject({ kind: 'resign' });
  });
});

describe('a gateway that has the software', () => {
  let gateway: GatewayId;
  let target: string;
  let old: Buffer;
  let seq = 0;
  const publish = () => makePublishNotice({ ...parts(), signer, link, policy })(gateway);
  const take = makeReporter();
  beforeEach(async () => {
    const { customerId, site } = await rig.aCustomer();
    gateway = gatewayId.parse(`gw-resign-${names}`);
    await rig.ask('operator', 'POST', '/gateways', { gateway, model: 'PR-400KI', site });
    old = signed(2031);
    await rig.admit(old);
    target = String((await rig.order(customerId, { software })).body.target);
    await publish();
    await take('committed');
    await publish();
  });

  test('is told the new digest, may fetch it, and has a new deadline; taken, nothing is different', async () => {
    expect(await listed()).toMatchObject({ package: { sha256: sha256Of(old) } });
    expect(await publish()).toBe('unchanged');
    rig.clock.offsetMs = 3 * dayMs;
    const renewed = signed(2034);
    await rig.admit(renewed);
    expect((await gatewayRow()).notice_due_at).toEqual(expect.any(Date));
    expect(Number((await gatewayRow()).notice_due_at)).toBeLessThanOrEqual(rig.clock.nowMs());
    const before = await listed();
    expect(await publish()).toBe('published');
    const after = await listed();
    expect(after).toMatchObject({
      version: '1.0.0',
      attempt: before?.attempt,
      package: { sha256: sha256Of(renewed), bytes: renewed.length },
    });
    expect(after?.manifestSha256).not.toBe(before?.manifestSha256);
    expect(Date.parse(after?.deadline ?? '') - Date.parse(before?.deadline ?? '')).toBeGreaterThan(2 * dayMs);
    const downloads = makeGatewayDownloads({ db: rig.db });
    expect(await downloads.mayFetch(gateway, sha256Of(renewed))).toBe(true);
    expect(await downloads.mayFetch(gateway, sha256Of(old))).toBe(false);
    await take('committed');
    expect(await stateOf()).toBe('ACTIVE');
  });

  test('and cannot take it still has the software: that is no failure of what runs', async () => {
    await rig.admit(signed(2034));
    await publish();
    await take('rejected');
    expect(await stateOf()).toBe('ROLLED_BACK');
    await take('committed');
    expect(await stateOf()).toBe('ACTIVE');
  });

  const gatewayRow = async () =>
    (await rig.db.query<{ notice_due_at: Date }>('SELECT notice_due_at FROM gateways WHERE id = $1', [gateway]))[0] as {
      notice_due_at: Date;
    };
  const stateOf = async () => (await rig.db.query<{ state: string }>('SELECT state FROM targets WHERE id = $1', [target]))[0]?.state;
  const listed = async () => {
    const [row] = await rig.db.query<{ envelope: Buffer }>(
      'SELECT envelope FROM notices WHERE gateway_id = $1 ORDER BY version DESC LIMIT 1',
      [gateway],
    );
    return row && parseNotice(payloadOf(parseEnvelope(row.envelope))).targets[0];
  };

  function makeReporter() {
    return async (state: 'committed' | 'rejected') => {
      seq += 1;
      const report = {
        v: 1,
        epoch: '0'.repeat(32),
        seq,
        at: toUtcTime(rig.clock.nowMs()),
        kind: 'end',
        target,
        software,
        version: '1.0.0',
        state,
      };
      const arrived = { gateway, payload: Buffer.from(JSON.stringify(report)), isFirstOnConnection: false, isAckWanted: () => false };
      await makeTakeReport({ ...parts(), link })(arrived);
    };
  }
});

/** A certificate of one provider over the manifest of another. */
function signedAs(certified: string, named: string): Buffer {
  const extensions = leafExtensions(certified);
  return rig.aPackage({ software, provider: named }, undefined, { extensions });
}
