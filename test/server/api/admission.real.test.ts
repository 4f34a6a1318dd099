import { createHash, randomBytes } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { keyFile } from '../../support/openssl.ts';
import { aFile, aPackage } from '../../support/packages.ts';
import { aPeopleSide, type PeopleSideRig } from '../../support/people-side.ts';
import { aRootCa, aSigner } from '../../support/provider-pki.ts';

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
  software = `heater-${names}.acme`;
});

/** Content that brotli cannot make smaller. */
const bulk = (bytes: number) => aFile('bulk.bin', randomBytes(bytes));

describe('an upload is admitted', () => {
  test('with its sizes measured, its classes, its work order and its file', async () => {
    const bytes = rig.aPackage({ software });
    const { status, body } = await rig.admit(bytes);
    expect(status).toBe(201);
    const sha256 = createHash('sha256').update(bytes).digest('hex');
    expect(body).toMatchObject({ software, version: '1.0.0', sha256, isRepeat: false });
    expect(body.admission).toMatchObject({ kind: 'admit', work: 'new', menu: 1, plan: 1, storedBytes: bytes.length, refusedModels: [] });
    expect(rig.packageFiles()).toContain(sha256);
    expect(rig.uploads()).toEqual([]);
    const [row] = await rig.db.query('SELECT kind FROM work_order_items WHERE software_id = $1', [software]);
    expect(row).toEqual({ kind: 'new' });
  });

  test('once: the same bytes again are the same release, and no second work fee', async () => {
    const bytes = rig.aPackage({ software });
    const first = await rig.admit(bytes);
    const again = await rig.admit(bytes);
    expect(again.body).toMatchObject({ release: first.body.release, isRepeat: true });
    expect(await rig.db.query('SELECT kind FROM work_order_items WHERE software_id = $1', [software])).toHaveLength(1);
  });

  test('as a change work when its version is higher', async () => {
    await rig.admit(rig.aPackage({ software }));
    expect((await rig.admit(rig.aPackage({ software, version: '1.1.0' }))).body.admission).toMatchObject({ work: 'change' });
  });

  test('as one more package of a release: stored bytes add up to the menu, the largest makes the plan', async () => {
    const first = rig.aPackage({ software, models: ['PR-400KI'] }, [aFile('main.js'), bulk(2_000_000)]);
    const second = rig.aPackage({ software, models: ['PR-500KI'] }, [aFile('main.js'), bulk(4_000_000)]);
    await rig.admit(first);
    const { body } = await rig.admit(second);
    expect(body.admission).toMatchObject({ menu: 2, plan: 3, storedBytes: first.length + second.length });
    expect((body.admission as { work?: string }).work).toBeUndefined();
  });

  test('for the models that can take it, and the others are named with their limit', async () => {
    const bytes = rig.aPackage({ software, models: ['PR-400KI', 'RT-500MI'] }, [aFile('main.js', ''), bulk(6_000_000)]);
    expect((await rig.admit(bytes)).body.admission).toMatchObject({
      refusedModels: [{ model: 'PR-400KI', code: 'SIZE_OVER_LIMIT', limit: 6_000_000, actual: 6_000_000 }],
    });
  });
});

