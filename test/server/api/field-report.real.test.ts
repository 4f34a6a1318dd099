import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { FailureRow, FieldReport, GatewayRow, InstallRow, MeasurementRow, ReportHead } from '../../../protocol/field-report.ts';
import { gatewayId, providerId } from '../../../protocol/fields.ts';
import { encodeTelemetry } from '../../../protocol/messages/telemetry.ts';
import { run as runKit } from '../../../provider/program.ts';
import { realSurroundings } from '../../../provider/surroundings.ts';
import { runProgram } from '../../../server/cli/program.ts';
import { makeTakeTelemetry } from '../../../server/flows/take-telemetry.ts';
import { aPeopleSide, type PeopleSideRig } from '../../support/people-side.ts';
import { aTelemetry, japanMidnightMs, type SaidOfTarget } from '../../support/telemetry.ts';

type Home = { gateway: string; heater: string; lamp: string };
let rig: PeopleSideRig;
/** Three of one model, one of another: with a threshold of three the one is not to be seen. */
const homes: Home[] = [];
let seq = 0;

beforeAll(async () => {
  rig = await aPeopleSide({ minGateways: 3 });
  for (const provider of ['acme', 'other']) await rig.aProvider(provider);
  await rig.admit(rig.aPackage());
  await rig.admit(rig.aPackage({ software: 'lamp.other', provider: 'other' }));
  for (const hgwModel of ['PR-400KI', 'PR-400KI', 'PR-400KI', 'PR-500KI']) homes.push(await aHome(hgwModel));
});
afterAll(() => rig.stop());

async function aHome(hgwModel: string): Promise<Home> {
  const gateway = `hgw-${homes.length}`;
  const { customerId, site } = await rig.aCustomer({ hgwModel });
  await rig.ask('operator', 'POST', '/gateways', { gateway, model: hgwModel, site });
  const [heater, lamp] = await Promise.all(
    ['heater.acme', 'lamp.other'].map(async (software) => String((await rig.order(customerId, { software })).body.target)),
  );
  return { gateway, heater: heater ?? '', lamp: lamp ?? '' };
}

type Said = {
  kind?: string;
  state?: string | null;
  code?: string | null;
  number?: string | null;
  version?: string | null;
  daysAgo?: number;
};
/** As take-report keeps it. */
async function reported(
  gateway: string,
  target: string | null,
  { kind = 'end', state = 'committed', code = null, number = null, version = '1.0.0', daysAgo = 0 }: Said = {},
) {
  seq += 1;
  const at = new Date(rig.clock.nowMs() - daysAgo * 86_400_000);
  await rig.db.query(
    `INSERT INTO reports (gateway_id, epoch, seq, kind, at, received_at, target_id, version, state, number, code) VALUES ($1, $2, $3, $4, $5, $5, $6, $7, $8, $9, $10)`,
    [gateway, 'a'.repeat(32), seq, kind, at, target, version, state, number, code],
  );
}

const measured = (home: Home, daysAgo: number, targets: readonly SaidOfTarget[], more: object = {}) =>
  makeTakeTelemetry({ ...rig, log: { info: () => {}, warn: () => {}, error: () => {} } })(
    gatewayId.parse(home.gateway),
    encodeTelemetry(aTelemetry({ fromMs: japanMidnightMs(rig.clock.nowMs(), daysAgo), targets, ...more })),
  );
const items = async <Row>(who: string, path: string) => (await rig.ask(who, 'GET', `/report/${path}`)).body.items as Row[];
const at = (index: number) => homes[index] as Home;

