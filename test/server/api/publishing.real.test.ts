import { createHash } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { aFile } from '../../support/packages.ts';
import { aPeopleSide, type PeopleSideRig, type Reply } from '../../support/people-side.ts';
import { revokeSigners } from '../../support/roots.ts';

let rig: PeopleSideRig;
let software: string;
let names = 0;
beforeAll(async () => {
  rig = await aPeopleSide();
  for (const provider of ['acme', 'other']) await rig.aProvider(provider);
});
afterAll(() => rig.stop());
beforeEach(() => {
  names += 1;
  software = `lamp-${names}.acme`;
  rig.clock.offsetMs = 0;
});

const sha256Of = (bytes: Buffer) => createHash('sha256').update(bytes).digest('hex');
const acme = (method: 'GET' | 'POST', url: string, body?: object) => rig.ask('provider:acme', method, url, body);
const idOf = ({ body }: Reply) => String(body.release);
const upload = async (manifest: Record<string, unknown> = {}, who = 'provider:acme') =>
  idOf(await rig.upload(rig.aPackage({ software, ...manifest }), who));
const quote = async (...releases: string[]) => (await acme('POST', '/registrations/quote', { releases })).body;
const accepted = ({ oneOffYen, monthlyYen }: Record<string, unknown>) => ({ oneOffYen, monthlyYen });
const register = (releases: string[], accept: object) => acme('POST', '/registrations', { releases, accept });
const publish = async (...releases: string[]) => register(releases, accepted(await quote(...releases)));
const orders = async () => {
  const { body } = await acme('GET', '/work-orders');
  return (body.items as { state: string; items: { software: string }[] }[]).filter(({ items }) =>
    items.some((one) => one.software === software),
  );
};
const softwareRow = async () =>
  (
    await rig.db.query<Record<string, unknown>>('SELECT provider_id AS provider, state, registered_at FROM software WHERE id = $1', [
      software,
    ])
  )[0];
const releaseRows = () => rig.db.query('SELECT id, state, work_order_id FROM releases WHERE software_id = $1', [software]);
const w1 = { oneOffYen: 29_480, monthlyYen: 11_000 };

describe('an upload of a provider is measured', () => {
  test('and costs nothing, claims nothing, and is no release', async () => {
    const bytes = rig.aPackage({ software });
    const { status, body } = await rig.upload(bytes);
    expect([status, body]).toMatchObject([
      201,
      {
        software,
        version: '1.0.0',
        sha256: sha256Of(bytes),
        state: 'MEASURED',
        isRepeat: false,
        admission: { kind: 'admit', menu: 1, plan: 1 },
      },
    ]);
    expect(rig.packageFiles()).toContain(sha256Of(bytes));
    expect([await softwareRow(), await releaseRows(), await orders()]).toEqual([undefined, [], []]);
    expect((await acme('GET', `/releases?software=${software}`)).body.items).toEqual([]);
    const { customerId } = await rig.aCustomer();
    expect((await rig.order(customerId, { software })).body.code).toBe('NOT_FOUND');
  });

  test('once, however often the line breaks: the same bytes are the same upload', async () => {
    const bytes = rig.aPackage({ software });
    const first = await rig.upload(bytes);
    expect((await rig.upload(bytes)).body).toMatchObject({ release: idOf(first), isRepeat: true, state: 'MEASURED' });
    expect(await rig.db.query('SELECT id FROM measured_releases WHERE software_id = $1', [software])).toHaveLength(1);
  });

  test('with its further packages: all of them count', async () => {
    const first = rig.aPackage({ software, models: ['PR-400KI'] });
    const second = rig.aPackage({ software, models: ['PR-500KI'] });
    const release = idOf(await rig.upload(first));
    expect(idOf(await rig.upload(second))).toBe(release);
    expect(await quote(release)).toMatchObject({ ...w1, releases: [{ storedBytes: first.length + second.length, work: 'new' }] });
  });

  test('signed anew before it is registered, it takes the place of the one before, file and all', async () => {
    const [old, renewed] = ['2031', '2034'].map((year) => rig.aPackage({ software }, undefined, { to: `${year}0101000000Z` })) as [
      Buffer,
      Buffer,
    ];
    const release = idOf(await rig.upload(old));
    expect((await rig.upload(renewed)).body).toMatchObject({ release, state: 'MEASURED', admission: { kind: 'resign' } });
    expect(rig.packageFiles()).not.toContain(sha256Of(old));
    expect(rig.packageFiles()).toContain(sha256Of(renewed));
  });

  test('by the same rules as an admission', async () => {
    const refusals: [string, Record<string, unknown>][] = [
      ['MODEL_UNKNOWN', { models: ['SG-100KI'] }],
      ['CUSTOMER_INFO_MISSING', { customer: { description: 'x', price: '0', leadTimeDays: 1, contact: 'x', termsUrl: 'https://a.jp/' } }],
    ];
    const files = rig.packageFiles();
    for (const [code, manifest] of refusals) expect((await rig.upload(rig.aPackage({ software, ...manifest }))).body.code).toBe(code);
    expect(rig.packageFiles()).toEqual(files);
  });

  test('twenty of a provider wait at most: a disk is not filled for nothing', async () => {
    await rig.aProvider('eager');
    const eager = (index: number) =>
      rig.upload(rig.aPackage({ provider: 'eager', software: `lamp-${index}.eager` }, [aFile('main.js', 'x')]), 'provider:eager');
    for (let index = 0; index < 20; index += 1) expect((await eager(index)).status).toBe(201);
    expect((await eager(20)).body).toMatchObject({ number: 'E723', context: { limit: 20, actual: 20 } });
    const { body } = await rig.ask('provider:eager', 'GET', '/uploads?limit=1');
    const [{ release }] = body.items as [{ release: string }];
    expect((await rig.ask('provider:eager', 'POST', `/uploads/${release}/discard`)).body).toEqual({ release, discarded: true });
    expect((await eager(20)).status).toBe(201);
  });
});

