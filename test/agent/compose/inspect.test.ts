import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { makeEventLog } from '../../../agent/adapters/event-log.ts';
import { makeFolderLock } from '../../../agent/adapters/folder-lock.ts';
import { makeIdentityStore } from '../../../agent/adapters/identity-store.ts';
import { statusAnswer } from '../../../agent/cli/status-text.ts';
import { whyAnswer } from '../../../agent/cli/why-text.ts';
import { toFields } from '../../../agent/compose/disk.ts';
import { readStatus, readWhy } from '../../../agent/compose/inspect.ts';
import { gatewayId } from '../../../protocol/fields.ts';
import { type AgentBench, anAgentBench, aTestPackage } from '../../support/agent-bench.ts';
import { anAuthority, anIdentity } from '../../support/gateway-pki.ts';
import { aManualClock } from '../../support/manual-clock.ts';
import { aGatewayId, aNotice, mintedAtMs, signNotice } from '../../support/mint.ts';

let gateway: AgentBench;
beforeEach(async () => {
  gateway = anAgentBench();
  const { keyPem, certPem } = await anIdentity(await anAuthority('device CA'), aGatewayId);
  makeIdentityStore(gateway.dataDir).save({
    gateway: aGatewayId,
    https: 'https://server.test:8443',
    mqtt: 'mqtts://server.test:8883',
    serverCasPem: [certPem.trim()],
    privateKeyPem: keyPem,
    certificatePem: certPem,
  });
  await gateway.boot();
});
afterEach(() => gateway.remove());

const why = async (name = 'heater.acme') => {
  const answer = await readWhy(gateway.dataDir, name, gateway.clock);
  return { ...answer, text: whyAnswer(answer).lines.join('\n') };
};
const rungs = (answer: Awaited<ReturnType<typeof why>>) => answer.ladder.map(({ rung, ok }) => `${ok ? '' : 'not '}${rung}`);

describe('why, read from the disk alone', () => {
  test('everything is well: every rung holds', async () => {
    await gateway.deliver(aTestPackage('heater'));
    const lock = makeFolderLock(gateway.dataDir);
    await lock.take();
    const answer = await why();
    lock.release();
    expect(answer.state.word).toBe('running');
    expect(answer.reason).toBeNull();
    expect(answer.ladder.every(({ ok }) => ok)).toBe(true);
    expect(answer.text).toContain('動作中');
  });

  test('the agent is stopped: so is the software, and the answer still comes', async () => {
    await gateway.deliver(aTestPackage('heater'));
    await gateway.stop();
    const answer = await why('heater');
    expect(answer).toMatchObject({ state: { word: 'stopped' }, reason: { number: 'E909' } });
  });

  test('it is too large for this model: the number, both figures, who, and what next', async () => {
    const limits = { ...aTestPackage('heater').wish.limits, installedBytes: 300_000 };
    await gateway.deliver(aTestPackage('heater', '1.0.0', { wish: { limits } }));
    const answer = await why();
    expect(answer).toMatchObject({ state: { word: 'refused' }, reason: { number: 'E304' }, who: { ja: '事業者' } });
    expect(answer.text).toContain('300,000');
    expect(answer.at).toMatch(/^2026-11-22T00:0/);
    expect(rungs(answer)).toContain('not accepted');
  });

  test('it failed its health check', async () => {
    await gateway.deliver(aTestPackage('heater', '1.0.0', { health: 'never-ready' }));
    const answer = await why();
    expect(answer).toMatchObject({ state: { word: 'refused' }, reason: { number: 'E503' } });
    expect(rungs(answer)).toContain('not installed');
  });

  test('it is not in the notice', async () => {
    const lock = makeFolderLock(gateway.dataDir);
    await lock.take();
    const answer = await why('other.acme');
    lock.release();
    expect(answer).toMatchObject({ reason: { number: 'E407' }, state: { word: 'refused' } });
    expect(answer.text).toContain('登録以降');
    await gateway.wish([]);
    expect((await why('other.acme')).reason?.number).toBe('E910');
  });

  test('the line is down: that is told, and the software runs on', async () => {
    await gateway.deliver(aTestPackage('heater'));
    const log = makeEventLog({
      dataDir: gateway.dataDir,
      clock: aManualClock(),
      nowMs: () => 0,
      toFields: (event) => toFields(event, 'PR-500KI'),
    });
    log.write({ event: 'link.offline', code: 'NET_NO_ROUTE', detail: {} });
    const lock = makeFolderLock(gateway.dataDir);
    await lock.take();
    const answer = await why();
    lock.release();
    expect(answer.ladder.find(({ rung }) => rung === 'contact')).toMatchObject({ ok: false, number: 'E401' });
    expect(answer.state.word).toBe('running');
  });
});

