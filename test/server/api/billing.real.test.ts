/** Months as they are closed: real PostgreSQL, every step through the API; only the clock is moved. */
import { createHash, randomBytes } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { insertFleet } from '../../../scripts/support/billed-fleet.ts';
import { japanMonth, lastDayOf, monthStartMs, nextMonth } from '../../../server/rules/japan-month.ts';
import { aFile } from '../../support/packages.ts';
import { aPeopleSide, type PeopleSideRig, type Reply } from '../../support/people-side.ts';

let rig: PeopleSideRig;
/** The month that follows now, and those after it. */
const first = nextMonth(japanMonth(Date.now()));
const second = nextMonth(first);
const third = nextMonth(second);
const fourth = nextMonth(third);

beforeEach(() => {
  rig.clock.offsetMs = 0;
});

/** `10 12:00` of a month in Japan. */
function goTo(month: string, time: string): void {
  const [day = '', clock = ''] = time.split(' ');
  rig.clock.offsetMs = Date.parse(`${month}-${day.padStart(2, '0')}T${clock}+09:00`) - Date.now();
}
const goToStartOf = (month: string) => {
  rig.clock.offsetMs = monthStartMs(month) - Date.now() + 1;
};
const close = (month: string, who = 'operator') => rig.ask(who, 'POST', `/billing/months/${month}/close`);
const invoicesOf = async (month: string, who = 'operator') =>
  (await rig.ask(who, 'GET', `/billing/months/${month}/invoices`)).body.items as {
    provider: string;
    documents: { kind: string; sha256: string }[];
  }[];
const paper = (month: string, provider: string, kind: string, who = 'operator') =>
  rig.download(who, `/billing/months/${month}/invoices/${provider}/${kind}`);
const invoice = async (month: string, provider: string) => JSON.parse((await paper(month, provider, 'json')).bytes.toString('utf8'));
const yenOf = ({ body }: Reply) => body.totalYen;
const refusal = (number: string) => ({ status: 422, body: { number } });

/** A provider with one software of three targets, all registered on the 10th of the first month. */
async function aSmallMonth(provider: string) {
  goTo(first, '10 12:00');
  const software = `heater.${provider}`;
  await rig.aProvider(provider, { name: `${provider} 株式会社` });
  expect((await rig.admit(rig.aPackage({ provider, software }))).status).toBe(201);
  const targets: { target: string; site: string; customerId: string }[] = [];
  for (let count = 0; count < 3; count += 1) {
    const { customerId, site } = await rig.aCustomer();
    targets.push({ target: String((await rig.order(customerId, { software })).body.target), site, customerId });
  }
  return { provider, software, targets };
}