describe('a registration', () => {
  test('at the accepted price completes a work order, publishes the software, and is charged', async () => {
    const release = await upload();
    expect(await quote(release)).toMatchObject({ ...w1, firstChargedMonth: expect.stringMatching(/^\d{4}-\d{2}$/) });
    const { status, body } = await publish(release);
    expect([status, body]).toMatchObject([
      201,
      {
        state: 'COMPLETED',
        provider: 'acme',
        isRepeat: false,
        accepted: w1,
        items: [{ software, work: 'new', release, releaseState: 'ADMITTED', menu: 1 }],
      },
    ]);
    expect(await softwareRow()).toMatchObject({ provider: 'acme', state: 'PUBLISHED', registered_at: expect.any(Date) });
    expect(await releaseRows()).toEqual([{ id: release, state: 'ADMITTED', work_order_id: body.order }]);
    const events = await rig.db.query('SELECT event, from_state, to_state FROM software_events WHERE software_id = $1 ORDER BY id', [
      software,
    ]);
    expect(events).toEqual([
      { event: 'measured', from_state: 'DRAFT', to_state: 'MEASURED' },
      { event: 'registered', from_state: 'MEASURED', to_state: 'REGISTERED' },
      { event: 'published', from_state: 'REGISTERED', to_state: 'PUBLISHED' },
    ]);
    expect(await rig.db.query('SELECT menu FROM software_classes WHERE software_id = $1', [software])).toEqual([{ menu: 1 }]);
    const { customerId } = await rig.aCustomer();
    expect((await rig.order(customerId, { software }, 'provider:acme')).status).toBe(201);
  });

  test('at any other price is refused with both sums, and nothing is charged', async () => {
    const release = await upload();
    for (const accept of [
      { ...w1, oneOffYen: 29_370 },
      { ...w1, monthlyYen: 22_000 },
      { oneOffYen: 0, monthlyYen: 0 },
    ])
      expect(await register([release], accept)).toMatchObject({
        status: 422,
        body: { number: 'E722', context: { expected: w1, found: accept } },
      });
    expect([await softwareRow(), await releaseRows(), await orders()]).toEqual([undefined, [], []]);
    expect((await register([release], w1)).status).toBe(201);
  });

  test('again is the same order: charged once', async () => {
    const bytes = rig.aPackage({ software });
    const release = idOf(await rig.upload(bytes));
    const first = await publish(release);
    expect((await register([release], w1)).body).toMatchObject({ order: first.body.order, isRepeat: true });
    expect((await register([release], { oneOffYen: 1, monthlyYen: 1 })).body).toMatchObject({ order: first.body.order, isRepeat: true });
    expect(await orders()).toHaveLength(1);
    expect((await rig.upload(bytes)).body).toMatchObject({ release, state: 'ADMITTED', isRepeat: true });
  });

  test('that comes eight times at once is one order', async () => {
    const release = await upload();
    const replies = await Promise.all(Array.from({ length: 8 }, () => register([release], w1)));
    expect(new Set(replies.map(({ body }) => body.order)).size).toBe(1);
    expect(replies.filter(({ body }) => body.isRepeat === false)).toHaveLength(1);
    expect(await orders()).toHaveLength(1);
  });

  test('W13: two software in one order share the basic fee', async () => {
    const [one, two] = [await upload(), await upload({ software: `${software}.second` })];
    expect(await quote(one, two)).toMatchObject({ oneOffYen: 57_860, monthlyYen: 22_000 });
    expect((await publish(one, two)).body).toMatchObject({ state: 'COMPLETED', items: [{ work: 'new' }, { work: 'new' }] });
    expect(await orders()).toHaveLength(1);
    expect(await register([one], w1)).toMatchObject({ status: 409, body: { code: 'CONFLICT' } });
  });

  test('W14: a new release is 変更, and its version has to be higher', async () => {
    await publish(await upload());
    const next = await upload({ version: '1.1.0' });
    expect(await quote(next)).toMatchObject({ oneOffYen: 26_400, releases: [{ work: 'change' }] });
    expect((await publish(next)).body).toMatchObject({ items: [{ work: 'change', version: '1.1.0' }] });
    expect((await rig.upload(rig.aPackage({ software, version: '1.0.9' }))).body.number).toBe('E713');
  });

  test('W15: a package for a further model of a registered release is その他変更; its targets pay its plan', async () => {
    await publish(await upload({ models: ['PR-400KI'] }));
    const { customerId } = await rig.aCustomer();
    await rig.order(customerId, { software });
    const added = await upload({ models: ['PR-500KI'] });
    expect(await quote(added)).toMatchObject({ oneOffYen: 5_500, monthlyYen: 11_110, releases: [{ work: 'other', targets: 1 }] });
    const { body } = await publish(added);
    expect(body).toMatchObject({ state: 'COMPLETED', items: [{ work: 'other', version: '1.0.0', releaseState: 'ADMITTED' }] });
    expect(await releaseRows()).toHaveLength(1);
    expect(
      await rig.db.query('SELECT p.models FROM packages p JOIN releases r ON r.id = p.release_id WHERE r.software_id = $1', [software]),
    ).toHaveLength(2);
    expect((await register([added], { oneOffYen: 5_500, monthlyYen: 11_110 })).body).toMatchObject({ order: body.order, isRepeat: true });
  });

  test('proves the files once more: a signer that was revoked since the upload registers nothing', async () => {
    const release = idOf(await rig.upload(rig.aPackage({ software }, undefined, { serial: '7C01' })));
    await revokeSigners(rig.db, ['7c01']);
    expect(await register([release], w1)).toMatchObject({ status: 422, body: { code: 'SIGNING_KEY_UNKNOWN' } });
    expect(await orders()).toEqual([]);
  });

  test('of what was prohibited meanwhile is refused', async () => {
    await publish(await upload());
    const next = await upload({ version: '2.0.0' });
    await rig.ask('operator', 'POST', `/software/${software}/prohibit`, { reason: 'x' });
    expect((await acme('POST', '/registrations/quote', { releases: [next] })).body.number).toBe('E702');
    expect((await register([next], { oneOffYen: 26_400, monthlyYen: 11_000 })).body.number).toBe('E702');
  });

  test('tells every fault of its body at once', async () => {
    expect((await acme('POST', '/registrations', { releases: ['x'], accept: { oneOffYen: -1 }, more: 1 })).body.context).toMatchObject({
      faults: [{ field: 'releases.0' }, { field: 'accept.oneOffYen' }, { field: 'accept.monthlyYen' }, { field: '(top)' }],
    });
  });
});

