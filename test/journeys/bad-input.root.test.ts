/**
 * Bad input, from every side, against running programs: one server, two emulated gateways, then a thief in the server's place. Each refusal says
 * number, code, expected and found, and what to do; and it changes nothing on the disk.
 */
import { execFile, execFileSync } from 'node:child_process';
import { generateKeyPairSync, randomBytes } from 'node:crypto';
import {
  appendFileSync,
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statfsSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Digest, type GatewayId, gatewayId, modelName } from '../../protocol/fields.ts';
import type { Notice, Target } from '../../protocol/statements/notice.ts';
import type { EmulatedGateway } from '../../provider/emulator/index.ts';
import { ask, repository, stopped, tellProgram } from '../../scripts/story/programs.ts';
import { gatewayEnrolled } from '../../scripts/story/steps/gateway-enrolled.ts';
import { packageSigned } from '../../scripts/story/steps/package-signed.ts';
import { providerCertified } from '../../scripts/story/steps/provider-certified.ts';
import { releaseAdmitted } from '../../scripts/story/steps/release-admitted.ts';
import { trustEstablished } from '../../scripts/story/steps/trust-established.ts';
import { seen } from '../../scripts/story/story.ts';
import { customers, gatewayOf, makeWorld, operator, operatorOptions, type World } from '../../scripts/story/world.ts';
import { openDatabase } from '../../server/adapters/database.ts';
import { installedOn, logged, pageOf, statusOf, trustOn, type Why, whySeen } from '../support/at-the-gateway.ts';
import { aPackageOfDemo, badPackages, type Certified, digestOfManifest } from '../support/bad-packages.ts';
import { ago, appliedNotice, day, inPlaceOfTheServer } from '../support/home-under-attack.ts';
import { anId, aTarget, signNotice } from '../support/mint.ts';
import type { StolenServer } from '../support/stolen-server.ts';
import { treeOf } from '../support/tree.ts';

const smallDiskBytes = 16_000_000;
let folder: string;
let world: World;
let target: string;

beforeAll(async () => {
  folder = mkdtempSync(path.join(tmpdir(), 'tsugite-bad-'));
  chmodSync(folder, 0o711);
  world = await makeWorld(folder);
  for (const step of [trustEstablished, providerCertified, packageSigned, releaseAdmitted, gatewayEnrolled]) await step.run(world);
  target = String((await order(customers.eligible.id)).json.target);
  await seen(
    'demo.ipv4 is committed',
    25_000,
    async () => (await operator(world, 'target', 'show', target)).state === 'ACTIVE' || undefined,
  );
}, 90_000);
afterAll(async () => {
  await world.emulator?.stop();
  if (world.server !== undefined) await stopped(world.server, 10_000);
  if (existsSync(path.join(folder, 'gateways/gw-small/lost+found'))) execFileSync('umount', [path.join(folder, 'gateways/gw-small')]);
  rmSync(folder, { recursive: true, force: true });
}, 30_000);

const inFolder = (name: string): string => path.join(folder, name);
const order = (customer: string, software = 'demo.ipv4') =>
  ask('server', ['target', 'order', software, '--customer-id', customer, '--consent', 'D-0001', ...operatorOptions(world)]);

/** What every failure of every program says. */
const toldWell = {
  ok: false,
  ja: expect.stringMatching(/[ぁ-ん]/),
  en: expect.any(String),
  remedy: { ja: expect.any(String), en: expect.any(String) },
};
const difference = { expected: expect.anything(), found: expect.anything() };

// ---------------------------------------------------------------------------------------------------------------- settings