describe('a month that is closed', () => {
  let small: Awaited<ReturnType<typeof aSmallMonth>>;
  beforeAll(async () => {
    rig = await aPeopleSide();
    small = await aSmallMonth('acme');
  });
  afterAll(() => rig.stop());

  test('is over: to its last moment in Japan it is refused (E801), at the first of the next it is closed', async () => {
    rig.clock.offsetMs = monthStartMs(second) - 1_000 - Date.now();
    expect(await close(first)).toMatchObject({ ...refusal('E801'), body: { context: { month: first } } });
    goToStartOf(second);
    expect(await close(first)).toMatchObject({
      status: 200,
      body: { month: first, isRepeat: false, invoices: 1, totalYen: 29_480, targets: 0 },
    });
  });

  test('costs W1’s sums: the initial fees in the month of registration, base and add-on fees from the next one on', async () => {
    goToStartOf(third);
    expect(yenOf(await close(second))).toBe(11_000 + 3 * 110);
    expect(await invoice(second, 'acme')).toMatchObject({
      number: `${second}-acme`,
      isQualified: true,
      recipient: { provider: 'acme', name: 'acme 株式会社' },
      totalYen: 11_330,
      taxYen: 1_030,
      lines: [
        { rule: 'base-monthly', menu: 1, unit: 'MB' },
        { rule: 'target-monthly', plan: 1, quantity: 3 },
      ],
      details: { rows: 3, file: `${second}-acme-targets.csv` },
    });
  });

  test('keeps its papers to the byte, whatever changes later and however often it is closed', async () => {
    goToStartOf(third);
    const before = await invoicesOf(second);
    const csv = (await paper(second, 'acme', 'csv')).bytes;
    await rig.db.query("UPDATE providers SET name = 'renamed' WHERE id = 'acme'");
    await rig.ask('operator', 'POST', `/targets/${small.targets[0]?.target}/cancel`, {});
    expect(await close(second)).toMatchObject({ status: 200, body: { isRepeat: true, totalYen: 11_330 } });
    expect(await invoicesOf(second)).toEqual(before);
    expect((await paper(second, 'acme', 'csv')).bytes.equals(csv)).toBe(true);
    await rig.db.query("UPDATE providers SET name = 'acme 株式会社' WHERE id = 'acme'");
    for (const table of ['billing_months', 'invoices', 'invoice_documents', 'invoice_document_parts', 'charged_work_orders'])
      for (const change of [`UPDATE ${table} SET month = month`, `DELETE FROM ${table}`])
        await expect(rig.db.query(change)).rejects.toThrow(/append-only/);
  });

  test('has papers whose bytes are those of their digests, as files to be saved', async () => {
    const [listed] = await invoicesOf(second);
    expect(listed?.documents.map(({ kind }) => kind)).toEqual(['csv', 'html', 'json', 'targets']);
    for (const { kind, sha256 } of listed?.documents ?? []) {
      const { status, bytes, headers } = await paper(second, 'acme', kind);
      expect([status, createHash('sha256').update(bytes).digest('hex'), Number(headers['content-length'])]).toEqual([
        200,
        sha256,
        bytes.length,
      ]);
      expect(headers['content-disposition']).toMatch(/^attachment; filename="[\d-]+acme(-targets)?\.(csv|html|json)"$/);
      expect(headers.etag).toBe(`"${sha256}"`);
    }
    const rows = (await paper(second, 'acme', 'targets')).bytes.toString('utf8').split('\r\n');
    expect(rows[0]).toMatch(/^\uFEFF配信対象,/);
    expect(
      rows
        .slice(1, -1)
        .map((row) => row.split(',')[0])
        .sort(),
    ).toEqual(small.targets.map(({ target }) => target).sort());
  });

  test('is in the audit with the digests of its papers', async () => {
    const [row] = await rig.db.query<{ detail: unknown }>("SELECT detail FROM audit WHERE action = 'billing.close' AND subject = $1", [
      second,
    ]);
    const [listed] = await invoicesOf(second);
    const sha256 = Object.fromEntries((listed?.documents ?? []).map((one) => [one.kind, one.sha256]));
    expect(row?.detail).toEqual({ invoices: [{ number: `${second}-acme`, totalYen: 11_330, sha256 }] });
  });

  test('shows a provider its own invoice and no other; only the operator closes', async () => {
    await rig.aProvider('other');
    expect((await close(second, 'provider:acme')).status).toBe(403);
    expect((await close(second, 'viewer')).status).toBe(403);
    expect(await invoicesOf(second, 'provider:other')).toEqual([]);
    expect((await rig.ask('provider:other', 'GET', `/billing/months/${second}`)).body).toMatchObject({ invoices: 0, totalYen: 0 });
    expect((await paper(second, 'acme', 'html', 'provider:other')).status).toBe(404);
    expect((await paper(second, 'acme', 'html', 'provider:acme')).status).toBe(200);
    expect((await paper(second, 'nobody-at-all', 'html')).status).toBe(404);
    expect((await rig.ask('provider:acme', 'GET', '/billing/months')).body).toMatchObject({
      items: [{ totalYen: 29_480 }, { totalYen: 11_330 }],
    });
  });

  test.each(['2026-13', '2026-1', '26-01', '2026-01-01', "2026-01';--"])('is named as YYYY-MM: %s is refused', async (month) => {
    expect((await close(encodeURIComponent(month))).status).toBe(400);
  });

  test('that was never closed is not found', async () => {
    expect((await rig.ask('operator', 'GET', '/billing/months/2001-01')).status).toBe(404);
    expect((await rig.ask('operator', 'GET', '/billing/months/2001-01/invoices')).status).toBe(404);
  });
});