describe('installs and failures', () => {
  beforeAll(async () => {
    const failed = { kind: 'failure', state: 'rolled-back', code: 'HEALTH_PROBE_FAILED', number: 'E504' };
    await reported(at(0).gateway, at(0).heater);
    await reported(at(1).gateway, at(1).heater, failed);
    await reported(at(1).gateway, at(1).heater, failed);
    await reported(at(1).gateway, at(1).heater);
    await reported(at(2).gateway, at(2).heater, { ...failed, state: 'failed', code: 'PKG_DIGEST_MISMATCH', number: 'E203' });
    await reported(at(3).gateway, at(3).heater, { daysAgo: 40 });
    await reported(at(0).gateway, at(0).heater, { kind: 'supervisor', state: null, code: 'APP_MEMORY_EXCEEDED', number: 'E601' });
    await reported(at(0).gateway, at(0).lamp, { ...failed });
    await reported(at(0).gateway, null, { ...failed, code: 'NOTICE_EXPIRED', number: 'E205', version: null });
    // What one home claims about another's target is no outcome.
    await reported(at(3).gateway, at(0).heater, failed);
    await rig.db.query("UPDATE targets SET committed_version = '1.0.0' WHERE id = ANY($1)", [[at(0).heater, at(1).heater, at(3).heater]]);
  });

  test('are counted by software, version and model: a target once, its failures each', async () => {
    expect(await items<InstallRow>('provider:acme', 'installs')).toEqual([
      {
        key: 'heater.acme 1.0.0 PR-400KI',
        software: 'heater.acme',
        version: '1.0.0',
        model: 'PR-400KI',
        tried: 3,
        installed: 2,
        failures: 3,
        running: 2,
      },
      {
        key: 'heater.acme 1.0.0 PR-500KI',
        software: 'heater.acme',
        version: '1.0.0',
        model: 'PR-500KI',
        tried: 0,
        installed: 0,
        failures: 0,
        running: 1,
      },
    ]);
  });

  test('have their codes, of installing and of running apart', async () => {
    const rows = await items<FailureRow>('provider:acme', 'failures');
    expect(rows.map(({ when, number, model, targets, reports }) => [when, number, model, targets, reports])).toEqual([
      ['install', 'E504', 'PR-400KI', 1, 2],
      ['install', 'E203', 'PR-400KI', 1, 1],
      ['run', 'E601', 'PR-400KI', 1, 1],
    ]);
  });

  test('of a month are those of that month in Japan', async () => {
    const month = new Date(rig.clock.nowMs() - 40 * 86_400_000 + 9 * 3_600_000).toISOString().slice(0, 7);
    expect((await items<InstallRow>('provider:acme', `installs?month=${month}`)).map(({ model, tried }) => [model, tried])).toContainEqual([
      'PR-500KI',
      1,
    ]);
    expect((await rig.ask('provider:acme', 'GET', `/report?month=${month}`)).body).toMatchObject({ from: `${month}-01` });
    expect((await rig.ask('provider:acme', 'GET', '/report?month=2026-13')).status).toBe(400);
  });

  test('are told with the most frequent codes first, and who has to act', async () => {
    const { body } = await rig.ask('operator', 'GET', '/report');
    const { topCodes, minGateways } = body as unknown as ReportHead;
    expect(topCodes.map(({ number, targets, reports }) => [number, targets, reports])).toEqual([
      ['E504', 2, 3],
      ['E601', 1, 1],
      ['E203', 1, 1],
    ]);
    expect(topCodes[0]).toMatchObject({ who: 'provider' });
    expect(minGateways).toBe(3);
  });

  test('come a page at a time', async () => {
    const first = (await rig.ask('operator', 'GET', '/report/installs?limit=1')).body;
    expect((first.items as InstallRow[]).map(({ key }) => key)).toEqual(['heater.acme 1.0.0 PR-400KI']);
    const rest = await items<InstallRow>('operator', `installs?after=${encodeURIComponent(String(first.next))}`);
    expect(rest.map(({ key }) => key)).toEqual(['heater.acme 1.0.0 PR-500KI', 'lamp.other 1.0.0 PR-400KI']);
  });
});