describe('a notice that was refused', () => {
  const wrongGateway = () =>
    signNotice(aNotice({ version: mintedAtMs + 10_000_000, gateway: gatewayId.parse('hgw-9999') }), gateway.keys.notice);

  test('is a rung of its own in why, with the accepted one, when, number, code and remedy, whether the agent runs or not', async () => {
    await gateway.deliver(aTestPackage('heater'));
    await gateway.hear(wrongGateway());
    const lock = makeFolderLock(gateway.dataDir);
    await lock.take();
    const answer = await why();
    lock.release();
    expect(answer.state.word).toBe('running');
    expect(answer.ladder.find(({ rung }) => rung === 'notice')).toMatchObject({ ok: false, number: 'E212' });
    expect(answer).toMatchObject({ reason: { number: 'E212' }, who: { ja: '運用者' } });
    expect(answer.notices).toMatchObject({
      accepted: { version: gateway.trust().notice()?.version },
      refused: {
        number: 'E212',
        code: 'NOTICE_WRONG_GATEWAY',
        at: expect.stringMatching(/^2026-11-22T/),
        remedy: { ja: expect.any(String) },
      },
    });
    expect(answer.text).toContain('受け付けなかった配信情報  E212 NOTICE_WRONG_GATEWAY');

    await gateway.stop();
    expect((await why()).notices.refused?.number).toBe('E212');
    expect((await why('other.acme')).notices.refused?.number).toBe('E212');
  });

  test('before any was accepted: it did arrive, so its number is told, not silence', async () => {
    await gateway.hear(wrongGateway());
    const lock = makeFolderLock(gateway.dataDir);
    await lock.take();
    const answer = await why('other.acme');
    lock.release();
    expect(answer.reason?.number).toBe('E212');
    expect(answer.notices.accepted).toBeNull();
  });

  test('is in status, and not in it once a newer one was accepted', async () => {
    const status = async () => statusAnswer(await readStatus(gateway.dataDir, null, gateway.clock));
    await gateway.hear(wrongGateway());
    expect((await status()).lines.join('\n')).toContain('E212 NOTICE_WRONG_GATEWAY');
    expect((await status()).value).toMatchObject({ refusedNotice: { number: 'E212', times: 1 } });
    await gateway.wish([]);
    expect((await status()).value).toMatchObject({ refusedNotice: null });
  });
});

test('why counts the connections that were refused, by class alone', async () => {
  await gateway.deliver(aTestPackage('heater'));
  const log = makeEventLog({
    dataDir: gateway.dataDir,
    clock: aManualClock(),
    nowMs: () => 0,
    toFields: (event) => toFields(event, 'PR-500KI'),
  });
  const { target } = aTestPackage('heater').wish;
  for (const count of [1, 4])
    log.write({
      event: 'permission.denied',
      target,
      code: 'APP_PERMISSION_DENIED',
      detail: { class: 'lan', protocol: 'udp', port: 3610, count },
    });
  const answer = await why();
  expect(answer.denied).toEqual([{ class: 'lan', count: 5, lastAt: expect.any(String) }]);
  expect(answer.text).toContain('家庭内の機器（devices in the home）  5回');
  expect(answer.text).not.toContain('3610');
});

describe('status', () => {
  test('says what is here, how the line is and what the month has cost', async () => {
    await gateway.deliver(aTestPackage('heater'));
    await gateway.stop();
    const { value, lines } = statusAnswer(await readStatus(gateway.dataDir, 'PR-500KI', gateway.clock));
    expect(value).toMatchObject({
      gateway: 'hgw-0001',
      isAgentRunning: false,
      software: [{ software: 'heater.acme', version: '1.0.0', state: 'stopped' }],
    });
    expect(lines.join('\n')).toContain('hgw-0001（PR-500KI）');
  });

  test('says that nothing is delivered when nothing is', async () => {
    expect(statusAnswer(await readStatus(gateway.dataDir, null, gateway.clock)).lines).toContain('配信済みのソフトウェアはありません。');
  });

  test('of a folder that was never enrolled is E907', async () => {
    await expect(readStatus(join(gateway.dataDir, 'nothing'), null)).rejects.toThrowError(/E907/);
  });
});

test('looking changes nothing on the disk', async () => {
  await gateway.deliver(aTestPackage('heater'));
  const disk = (folder = gateway.dataDir): string[] =>
    readdirSync(folder).flatMap((name) => {
      const path = join(folder, name);
      if (name === 'data' || name === 'main.js') return [];
      return statSync(path).isDirectory() ? disk(path) : [`${path} ${readFileSync(path, 'base64')}`];
    });
  const before = disk();
  await why();
  await readStatus(gateway.dataDir, null, gateway.clock);
  expect(disk()).toEqual(before);
});