describe('what is charged', () => {
  beforeAll(async () => {
    rig = await aPeopleSide();
  });
  afterAll(() => rig.stop());

  test('W11: a line cancelled on the last day, and ended after midnight, is charged no more in the next month', async () => {
    const { provider, targets } = await aSmallMonth('lines');
    const [lost] = targets;
    goTo(second, '20 12:00');
    const day = lastDayOf(second);
    const event = { kind: 'cancel-line', detail: {} };
    expect((await rig.ask('operator', 'POST', '/contract/events', { at: { site: lost?.site }, event, effectiveOn: day })).status).toBe(201);
    goToStartOf(third);
    rig.dayTick.start();
    await rig.dayTick.stop();
    const [row] = await rig.db.query<{ on: string; at: Date }>('SELECT ended_on AS on, ended_at AS at FROM targets WHERE id = $1', [
      lost?.target,
    ]);
    expect([row?.on, japanMonth(row?.at.getTime() ?? 0)]).toEqual([day, third]);
    goToStartOf(fourth);
    await close(second);
    await close(third);
    expect((await invoice(second, provider)).totalYen).toBe(11_330);
    expect((await invoice(third, provider)).totalYen).toBe(11_220);

    // Those months are closed now: what would have ended in an earlier one comes too late, and is charged as it was.
    const late = await rig.ask('operator', 'POST', '/contract/events', {
      at: { site: targets[1]?.site },
      event,
      effectiveOn: lastDayOf(first),
    });
    expect(late).toMatchObject({ ...refusal('E802'), body: { context: { month: third } } });
    const inTime = await rig.ask('operator', 'POST', '/contract/events', {
      at: { site: targets[1]?.site },
      event,
      effectiveOn: lastDayOf(third),
    });
    expect(inTime.status).toBe(201);
  });

  test('an end that a second person approves after the month was closed counts from the last month that was charged', async () => {
    const { targets } = await aSmallMonth('held');
    goTo(second, '20 12:00');
    await rig.ask('operator', 'POST', '/contract/events', { at: { site: targets[0]?.site }, event: { kind: 'cancel-line', detail: {} } });
    goToStartOf(fourth);
    await close(third);
    rig.dayTick.start();
    await rig.dayTick.stop();
    const [row] = await rig.db.query<{ on: string }>('SELECT ended_on AS on FROM targets WHERE id = $1', [targets[0]?.target]);
    expect(row?.on).toBe(lastDayOf(third));
  });

  test('W12: a software withdrawn in the month of its registration owes the initial fees only', async () => {
    const { provider, software } = await aSmallMonth('brief');
    goTo(first, '25 12:00');
    expect((await rig.ask('operator', 'POST', `/software/${software}/withdraw`, { reason: 'test' })).status).toBe(200);
    goToStartOf(third);
    await close(first);
    const charged = await rig.db.query('SELECT month, total_yen FROM invoices WHERE provider_id = $1 ORDER BY month', [provider]);
    expect(charged).toEqual([{ month: first, total_yen: 29_480 }]);
  });
});

describe('classes over the months', () => {
  beforeAll(async () => {
    rig = await aPeopleSide();
  });
  afterAll(() => rig.stop());

  test('W14: a larger release costs its work at once, and its menu and plan from the next month on', async () => {
    const { provider, software, targets } = await aSmallMonth('grow');
    goTo(second, '12 12:00');
    const noise = [aFile('main.js', randomBytes(5_100_000))];
    expect((await rig.admit(rig.aPackage({ provider, software, version: '1.1.0' }, noise))).status).toBe(201);
    const moved = await rig.ask('operator', 'POST', '/releases/deploy', { software, version: '1.1.0', targets: [targets[0]?.target] });
    expect(moved.status).toBe(200);
    goToStartOf(fourth);
    for (const month of [first, second, third]) await close(month);
    expect((await invoice(second, provider)).totalYen).toBe(26_400 + 11_330);
    const later = await invoice(third, provider);
    expect(later.totalYen).toBe(22_000 + 2 * 110 + 440);
    expect(later.lines.map((line: Record<string, unknown>) => [line.rule, line.menu ?? line.plan, line.quantity, line.flags])).toEqual([
      ['base-monthly', 2, 1, ['SIZE_UNIT_GREY']],
      ['target-monthly', 1, 2, []],
      ['target-monthly', 4, 1, []],
    ]);
  });

  test('a further package of the current release raises the class of the next month, for software and targets alike', async () => {
    const { software, provider } = await aSmallMonth('twice');
    await rig.db.query("UPDATE packages SET models = '{PR-400KI}' WHERE release_id IN (SELECT id FROM releases WHERE software_id = $1)", [
      software,
    ]);
    const noise = [aFile('main.js', randomBytes(1_600_000))];
    const admitted = await rig.admit(rig.aPackage({ provider, software, models: ['PR-500KI'] }, noise));
    expect(admitted).toMatchObject({ status: 201, body: { admission: { plan: 2 } } });
    const history = await rig.db.query('SELECT menu FROM software_classes WHERE software_id = $1 ORDER BY id', [software]);
    const plans = await rig.db.query(
      'SELECT p.plan FROM target_plans p JOIN targets t ON t.id = p.target_id WHERE t.software_id = $1 ORDER BY p.id',
      [software],
    );
    expect([history.length, plans.map(({ plan }) => plan)]).toEqual([2, [1, 1, 1, 2, 2, 2]]);
  });

  test('the history of classes is only added to', async () => {
    for (const table of ['software_classes', 'target_plans'])
      for (const change of [`UPDATE ${table} SET since = since`, `DELETE FROM ${table}`])
        await expect(rig.db.query(change)).rejects.toThrow(/append-only/);
  });
});