describe('a configuration with three faults names all three, and nothing is made', () => {
  const cases = [
    ['agent', { model: 'PR-1', page: { listen: ['everywhere'] }, log: { level: 'loud' } }, ['model', 'page.listen.0', 'log.level']],
    ['server', { people: { port: 99_999 }, sizeUnit: 'kB', unknown: 1 }, ['people.port', 'sizeUnit', '(top)']],
  ] as const;
  test.each(cases)('%s', async (program, config, fields) => {
    const file = inFolder(`${program}-faulty.json`);
    writeFileSync(file, JSON.stringify(config));
    const data = inFolder(`${program}-faulty`);
    const { status, json } = await ask(program, [program === 'agent' ? 'run' : 'init', '--data', data, '--config', file]);
    expect([status, json]).toMatchObject([1, { ...toldWell, number: 'E930', code: 'CONFIG_INVALID' }]);
    const { faults } = json.detail as { faults: { field: string; fault: string }[] };
    expect(faults.map(({ field }) => field).sort()).toEqual([...fields].sort());
    for (const { field, fault } of faults) expect(json.ja).toSatisfy((text: string) => text.includes(field) && text.includes(fault));
    expect(existsSync(data)).toBe(false);
  });
});

// ---------------------------------------------------------------------------------------------------------------- packages

describe('a bad package is refused by `tsugite verify` and by admission', () => {
  test.each(badPackages)('$name: $number', async ({ file, number, code, layer }) => {
    const bytes = file(world, 'bad.demo');
    const place = inFolder('bad.tsg');
    writeFileSync(place, bytes);
    const before = [treeOf(path.join(world.serverData, 'packages')), treeOf(world.providerFolder)];
    const root = path.join(world.serverData, 'pki/root.1.dsse.json');
    const [checked, admitted] = [
      await ask('provider', ['verify', place, '--root', root]),
      await ask('server', ['release', 'admit', place, ...operatorOptions(world)]),
    ];
    expect([checked.status, checked.json]).toMatchObject([3, { ...toldWell, ...difference, number, code, layer }]);
    expect([admitted.status, admitted.json]).toMatchObject([3, { ...toldWell, ...difference, number, code }]);
    expect([treeOf(path.join(world.serverData, 'packages')), treeOf(world.providerFolder)]).toEqual(before);
    expect(readFileSync(place).equals(bytes)).toBe(true);
  });
});

test('software for another model only is not even ordered: E207, with the models that it has', async () => {
  writeFileSync(inFolder('other-model.tsg'), aPackageOfDemo(world, 'other.model', { models: ['PR-500KI'] }));
  await operator(world, 'release', 'admit', inFolder('other-model.tsg'));
  const { status, json } = await order(customers.eligible.id, 'other.model');
  expect([status, json]).toMatchObject([3, { ...toldWell, number: 'E207', code: 'PKG_WRONG_MODEL' }]);
});

test('one bit flipped in the file that the server keeps: fetched twice, then E203, and what ran goes on', async () => {
  const gateway = gatewayOf(world);
  const file = aPackageOfDemo(world, 'demo.ipv4', { version: '1.0.1' });
  writeFileSync(inFolder('next.tsg'), file);
  const { sha256 } = (await operator(world, 'release', 'admit', inFolder('next.tsg'))) as { sha256: string };
  const kept = path.join(world.serverData, 'packages', sha256);
  const flipped = readFileSync(kept);
  flipped[2000] = (flipped[2000] as number) ^ 1;
  writeFileSync(kept, flipped);
  const before = installedOn(gateway);
  await operator(world, 'release', 'deploy', 'demo.ipv4', '1.0.1');
  const why = await whySeen(gateway, 'demo.ipv4', (reason) => reason.number === 'E203');
  expect(why).toMatchObject({ reason: { code: 'PKG_DIGEST_MISMATCH' }, next: { ja: expect.any(String) } });
  expect(await logged(gateway, 'E203')).toMatchObject({ detail: { expected: sha256, found: expect.stringMatching(/^[0-9a-f]{64}$/) } });
  expect(installedOn(gateway)).toEqual(before);
  expect((await statusOf(gateway)).software).toMatchObject([{ software: 'demo.ipv4', version: '1.0.0' }]);
});

// ---------------------------------------------------------------------------------------------------------------- enrolment