describe('a hostile provider', () => {
  const other = (method: 'GET' | 'POST', url: string, body?: object) => rig.ask('provider:other', method, url, body);
  const notFound = { status: 404, body: { code: 'NOT_FOUND' } };
  /** The same answer as for what was never there, down to the words. */
  const asUnknown = async (url: string, id: string, body?: object) => {
    const unknown = 'z'.repeat(26);
    const [found, never] = [
      await other('POST', url, body),
      await other('POST', url.replace(id, unknown), JSON.parse(JSON.stringify(body ?? {}).replaceAll(id, unknown))),
    ];
    expect(found).toMatchObject(notFound);
    expect(JSON.stringify(found.body).replaceAll(id, unknown)).toBe(JSON.stringify(never.body));
  };

  test('cannot see, price, register or discard what another one uploaded', async () => {
    const release = await upload();
    await asUnknown(`/uploads/${release}/discard`, release);
    await asUnknown('/registrations/quote', release, { releases: [release] });
    await asUnknown('/registrations', release, { releases: [release], accept: w1 });
    expect(JSON.stringify((await other('GET', '/uploads')).body)).not.toContain(software);
    for (const who of ['viewer', 'technician']) expect((await rig.ask(who, 'GET', '/uploads')).status).toBe(403);
    expect((await publish(release)).status).toBe(201);
  });

  test('cannot mix its own upload into an order with another’s', async () => {
    const [mine, theirs] = [await upload({ provider: 'other', software: `x.${software}` }, 'provider:other'), await upload()];
    expect(
      await other('POST', '/registrations', { releases: [mine, theirs], accept: { oneOffYen: 57_860, monthlyYen: 22_000 } }),
    ).toMatchObject(notFound);
    expect(
      await rig.ask('operator', 'POST', '/registrations', { releases: [mine, theirs], accept: { oneOffYen: 57_860, monthlyYen: 22_000 } }),
    ).toMatchObject({ status: 400 });
  });

  test('cannot squat a name by uploads: whoever registers first has it', async () => {
    const theirs = await upload({ provider: 'other' }, 'provider:other');
    const mine = await upload();
    expect((await publish(mine)).status).toBe(201);
    expect(await softwareRow()).toMatchObject({ provider: 'acme' });
    expect(await other('POST', '/registrations', { releases: [theirs], accept: w1 })).toMatchObject({
      status: 422,
      body: { number: 'E714' },
    });
    expect((await rig.upload(rig.aPackage({ software, provider: 'other', version: '9.0.0' }), 'provider:other')).body.number).toBe('E714');
  });

  test('cannot register what another one signed, nor admit anything at once', async () => {
    expect(await rig.upload(rig.aPackage({ software }), 'provider:other')).toMatchObject({ status: 403, body: { number: 'E952' } });
    expect((await rig.admit(rig.aPackage({ software, provider: 'other' }), 'provider:other')).status).toBe(403);
  });

  test('cannot halt, resume or withdraw another’s software, nor see or cancel its orders', async () => {
    const { body } = await publish(await upload());
    for (const wish of ['halt', 'resume'])
      expect(await other('POST', `/releases/${wish}`, { software, version: '1.0.0', reason: 'x' })).toMatchObject(notFound);
    expect(await other('POST', `/software/${software}/withdraw`, { reason: 'x' })).toMatchObject(notFound);
    const order = String(body.order);
    expect(await other('GET', `/work-orders/${order}`)).toMatchObject(notFound);
    await asUnknown(`/work-orders/${order}/cancel`, order, { reason: 'x' });
    expect(JSON.stringify((await other('GET', '/work-orders?provider=acme')).body)).not.toContain(order);
    for (const verb of ['complete', 'items']) expect((await other('POST', `/work-orders/${order}/${verb}`, {})).status).toBe(403);
    expect((await other('POST', '/work-orders', { provider: 'other' })).status).toBe(403);
  });
});