describe('the first moment of a month', () => {
  beforeAll(async () => {
    rig = await aPeopleSide();
  });
  afterAll(() => rig.stop());

  test('D-35: a class that is in force at it counts for the month, a millisecond later for the next', async () => {
    const { provider, software } = await aSmallMonth('edge');
    const menuFrom = (menu: number, atMs: number) =>
      rig.db.query(
        `INSERT INTO software_classes (software_id, release_id, menu, stored_bytes, unit_bytes, since)
         SELECT software_id, id, $2::int, $2::int * 5000000 - 1, 1000000, $3 FROM releases WHERE software_id = $1`,
        [software, menu, new Date(atMs)],
      );
    await menuFrom(2, monthStartMs(second));
    await menuFrom(3, monthStartMs(second) + 1);
    goToStartOf(fourth);
    for (const month of [second, third]) await close(month);
    const menus = [await invoice(second, provider), await invoice(third, provider)].map(({ lines }) => lines[0].menu);
    expect(menus).toEqual([2, 3]);
  });
});

describe('a close that cannot be', () => {
  beforeAll(async () => {
    rig = await aPeopleSide();
  });
  afterAll(() => rig.stop());

  test('for a class that is missing (E805) leaves nothing behind, other providers’ invoices included', async () => {
    await aSmallMonth('fine');
    const { software } = await aSmallMonth('lacking');
    await rig.db.query('ALTER TABLE target_plans DISABLE TRIGGER USER');
    await rig.db.query('DELETE FROM target_plans p USING targets t WHERE t.id = p.target_id AND t.software_id = $1', [software]);
    goToStartOf(third);
    expect(await close(second)).toMatchObject(refusal('E805'));
    for (const table of ['billing_months', 'invoices', 'invoice_documents', 'invoice_document_parts', 'charged_work_orders'])
      expect(await rig.db.query(`SELECT 1 FROM ${table}`)).toEqual([]);
    expect(await rig.db.query("SELECT 1 FROM audit WHERE action = 'billing.close'")).toEqual([]);
  });

  test('asked for twice at the same time closes once', async () => {
    goToStartOf(second);
    const replies = await Promise.all([close(first), close(first), close(first)]);
    expect(replies.map(({ status }) => status)).toEqual([200, 200, 200]);
    expect(replies.map(({ body }) => body.isRepeat).sort()).toEqual([false, true, true]);
    expect(new Set(replies.map(({ body }) => body.closedAt)).size).toBe(1);
  });

  test('a work that was committed after its month had been closed is charged in the next, once', async () => {
    const { software } = await aSmallMonth('late');
    const [order] = await rig.db.query<{ id: string }>(
      'SELECT w.id FROM work_orders w JOIN work_order_items i ON i.work_order_id = w.id WHERE i.software_id = $1',
      [software],
    );
    await rig.db.query("UPDATE software SET state = 'WITHDRAWN', cancelled_at = registered_at WHERE id LIKE '%.lacking'"); // of the test before
    await rig.db.query(
      "UPDATE targets SET state = 'TERMINATED', ended_at = ready_at, ended_on = ready_at::date, removed_reason = 'withdrawn' WHERE provider_id = 'lacking'",
    );
    goToStartOf(fourth);
    await close(second);
    await close(third);
    const charged = await rig.db.query('SELECT month FROM charged_work_orders WHERE work_order_id = $1', [order?.id]);
    expect(charged).toEqual([{ month: second }]);
    const { lines } = await invoice(second, 'late');
    expect(lines.at(-1)).toMatchObject({ rule: 'work-switch', work: 'new', workOrder: order?.id });
    expect(String(lines.at(-1).registeredFrom).slice(0, 7)).toBe(first);
  });
});