describe('enrolment', () => {
  let small: EmulatedGateway;
  let invitation: { token: string };
  const agent = (...args: string[]): Promise<{ status: number; json: Record<string, unknown> }> =>
    new Promise((resolve) => {
      const inside = [`--net=/run/netns/${small.namespace}`, process.execPath, path.join(repository, 'dist/agent/main.js')];
      const child = execFile('nsenter', [...inside, ...args, '--json', '--config', `${small.dataDir}.run/agent.json`], (_error, stdout) =>
        resolve({ status: child.exitCode ?? -1, json: JSON.parse(stdout) }),
      );
    });
  const enroll = async (data: string, token: string) => {
    writeFileSync(inFolder('try.json'), JSON.stringify({ ...invitation, token }));
    return agent('enroll', '--invitation', inFolder('try.json'), '--data', data);
  };

  beforeAll(async () => {
    const dataDir = inFolder('gateways/gw-small');
    mkdirSync(dataDir, { recursive: true });
    const image = inFolder('small.ext4');
    writeFileSync(image, '');
    truncateSync(image, smallDiskBytes);
    execFileSync('mkfs.ext4', ['-q', '-F', '-m', '0', image]);
    execFileSync('mount', ['-o', 'loop', image, dataDir]);
    const { site } = await operator(world, 'customer', 'add', '--customer-id', 'T00000099', ...customers.eligible.facts);
    await operator(world, 'gateway', 'add', 'gw-small', '--model', 'PR-400KI', '--site', String(site));
    await operator(world, 'gateway', 'invite', 'gw-small', '--out', inFolder('small.json'));
    invitation = JSON.parse(readFileSync(inFolder('small.json'), 'utf8'));
    small = await (world.emulator as NonNullable<World['emulator']>).addGateway({
      gateway: 'gw-small',
      model: modelName.parse('PR-400KI'),
      dataDir,
    });
    world.gateways.push(small);
  });

  test('with a wrong token is E408, and no identity and no trust are left', async () => {
    const data = inFolder('wrong-token');
    const { status, json } = await enroll(data, 'a'.repeat(26));
    expect([status, json]).toMatchObject([3, { ...toldWell, number: 'E408', code: 'ENROLL_TOKEN_REFUSED' }]);
    expect([treeOf(path.join(data, 'identity')), treeOf(path.join(data, 'trust'))]).toEqual([{}, {}]);
  });

  test('with a spent token is E408', async () => {
    await small.enroll(inFolder('small.json'));
    small.start();
    await seen(
      'gw-small is online',
      15_000,
      async () => (await operator(world, 'gateway', 'show', 'gw-small')).online === true || undefined,
    );
    const { status, json } = await enroll(inFolder('spent-token'), invitation.token);
    expect([status, json]).toMatchObject([3, { ...toldWell, number: 'E408' }]);
  });

  test('with an expired token is E408', async () => {
    await operator(world, 'gateway', 'add', 'gw-late', '--model', 'PR-400KI');
    await operator(world, 'gateway', 'invite', 'gw-late', '--out', inFolder('late.json'));
    await inDatabase(
      "UPDATE invitations SET created_at = now() - interval '25 hours', expires_at = now() - interval '1 hour' WHERE gateway_id = 'gw-late'",
    );
    const { status, json } = await agent('enroll', '--invitation', inFolder('late.json'), '--data', inFolder('expired-token'));
    expect([status, json]).toMatchObject([3, { ...toldWell, number: 'E408' }]);
    expect(treeOf(inFolder('expired-token/identity'))).toEqual({});
  });

  test('on a full disk is E939, and installing on one is E305 with need and free; the agent lives', async () => {
    const filler = path.join(small.dataDir, 'filler');
    const free = (): number => statfsSync(small.dataDir).bavail * statfsSync(small.dataDir).bsize;
    execFileSync('fallocate', ['-l', String(free() - 200_000), filler]);
    const before = installedOn(small);
    expect((await order('T00000099')).status).toBe(0);
    const why = await whySeen(small, 'demo.ipv4', (reason) => reason.number === 'E305');
    expect(why).toMatchObject({ reason: { code: 'STORE_NO_SPACE', ja: expect.stringMatching(/必要：[\d,]+バイト、空き：[\d,]+バイト/) } });
    expect(installedOn(small)).toEqual(before);

    while (free() > 0) fillUp(path.join(small.dataDir, 'rest'));
    const { status, json } = await enroll(path.join(small.dataDir, 'second'), invitation.token);
    expect([status, json]).toMatchObject([1, { ...toldWell, number: 'E939', code: 'DISK_FULL' }]);
    expect((await statusOf(small)).isAgentRunning).toBe(true);
  });

  test('with nobody at the address is E403, and the delivered software runs on', async () => {
    await stopped(world.server as NonNullable<World['server']>, 10_000);
    const { status, json } = await enroll(inFolder('no-server'), invitation.token);
    expect([status, json]).toMatchObject([1, { ...toldWell, number: 'E403', code: 'SERVER_UNREACHABLE' }]);
    const verb = await ask('server', ['gateway', 'list', ...operatorOptions(world)]);
    expect([verb.status, verb.json]).toMatchObject([1, { ...toldWell, number: 'E403' }]);
    await logged(gatewayOf(world), 'E403');
    expect((await statusOf(gatewayOf(world))).software).toMatchObject([
      { software: 'demo.ipv4', version: '1.0.0', state: expect.stringMatching(/^running/) },
    ]);
  });
});