describe('what is not registered in time is dropped', () => {
  const dayMs = 86_400_000;
  const tidy = async () => {
    await rig.housekeeping.tidy();
  };

  test('after thirty days, file and all; a new package of it begins the time anew', async () => {
    const bytes = rig.aPackage({ software, models: ['PR-400KI'] });
    const release = idOf(await rig.upload(bytes));
    rig.clock.offsetMs = 29 * dayMs;
    await tidy();
    await rig.upload(rig.aPackage({ software, models: ['PR-500KI'] }));
    rig.clock.offsetMs = 58 * dayMs;
    await tidy();
    expect((await rig.upload(bytes)).body).toMatchObject({ release, isRepeat: true });
    rig.clock.offsetMs = 60 * dayMs;
    await tidy();
    expect(rig.packageFiles()).not.toContain(sha256Of(bytes));
    expect(await acme('POST', '/registrations/quote', { releases: [release] })).toMatchObject({ status: 404 });
    expect(await rig.db.query("SELECT actor FROM audit WHERE action = 'release.drop' AND subject = $1", [software])).toEqual([
      { actor: 'system' },
    ]);
  });

  test('a file that was replaced by a renewed signature stays for the life of a notice', async () => {
    const old = rig.aPackage({ software }, undefined, { to: '20310101000000Z' });
    await publish(idOf(await rig.upload(old)));
    await rig.upload(rig.aPackage({ software }, undefined, { to: '20340101000000Z' }));
    rig.clock.offsetMs = 20 * dayMs;
    await tidy();
    expect(rig.packageFiles()).toContain(sha256Of(old));
    await rig.sweepPackages();
    expect(rig.packageFiles()).toContain(sha256Of(old));
    rig.clock.offsetMs = 22 * dayMs;
    await tidy();
    expect(rig.packageFiles()).not.toContain(sha256Of(old));
  });

  test('files that no row names are swept, and no other', async () => {
    const [measured, registered] = [rig.aPackage({ software }), rig.aPackage({ software: `${software}.b` })];
    await rig.upload(measured);
    await publish(idOf(await rig.upload(registered)));
    const stray = sha256Of(Buffer.from(software));
    rig.strayFile(stray);
    expect(await rig.sweepPackages()).toBe(1);
    expect(rig.packageFiles()).toEqual(expect.arrayContaining([sha256Of(measured), sha256Of(registered)]));
    expect(rig.packageFiles()).not.toContain(stray);
  });
});