describe('measurements', () => {
  beforeAll(async () => {
    const peaks = [30_000, 40_000, 60_000, 90_000];
    for (const [index, home] of homes.entries()) {
      const { heater: target, lamp } = home;
      const memoryPeakKiB = peaks[index] ?? 0;
      const own = { devices: index, ...(index === 0 && { rare: 1 }) };
      await measured(home, 3, [{ target, memoryPeakKiB: 1_000, own: { devices: 99 } }]);
      await measured(
        home,
        1,
        [{ target, memoryPeakKiB, restarts: index, dataKiB: 100 * index, deniedConnections: 2, own }, { target: lamp }],
        { reconnects: 2 },
      );
    }
  });

  test('are told to their provider where enough homes measured, and only counted where not', async () => {
    const [pr400, pr500, ...others] = await items<MeasurementRow>('provider:acme', 'measurements');
    expect(others).toEqual([]);
    expect(pr400).toEqual({
      key: 'heater.acme PR-400KI',
      software: 'heater.acme',
      model: 'PR-400KI',
      gateways: 3,
      isHidden: false,
      days: 6,
      memoryPeakKiB: { median: 40_000, p95: 60_000, highest: 60_000 },
      dataKiB: { median: 200, p95: 200, highest: 200 },
      hoursUp: 6 * 24,
      restarts: 3,
      deniedConnections: 6,
      own: [{ name: 'devices', gateways: 3, median: 1, p95: 2, highest: 2 }],
    });
    expect(pr500).toEqual({
      key: 'heater.acme PR-500KI',
      software: 'heater.acme',
      model: 'PR-500KI',
      gateways: 1,
      isHidden: true,
      days: 2,
      memoryPeakKiB: null,
      dataKiB: null,
      hoursUp: null,
      restarts: null,
      deniedConnections: null,
      own: null,
    });
  });

  test('are told to the operator whole', async () => {
    const rows = await items<MeasurementRow>('operator', 'measurements?software=heater.acme');
    expect(rows.map(({ model, memoryPeakKiB, isHidden }) => [model, memoryPeakKiB?.highest, isHidden])).toEqual([
      ['PR-400KI', 60_000, false],
      ['PR-500KI', 90_000, false],
    ]);
    expect(rows[0]?.own?.map(({ name }) => name)).toEqual(['devices', 'rare']);
  });

  test('of the agents are the operator’s: memory, control bytes and reconnects a day', async () => {
    const { gateways } = (await rig.ask('operator', 'GET', '/report/gateways')).body as { gateways: GatewayRow[] };
    expect(gateways).toEqual([
      {
        model: 'PR-400KI',
        gateways: 3,
        reporting: 3,
        rssPeakKiB: { median: 54_000, p95: 54_000, highest: 54_000 },
        controlBytesPerDay: { median: 12_000, p95: 12_000, highest: 12_000 },
        reconnectsPerDay: { median: 1, p95: 1, highest: 1 },
      },
      expect.objectContaining({ model: 'PR-500KI', gateways: 1, reporting: 1 }),
    ]);
    expect((await rig.ask('provider:acme', 'GET', '/report/gateways')).status).toBe(403);
  });
});

test('days past their time go while the server runs', async () => {
  const old = "SELECT 1 FROM target_days WHERE day < '2020-01-01'";
  await rig.db.query("INSERT INTO target_days VALUES ($1, $2, '2019-12-31', 'PR-400KI', 24, 1, 0, 1, 0)", [at(0).heater, at(0).gateway]);
  expect(await rig.db.query(old)).toHaveLength(1);
  rig.housekeeping.start();
  await expect.poll(() => rig.db.query(old)).toEqual([]);
  await rig.housekeeping.stop();
});