// ---------------------------------------------------------------------------------------------------------------- a stolen server

describe('a thief with the certificate, the address and even the notice key of the server', () => {
  let thief: StolenServer;
  let applied: Notice;
  const id: GatewayId = gatewayId.parse('gw-pr400');

  beforeAll(async () => {
    thief = await inPlaceOfTheServer(world, gatewayOf(world));
    applied = appliedNotice(gatewayOf(world));
  }, 30_000);
  afterAll(() => thief.stop());

  const signed = (changes: Partial<Notice>, key = thief.noticeKey) => signNotice({ ...applied, ...changes }, [key]);
  test.each<[string, string, string, () => Buffer]>([
    [
      'for another gateway',
      'E212',
      'NOTICE_WRONG_GATEWAY',
      () => signed({ gateway: gatewayId.parse('gw-small'), version: applied.version + 1 }),
    ],
    ['older than the applied one', 'E210', 'NOTICE_DOWNGRADE', () => signed({ version: applied.version - 1, targets: [] })],
    ['with the applied version and other bytes', 'E211', 'NOTICE_VERSION_REUSED', () => signed({ targets: [] })],
    [
      'that has expired',
      'E205',
      'NOTICE_EXPIRED',
      () => signed({ version: applied.version + 1, issuedAt: ago(22 * day), expires: ago(day) }),
    ],
    [
      'by a key that no root names',
      'E202',
      'SIGNING_KEY_UNKNOWN',
      () => signed({ version: applied.version + 1 }, generateKeyPairSync('ed25519').privateKey),
    ],
  ])('a notice %s: %s', async (_, number, code, envelope) => {
    const gateway = gatewayOf(world);
    const before = [installedOn(gateway), trustOn(gateway)];
    await thief.publishNotice(id, envelope());
    const report = await seen(`the report of ${number}`, 20_000, () => thief.reports(id).find((one) => one.number === number));
    expect(report).toMatchObject({ kind: 'failure', code, detail: difference });
    expect(await logged(gateway, number)).toMatchObject({ event: 'notice.refused', code, ja: expect.any(String), detail: difference });
    expect([installedOn(gateway), trustOn(gateway)]).toEqual(before);
    expect((await statusOf(gateway)).software).toMatchObject([{ software: 'demo.ipv4', state: expect.stringMatching(/^running/) }]);
    // The software has a reason of its own by now (E203), which stays the answer; the notice is told beside it.
    const why = (await tellProgram('agent', ['why', 'demo.ipv4', '--data', gateway.dataDir])) as unknown as Why;
    expect(why.ladder.find(({ rung }) => rung === 'notice')).toMatchObject({ ok: false, number });
    expect(why.notices).toMatchObject({
      accepted: { version: applied.version },
      refused: { number, code, at: expect.any(String), remedy: { ja: expect.any(String) } },
    });
    expect(await statusOf(gateway)).toMatchObject({ refusedNotice: { number, code } });
    for (const page of ['/t/', '/t/demo.ipv4']) {
      const [household, technician] = await pageOf(gateway, page);
      expect(household).not.toContain(number);
      expect(technician).toContain(`${number} ${code}`);
    }
    expect((await pageOf(gateway, '/t/'))[0]).toContain('使用していません');
  });

  test('what was refused is still told after a restart of the agent, and not once a newer notice is accepted', async () => {
    const gateway = gatewayOf(world);
    await gateway.stop();
    expect(await tellProgram('agent', ['why', 'demo.ipv4', '--data', gateway.dataDir])).toMatchObject({
      notices: { refused: { number: 'E202' } },
    });
    gateway.start();
    await seen('the page is back', 20_000, async () => (await pageOf(gateway, '/t/'))[0].includes('使用していません') || undefined);
    const newer = await tellProgram('agent', ['status', '--data', gateway.dataDir]);
    expect(newer).toMatchObject({ refusedNotice: { number: 'E202' } });
    await thief.publishNotice(id, signed({ version: applied.version + 1 }));
    await seen('the newer notice in force', 20_000, async () => {
      const status = await tellProgram('agent', ['status', '--data', gateway.dataDir]);
      return status.refusedNotice === null || undefined;
    });
    expect((await pageOf(gateway, '/t/')).join('')).not.toContain('使用しなかった');
  });

  test('bad packages in a good notice: each is refused by the gateway itself, with its number', async () => {
    const gateway = gatewayOf(world);
    const before = installedOn(gateway);
    const cases = [
      ...badPackages,
      {
        name: 'for another model',
        number: 'E207',
        file: (by: Certified, software: string) => aPackageOfDemo(by, software, { models: ['PR-500KI'] }),
      },
      { name: 'other bytes than the notice says', number: 'E203', file: () => randomBytes(5000), claimed: 'ab'.repeat(32) },
    ];
    const wishes = cases.map((one, index): Target => {
      const software = `bad-${index}.demo`;
      const bytes = one.file(world, software);
      const served = thief.serve(bytes, 'claimed' in one ? one.claimed : undefined);
      return {
        ...aTarget(`bad${index}`, { installedBytes: 11 }),
        software: software as Target['software'],
        provider: 'demo' as Target['provider'],
        package: { sha256: served.sha256 as Digest, bytes: served.bytes },
        manifestSha256: digestOfManifest(bytes),
        entitledUntil: ago(-30 * day),
        deadline: ago(-14 * day),
      };
    });
    await thief.publishNotice(id, signed({ version: applied.version + 2, targets: [...applied.targets, ...wishes] }));
    const found = await seen('a report of each', 40_000, () => {
      const numbers = cases.map(
        (_, index) => thief.reports(id).find((one) => one.target === anId(`bad${index}`) && one.kind === 'failure')?.number,
      );
      return numbers.includes(undefined) ? undefined : numbers;
    });
    expect(Object.fromEntries(cases.map(({ name }, index) => [name, found[index]]))).toEqual(
      Object.fromEntries(cases.map(({ name, number }) => [name, number])),
    );
    for (const index of cases.keys()) {
      const { json } = await ask('agent', ['why', `bad-${index}.demo`, '--data', gateway.dataDir]);
      expect(json).toMatchObject({ reason: { number: found[index], ja: expect.any(String) }, next: { ja: expect.any(String) } });
      expect(await logged(gateway, found[index] ?? '')).toMatchObject({ ja: expect.any(String) });
    }
    const onPage = (await statusOf(gateway)).software as { software: string; reason?: { number: string } }[];
    const shown = cases.map((_, index) => onPage.find(({ software }) => software === `bad-${index}.demo`)?.reason?.number);
    expect(shown).toEqual(found);
    expect(installedOn(gateway)).toEqual(before);
  });
});

// ---------------------------------------------------------------------------------------------------------------- looks

function fillUp(file: string): void {
  try {
    for (;;) appendFileSync(file, Buffer.alloc(1024), { flush: true });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error;
  }
}

async function inDatabase(sql: string): Promise<void> {
  const db = openDatabase({ host: path.join(world.serverData, 'postgres/run'), database: 'postgres', user: 'tsugite' });
  await db.query(sql);
  await db.close();
}