describe('an upload is refused, and nothing of it stays', () => {
  test.each<[string, number, string, () => Buffer]>([
    ['one bit flipped in the payload', 422, 'E2', () => flipped(rig.aPackage({ software }), -1600)],
    ['cut short', 422, 'E220', () => rig.aPackage({ software }).subarray(0, 2000)],
    ['empty', 422, 'E2', () => Buffer.alloc(0)],
    ['7.5 M installed', 422, 'E303', () => rig.aPackage({ software }, [aFile('main.js', ''), aFile('zero.bin', Buffer.alloc(7_500_000))])],
    ['for a model that nobody knows', 422, 'E712', () => rig.aPackage({ software, models: ['SG-100KI'] })],
    ['without Japanese for the household', 422, 'E711', () => rig.aPackage({ software, customer: information('A heater') })],
    ['without customer information', 422, 'E711', () => rig.aPackage({ software, customer: undefined })],
    [
      'too large for every model that it names',
      422,
      'E304',
      () => rig.aPackage({ software, models: ['PR-400KI'] }, [aFile('main.js', ''), bulk(6_000_000)]),
    ],
    ['asking for more memory than every model has', 422, 'E308', () => rig.aPackage({ software, resources: resources(200 * 1024 * 1024) })],
    ['of a provider that is not registered', 404, 'E953', () => rig.aPackage({ software, provider: 'nobody' })],
  ])('%s', async (_, status, number, bytes) => {
    const before = rig.packageFiles();
    const reply = await rig.admit(bytes());
    expect([reply.status, String(reply.body.number).slice(0, number.length)]).toEqual([status, number]);
    expect(reply.body).toMatchObject({ ja: expect.any(String), en: expect.any(String), remedy: { ja: expect.any(String) } });
    expect(rig.packageFiles()).toEqual(before);
    expect(rig.uploads()).toEqual([]);
    expect(await rig.db.query('SELECT id FROM software WHERE id = $1', [software])).toEqual([]);
  });

  test('at 25 M, before it is stored or looked at', async () => {
    const reply = await rig.admit(Buffer.alloc(25_000_000));
    expect(reply.body).toMatchObject({ number: 'E302', context: { limit: 25_000_000 } });
    expect(rig.uploads()).toEqual([]);
  });

  test('with a lower version, or with another content under the same version and model', async () => {
    await rig.admit(rig.aPackage({ software, version: '2.0.0' }));
    expect((await rig.admit(rig.aPackage({ software, version: '1.9.9' }))).body).toMatchObject({
      number: 'E713',
      context: { expected: '2.0.0', found: '1.9.9' },
    });
    expect((await rig.admit(rig.aPackage({ software, version: '2.0.0' }, [aFile('main.js', 'other')]))).body.number).toBe('E713');
  });

  test('when the software id belongs to another provider, for ever', async () => {
    await rig.admit(rig.aPackage({ software }));
    expect((await rig.admit(rig.aPackage({ software, provider: 'other', version: '9.0.0' }))).body).toMatchObject({ number: 'E714' });
  });

  test('when a provider uploads what another one signed', async () => {
    expect(await rig.upload(rig.aPackage({ software, provider: 'other' }), 'provider:acme')).toMatchObject({
      status: 403,
      body: { number: 'E952' },
    });
  });

  test('when it was signed under a CA that the root does not pin', async () => {
    const strangerCa = aRootCa({ keyFile: keyFile('stranger') });
    const foreign = aPackage({ signer: aSigner(strangerCa), chain: [] }, { manifest: { software } });
    expect((await rig.admit(foreign)).body).toMatchObject({ number: 'E202' });
  });
});

test('with M = 2^20 a size in the grey band is admitted in the lower class, and says so', async () => {
  const inMiB = await aPeopleSide({ unitBytes: 1_048_576 });
  await inMiB.aProvider('acme');
  const content = () => [aFile('main.js', ''), bulk(1_550_000)];
  expect((await inMiB.admit(inMiB.aPackage({ software }, content()))).body.admission).toMatchObject({ plan: 1, flags: ['SIZE_UNIT_GREY'] });
  expect((await rig.admit(rig.aPackage({ software }, content()))).body.admission).toMatchObject({ plan: 2, flags: ['SIZE_UNIT_GREY'] });
  await inMiB.stop();
});

test('two uploads of one new software at the same time are two packages of it, or one refusal: never two owners', async () => {
  const replies = await Promise.all([
    rig.admit(rig.aPackage({ software })),
    rig.admit(rig.aPackage({ software, provider: 'other' })),
    rig.admit(rig.aPackage({ software, version: '1.0.1' })),
  ]);
  const [row] = await rig.db.query<{ provider: string }>('SELECT provider_id AS provider FROM software WHERE id = $1', [software]);
  expect(['acme', 'other']).toContain(row?.provider);
  expect(replies.every(({ status }) => status === 201 || status === 422)).toBe(true);
});

function flipped(bytes: Buffer, at: number): Buffer {
  const copy = Buffer.from(bytes);
  const place = at < 0 ? copy.length + at : at;
  copy[place] = (copy[place] as number) ^ 1;
  return copy;
}

function information(description: string) {
  return { description, price: '110', leadTimeDays: 1, contact: 'x', termsUrl: 'https://acme.example.jp/' };
}

function resources(memoryBytes: number) {
  return { memoryBytes, cpuPercent: 25, pids: 16, dataBytes: 65_536 };
}