describe('the verb report', () => {
  let address: string;
  beforeAll(async () => {
    address = await rig.app.listen({ host: '127.0.0.1', port: 0 });
  });

  async function typed(program: 'tsugite' | 'tsugite-server', who: string, ...args: string[]): Promise<{ status: number; out: string }> {
    const { token } = await rig.tokens.create({
      role: who === 'operator' ? 'operator' : 'provider',
      label: who,
      ...(who !== 'operator' && { provider: providerId.parse(who) }),
    });
    let out = '';
    const streams = { out: (text: string) => (out += text), err: (text: string) => (out += text) };
    const argv = ['report', ...args];
    const surroundings = { ...realSurroundings(), defaults: { fromEnvironment: { server: address, token }, folder: '/nowhere' } };
    const status =
      program === 'tsugite'
        ? await runKit(argv, streams, surroundings)
        : await runProgram(argv, streams, { server: address, token }, () => {});
    return { status, out };
  }

  test('of tsugite shows a provider its own software, as text and as one object', async () => {
    const { status, out } = await typed('tsugite', 'acme');
    expect([status, out]).toEqual([0, expect.stringContaining('heater.acme  PR-400KI  3台、延べ6日')]);
    expect(out).not.toContain('lamp.other');
    const told = JSON.parse((await typed('tsugite', 'acme', '--json', '--software', 'heater.acme')).out);
    expect(told).toMatchObject({ ok: true, minGateways: 3, installs: [{ model: 'PR-400KI' }, { model: 'PR-500KI' }] });
    expect(Object.keys(told)).not.toContain('gateways');
  });

  test('of tsugite-server shows the operator all, or one provider, and the agents', async () => {
    const { out } = await typed('tsugite-server', 'operator');
    for (const words of ['heater.acme', 'lamp.other', 'E504 HEALTH_PROBE_FAILED', 'ホームゲートウェイ / agents'])
      expect(out).toContain(words);
    const told = JSON.parse((await typed('tsugite-server', 'operator', '--provider', 'other', '--json')).out) as FieldReport;
    expect(new Set([...told.installs, ...told.failures, ...told.measurements].map(({ software }) => software))).toEqual(
      new Set(['lamp.other']),
    );
  });

  test('lists what is billed next month and runs nothing, of one provider', async () => {
    const next = new Date(rig.clock.nowMs() + 32 * 86_400_000).toISOString().slice(0, 7);
    const told = JSON.parse((await typed('tsugite', 'acme', '--month', next, '--json')).out) as FieldReport;
    expect(told.billedNotInstalled).toMatchObject([{ target: at(2).heater, software: 'heater.acme', yen: 110 }]);
    const others = JSON.parse(
      (await typed('tsugite-server', 'operator', '--provider', 'other', '--month', next, '--json')).out,
    ) as FieldReport;
    expect(others.billedNotInstalled.map(({ software }) => software)).toEqual(Array(4).fill('lamp.other'));
  });

  test('says no to another’s software, with exit 1 and its number', async () => {
    const { status, out } = await typed('tsugite', 'other', '--software', 'heater.acme', '--json');
    expect([status, JSON.parse(out).code]).toEqual([1, 'NOT_FOUND']);
  });
});

describe('a provider', () => {
  const paths = ['', '/installs', '/failures', '/measurements'];

  test('sees nothing of another’s software, by no filter', async () => {
    for (const path of paths.slice(1))
      for (const row of (await rig.ask('provider:other', 'GET', `/report${path}`)).body.items as { software: string }[])
        expect(row.software).toBe('lamp.other');
    for (const path of paths) {
      const strange = await rig.ask('provider:other', 'GET', `/report${path}?software=heater.acme`);
      const unknown = await rig.ask('provider:other', 'GET', `/report${path}?software=nothing.acme`);
      expect([strange.status, unknown.status]).toEqual([404, 404]);
      expect(JSON.stringify(strange.body).replaceAll('heater', '')).toBe(JSON.stringify(unknown.body).replaceAll('nothing', ''));
      expect((await rig.ask('provider:other', 'GET', `/report${path}?provider=acme`)).status).toBe(404);
    }
  });

  test('sees no home: no gateway, no target, no site and no customer', async () => {
    const told = await Promise.all(
      paths.map(async (path) => JSON.stringify((await rig.ask('provider:acme', 'GET', `/report${path}`)).body)),
    );
    for (const { gateway, heater, lamp } of homes) for (const id of [gateway, heater, lamp]) expect(told.join()).not.toContain(id);
  });

  test('is the only role beside operator and viewer', async () => {
    const answers = await Promise.all(['technician', 'viewer', 'nobody'].map(async (who) => (await rig.ask(who, 'GET', '/report')).status));
    expect(answers).toEqual([403, 200, 401]);
  });
});