test('without a registration number nothing is closed (E803); an issuer that says none makes papers that say so', async () => {
  const unnamed = await aPeopleSide({ billing: { issuer: { name: '運用者' } } });
  const named = await aPeopleSide({ billing: { issuer: { name: '運用者', registrationNumber: 'none' } } });
  try {
    const month = '2026-01';
    expect(await unnamed.ask('operator', 'POST', `/billing/months/${month}/close`)).toMatchObject({
      ...refusal('E803'),
      body: { context: { fields: ['billing.registrationNumber'] } },
    });
    const fleet = await named.db.tx((sql) => insertFleet(sql, { targets: 4, providers: 1, softwarePerProvider: 1, month }));
    expect((await named.ask('operator', 'POST', `/billing/months/${month}/close`)).body).toMatchObject({ totalYen: fleet.totalYen });
    const { bytes } = await named.download('operator', `/billing/months/${month}/invoices/fleet-1/html`);
    expect(bytes.toString('utf8')).toContain('適格請求書（インボイス）ではありません');
  } finally {
    await unnamed.stop();
    await named.stop();
  }
});

describe('charged and not installed (D-23)', () => {
  let small: Awaited<ReturnType<typeof aSmallMonth>>;
  beforeAll(async () => {
    rig = await aPeopleSide();
    small = await aSmallMonth('acme');
  });
  afterAll(() => rig.stop());
  const listed = async (month: string, who = 'operator', query = '') =>
    (await rig.ask(who, 'GET', `/billing/months/${month}/not-installed${query}`)).body as {
      items: Record<string, unknown>[];
      next: string | null;
    };

  test('names each target with its reason and who has to act; what runs is not among them', async () => {
    const [failed, silent, running] = small.targets.map(({ target }) => target);
    await rig.db.query("UPDATE targets SET state = 'FAILED', state_codes = '{STORE_NO_SPACE}' WHERE id = $1", [failed]);
    await rig.db.query("UPDATE targets SET state = 'ACTIVE', committed_version = '1.0.0' WHERE id = $1", [running]);
    const { items } = await listed(second);
    expect(items.map(({ target, code, number, yen }) => [target, code, number, yen])).toEqual(
      [
        [failed, 'STORE_NO_SPACE', 'E305', 110],
        [silent, null, null, 110],
      ].sort(),
    );
    expect((await listed(first)).items).toEqual([]); // registered in that month, charged from the next one on
    expect((await listed(second, 'operator', '?software=light.acme')).items).toEqual([]);
  });

  test('tells a provider E100 in place of the customer’s contract, and nothing of other providers', async () => {
    const [held] = small.targets.map(({ target }) => target);
    await rig.db.query("UPDATE targets SET state = 'SUSPENDED', state_codes = '{ELIG_OFFICE_EQUIPMENT}' WHERE id = $1", [held]);
    const reasons = async (who: string) =>
      (await listed(second, who)).items.filter(({ target }) => target === held).map(({ number }) => number);
    expect(await reasons('operator')).toEqual(['E105']);
    expect(await reasons('provider:acme')).toEqual(['E100']);
    await rig.aProvider('other');
    expect((await listed(second, 'provider:other')).items).toEqual([]);
  });

  test('comes a page at a time', async () => {
    const page = await listed(second, 'operator', '?limit=1');
    expect([page.items.length, page.next]).toEqual([1, page.items[0]?.target]);
    expect((await listed(second, 'operator', `?limit=1&after=${page.next}`)).next).toBeNull();
  });
});

test('a generated fleet comes to the sum of its own arithmetic, in parts and by both papers', async () => {
  const fleetRig = await aPeopleSide();
  try {
    const month = '2026-03';
    const fleet = await fleetRig.db.tx((sql) => insertFleet(sql, { targets: 12_345, providers: 3, softwarePerProvider: 4, month }));
    const { body } = await fleetRig.ask('operator', 'POST', `/billing/months/${month}/close`);
    expect(body).toMatchObject({ invoices: 3, software: fleet.software, targets: fleet.charged, totalYen: fleet.totalYen });
    expect(Number(body.totalYen) % 110).toBe(0);
    let details = 0;
    for (const provider of ['fleet-1', 'fleet-2', 'fleet-3']) {
      const at = `/billing/months/${month}/invoices/${provider}`;
      const found = JSON.parse((await fleetRig.download('operator', `${at}/json`)).bytes.toString('utf8'));
      const addOn = found.lines.filter((line: { rule: string }) => line.rule === 'target-monthly');
      const rows = (await fleetRig.download('operator', `${at}/targets`)).bytes.toString('utf8').split('\r\n').slice(1, -1);
      const sum = rows.reduce((yen, row) => yen + Number(row.split(',')[7]), 0);
      expect([rows.length, sum]).toEqual([
        found.targets,
        addOn.reduce((yen: number, line: { amountYen: number }) => yen + line.amountYen, 0),
      ]);
      details += rows.length;
    }
    expect(details).toBe(fleet.charged);
  } finally {
    await fleetRig.stop();
  }
});
