/**
 * A gateway's life at its broker, and what a hostile gateway tries there: the same tests on the server's own broker and on a mosquitto with the
 * configuration that we ship. Server, database, TLS, certificates and the agent's network half are the real ones.
 */
import { randomBytes } from 'node:crypto';
import { connect as tlsConnect } from 'node:tls';
import { generate } from 'mqtt-packet';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import { type GatewayId, type RandomId, toUtcTime } from '../../protocol/fields.ts';
import { encodeTelemetry } from '../../protocol/messages/telemetry.ts';
import { type TopicKind, topicOf } from '../../protocol/topics.ts';
import { aGatewayLink, type GatewayLink } from '../support/gateway-link.ts';
import { anAuthority, anIdentity } from '../support/gateway-pki.ts';
import { aGatewaySide, brokers, type GatewaySideRig } from '../support/gateway-side.ts';
import { connectMqtt, type TestClient } from '../support/mqtt-client.ts';

type Own = Awaited<ReturnType<GatewaySideRig['anIdentity']>>;
const patience = { timeout: 15_000, interval: 20 };
let names = 0;

describe.each(brokers)('%s', (broker) => {
  let rig: GatewaySideRig;
  let gateway: GatewayId;
  let site: RandomId;
  let identity: Own;
  const links: GatewayLink[] = [];
  const clients: TestClient[] = [];

  beforeAll(async () => {
    rig = await aGatewaySide({ broker });
  });
  afterAll(() => rig.stop());
  beforeEach(async () => {
    rig.lines.length = 0;
    ({ gateway, site, identity } = await aGateway());
  });
  afterEach(async () => {
    for (const client of clients.splice(0)) client.client.end(true);
    for (const link of links.splice(0)) await link.end();
  });

  async function aGateway() {
    names += 1;
    const made = await rig.aGateway(`gw-both-${String(names).padStart(4, '0')}`);
    return { ...made, identity: await rig.anIdentity(made.gateway) };
  }
  async function anAgent(who: Own = identity): Promise<GatewayLink> {
    const place = { mqttPort: rig.ports().mqttPort, serverCaPem: rig.serverCa.certPem, openNotice: rig.openNotice };
    const link = await aGatewayLink(place, who);
    links.push(link);
    await vi.waitFor(() => expect(link.isOnline()).toBe(true), patience);
    return link;
  }
  async function aClient(options: Parameters<typeof connectMqtt>[3] = {}, who: Own = identity): Promise<TestClient> {
    const client = await connectMqtt(rig.ports().mqttPort, who, rig.serverCa.certPem, { clientId: who.gateway, ...options });
    clients.push(client);
    return client;
  }
  const own = (kind: TopicKind): string => topicOf(gateway, kind);
  const rowOf = async (id: GatewayId = gateway) =>
    (await rig.db.query<{ online: boolean; boot_id: string | null }>('SELECT online, boot_id FROM gateways WHERE id = $1', [id]))[0];
  const seqsOf = async (id: GatewayId = gateway) =>
    (await rig.db.query<{ seq: number }>('SELECT seq FROM reports WHERE gateway_id = $1 ORDER BY id', [id])).map(({ seq }) => seq);
  const softwareIn = (link: GatewayLink) => link.notices.at(-1)?.targets.map(({ software }) => software);
  const isOnline = (isIt: boolean) => vi.waitFor(async () => expect((await rowOf())?.online).toBe(isIt), patience);

  const serverIsBack = async () => {
    if (rig.mosquitto === undefined) return;
    const heard = () => rig.lines.filter(({ event, name }) => event === 'broker.connected' && name === 'hearing').length;
    await vi.waitFor(() => expect(heard()).toBeGreaterThan(0), patience);
  };

  describe('a gateway', () => {
    test('connects, is known as online with what it says of itself, and gets its first notice', async () => {
      const link = await anAgent();
      await vi.waitFor(() => expect(softwareIn(link)).toEqual([]), patience);
      await vi.waitFor(async () => expect(await rowOf()).toEqual({ online: true, boot_id: 'b'.repeat(32) }), patience);
    });

    test('is told at once what it should run', async () => {
      const link = await anAgent();
      await vi.waitFor(() => expect(link.notices).toHaveLength(1), patience);
      await rig.aTarget(site);
      await rig.wake(gateway);
      await vi.waitFor(() => expect(softwareIn(link)).toEqual(['demo.ipv4']), patience);
    });

    test('forgets a report when the database has it, and not before', async () => {
      const link = await anAgent();
      for (let n = 0; n < 5; n += 1) link.report();
      expect(link.waiting()).toBe(5);
      await vi.waitFor(() => expect(link.waiting()).toBe(0), patience);
      expect(await seqsOf()).toEqual([1, 2, 3, 4, 5]);
    });

    test('whose line breaks is known as offline, comes back by itself, and hears what was said meanwhile', async () => {
      const link = await anAgent();
      await vi.waitFor(() => expect(link.notices).toHaveLength(1), patience);
      await isOnline(true);
      link.cutLine();
      await rig.aTarget(site);
      await rig.wake(gateway);
      await vi.waitFor(() => expect(softwareIn(link)).toEqual(['demo.ipv4']), patience);
      expect(link.told.slice(0, 3)).toEqual(['online', 'SERVER_UNREACHABLE', 'online']);
      await isOnline(true);
    });

    test('that says good-bye is offline, and a rebooted one is online with its new boot', async () => {
      const link = await anAgent();
      await isOnline(true);
      await link.stop();
      await isOnline(false);
      await link.reboot();
      await isOnline(true);
      expect((await rowOf())?.boot_id).not.toBe('b'.repeat(32));
    });

    test('finds its session where it left it; another one after the broker has lost everything', async () => {
      const first = await aClient({ clean: false });
      await first.subscribe({ [own('notice')]: { qos: 1 } });
      await first.end();
      const second = await aClient({ clean: false });
      expect([first.sessionPresent, second.sessionPresent]).toEqual([false, true]);
      await second.end();
      await rig.restartBroker('everything');
      expect((await vi.waitFor(() => aClient({ clean: false }), patience)).sessionPresent).toBe(false);
    });

    test.each(['nothing', 'everything'] as const)(
      'after a restart in which the broker lost %s hears and is heard as before',
      async (lost) => {
        await rig.aTarget(site);
        await rig.wake(gateway);
        const link = await anAgent();
        await vi.waitFor(() => expect(softwareIn(link)).toEqual(['demo.ipv4']), patience);
        await rig.restartBroker(lost);
        await vi.waitFor(() => expect(link.told.filter((word) => word === 'online')).toHaveLength(2), patience);
        // An outside broker takes it also while the server is not back, and forgets it if it has lost the server's session: the next connect brings it.
        link.report();
        await serverIsBack();
        link.cutLine();
        await vi.waitFor(() => expect(link.waiting()).toBe(0), patience);
        expect(await seqsOf()).toEqual([1]);
        await rig.aTarget(site, { software: 'demo.second' });
        await rig.wake(gateway);
        await vi.waitFor(() => expect(softwareIn(link)?.sort()).toEqual(['demo.ipv4', 'demo.second']), patience);
      },
      60_000,
    );

    test('finds its notice retained although the broker was restarted empty, and nobody has said it again', async () => {
      await rig.aTarget(site);
      await rig.wake(gateway);
      await vi.waitFor(async () => expect(await rig.newestNotice(gateway)).toBeDefined(), patience);
      const version = (await rig.newestNotice(gateway))?.version;
      await rig.restartBroker('everything');
      // No birth, so no comparison: only what the broker holds by itself.
      const payload = await vi.waitFor(async () => {
        const client = await aClient({ clean: true });
        await client.subscribe({ [own('notice')]: { qos: 1 } });
        return vi.waitFor(() => {
          const found = client.heard.find(({ topic, retain }) => topic === own('notice') && retain);
          return found?.payload ?? Promise.reject(new Error('nothing retained yet'));
        });
      }, patience);
      expect(rig.openNotice(payload).version).toBe(version);
    });

    test('is not told again what it knows when the server is restarted', async () => {
      await rig.aTarget(site);
      await rig.wake(gateway);
      const link = await anAgent();
      await vi.waitFor(() => expect(softwareIn(link)).toEqual(['demo.ipv4']), patience);
      link.report();
      await vi.waitFor(() => expect(link.waiting()).toBe(0), patience);
      const versions = new Set(link.notices.map(({ version }) => version));
      await rig.restart();
      link.report();
      await vi.waitFor(() => expect(link.waiting()).toBe(0), patience);
      await isOnline(true);
      expect(new Set(link.notices.map(({ version }) => version))).toEqual(versions);
      expect(await seqsOf()).toEqual([1, 2]);
    });

    test('sends telemetry, which is stored once, however often it comes', async () => {
      const link = await anAgent();
      const from = toUtcTime(Math.floor(Date.now() / 3_600_000) * 3_600_000 - 86_400_000);
      const agent = { rssKiB: [1], controlBytes: [2], reconnects: [0] };
      const message = encodeTelemetry({ v: 1, epoch: 'a'.repeat(32), from, stepS: 3600, agent, targets: [] });
      for (const _ of [1, 2]) await link.sendTelemetry(message);
      link.report();
      await vi.waitFor(() => expect(link.waiting()).toBe(0), patience);
      expect(await rig.db.query('SELECT 1 FROM telemetry_messages WHERE gateway_id = $1', [gateway])).toHaveLength(1);
    });

    test('that is blocked is put out, and nothing that it says is heard', async () => {
      const link = await anAgent();
      await isOnline(true);
      await rig.db.query("UPDATE gateways SET blocked_at = now(), block_reason = 'test' WHERE id = $1", [gateway]);
      await rig.wake(gateway);
      await vi.waitFor(() => expect(link.told).toContain('SERVER_UNREACHABLE'), patience);
      link.report();
      await isOnline(false);
      // A word of another gateway that came later has been heard: so would the blocked one's have been.
      const other = await anAgent((await aGateway()).identity);
      other.report();
      await vi.waitFor(() => expect(other.waiting()).toBe(0), patience);
      expect(await seqsOf()).toEqual([]);
    });
  });

  describe('a hostile gateway', () => {
    let victim: Own;
    let victimLink: GatewayLink;

    beforeEach(async () => {
      ({ identity: victim } = await aGateway());
      victimLink = await anAgent(victim);
      await vi.waitFor(async () => expect((await rowOf(victim.gateway))?.online).toBe(true), patience);
      await vi.waitFor(() => expect(victimLink.notices).toHaveLength(1), patience);
    });

    /** Both the server and the victim have heard everything that came before. */
    async function allIsHeard(): Promise<void> {
      victimLink.report();
      await vi.waitFor(() => expect(victimLink.waiting()).toBe(0), patience);
      await rig.wake(victim.gateway);
    }
    const victims = (kind: TopicKind): string => topicOf(victim.gateway, kind);
    const report = (seq: number) => JSON.stringify({ v: 1, epoch: 'f'.repeat(32), seq, at: '2026-11-22T00:00:00Z', kind: 'start' });

    test.each([
      ['the victim’s report', () => victims('report'), report(7), { qos: 1 }],
      ['the victim’s presence: gone', () => victims('presence'), '{"v":1,"online":false}', { qos: 1, retain: true }],
      ['the victim’s presence: deleted', () => victims('presence'), '', { qos: 1, retain: true }],
      ['a notice for the victim', () => victims('notice'), 'forged', { qos: 1, retain: true }],
      ['no notice for the victim', () => victims('notice'), '', { qos: 1, retain: true }],
      ['an acknowledgement for the victim', () => victims('ack'), `{"v":1,"epoch":"${'f'.repeat(32)}","upTo":9}`, { qos: 0 }],
      ['a notice of its own, retained', () => own('notice'), 'forged', { qos: 1, retain: true }],
      ['an acknowledgement of its own', () => own('ack'), '{}', { qos: 0 }],
      ['a topic of nobody', () => `tsugite/1/${gateway}/secret`, 'x', { qos: 1 }],
      ['the server’s own topic', () => 'tsugite/server/tsugite.server', 'x', { qos: 1 }],
      ['the broker’s own topics', () => '$SYS/broker/version', 'x', { qos: 1, retain: true }],
      ['the broker’s control topic', () => '$CONTROL/dynamic-security/v1', '{}', { qos: 1 }],
      ['its report without acknowledgement', () => own('report'), report(1), { qos: 0 }],
      ['its report with QoS 2', () => own('report'), report(1), { qos: 2 }],
    ] satisfies [string, () => string, string, { qos: 0 | 1 | 2; retain?: boolean }][])(
      'publishes %s: nobody hears it',
      async (_name, topic, payload, options) => {
        const [onlineBefore, noticesBefore] = [victimLink.told.length, victimLink.notices.length];
        const hostile = await aClient();
        hostile.publish(topic(), payload, options).catch(() => {});
        if (broker === 'embedded') await hostile.closed();
        else await new Promise((resolve) => hostile.client.stream.write(Buffer.from([0xc0, 0]), resolve)); // a ping: the broker has read what was before
        await allIsHeard();
        expect(await seqsOf(victim.gateway)).toEqual([1]);
        expect(await seqsOf()).toEqual([]);
        expect((await rowOf(victim.gateway))?.online).toBe(true);
        expect(victimLink.told.length).toBe(onlineBefore);
        expect(victimLink.notices.length).toBe(noticesBefore);
        // Nor does whoever connects later find it.
        await victimLink.stop();
        for (const who of [identity, victim]) {
          const later = await aClient({ clientId: who.gateway }, who);
          await later.subscribe({ [topicOf(who.gateway, 'notice')]: { qos: 1 } });
          expect(later.heard.filter(({ payload: said }) => said.toString() === 'forged' || said.length === 0)).toEqual([]);
          later.client.end(true);
        }
      },
    );

    test.each([
      ['everything', () => '#'],
      ['the broker’s own topics', () => '$SYS/#'],
      ['all notices', () => 'tsugite/1/+/notice'],
      ['the victim’s notice', () => victims('notice')],
      ['the victim’s acknowledgements', () => victims('ack')],
      ['all reports', () => 'tsugite/1/+/report'],
      ['a share of all reports', () => '$share/tsugite/tsugite/1/+/report'],
      ['the server’s own topic', () => 'tsugite/server/#'],
    ])('subscribes to %s: it hears nothing, and takes nothing from others', async (_name, filter) => {
      const hostile = await aClient();
      hostile.subscribe({ [filter()]: { qos: 1 } }).catch(() => {});
      if (broker === 'embedded') await hostile.closed();
      await rig.aTarget(
        (await rig.db.query<{ site_id: RandomId }>('SELECT site_id FROM gateways WHERE id = $1', [victim.gateway]))[0]?.site_id as RandomId,
      );
      await rig.wake(victim.gateway);
      await vi.waitFor(() => expect(softwareIn(victimLink)).toEqual(['demo.ipv4']), patience);
      await allIsHeard();
      expect(hostile.heard).toEqual([]);
    });

    test('calls itself like the victim: the victim keeps its connection, and nothing is said in its name', async () => {
      const told = victimLink.told.length;
      const hostile = await aClient({ clientId: victim.gateway }).catch(() => undefined);
      hostile?.publish(victims('report'), report(7)).catch(() => {});
      await allIsHeard();
      expect(victimLink.told.length).toBe(told);
      expect(await seqsOf(victim.gateway)).toEqual([1]);
      // The one refuses the name, the other does not look at it.
      expect(hostile === undefined).toBe(broker === 'embedded');
    });

    test.each([
      ['the victim’s presence', () => victims('presence'), '{"v":1,"online":false}', true],
      ['the victim’s notice', () => victims('notice'), 'forged', true],
      ['the victim’s report', () => victims('report'), report(7), false],
    ])('leaves a last will on %s: it is never published', async (_name, topic, payload, retain) => {
      const noticesBefore = victimLink.notices.length;
      const will = { topic: topic(), payload: Buffer.from(payload), qos: 1 as const, retain };
      const hostile = await aClient({ will }).catch(() => undefined);
      await hostile?.breakOff();
      expect(hostile === undefined).toBe(broker === 'embedded');
      await allIsHeard();
      expect((await rowOf(victim.gateway))?.online).toBe(true);
      expect(await seqsOf(victim.gateway)).toEqual([1]);
      expect(victimLink.notices.length).toBe(noticesBefore);
    });

    test('sends a packet larger than anything that we say: its connection ends, and the others live', async () => {
      const hostile = await aClient();
      hostile.publish(own('telemetry'), Buffer.alloc(200_000)).catch(() => {});
      await hostile.closed();
      await allIsHeard();
    });

    /** A TLS connection of the hostile gateway, below MQTT. */
    async function aBareConnection() {
      const { certPem: cert, keyPem: key } = identity;
      const socket = tlsConnect({ host: '127.0.0.1', port: rig.ports().mqttPort, ca: rig.serverCa.certPem, cert, key });
      socket.on('error', () => {});
      await new Promise<void>((resolve) => socket.once('secureConnect', () => resolve()));
      const closed = new Promise<void>((resolve) => socket.once('close', () => resolve()));
      socket.resume();
      return { socket, closed };
    }

    test('claims a packet of 256 MB and sends it slowly: its connection ends at the claim', async () => {
      const { socket, closed } = await aBareConnection();
      socket.write(generate({ cmd: 'connect', protocolId: 'MQTT', protocolVersion: 4, clientId: gateway, clean: true, keepalive: 60 }));
      await new Promise((resolve) => socket.once('data', resolve));
      socket.write(Buffer.from([0x32, 0xff, 0xff, 0xff, 0x7f, 0, 1]));
      await closed;
      await allIsHeard();
    });

    test('sends rubbish: its connection ends, and the others live', async () => {
      const { socket, closed } = await aBareConnection();
      socket.write(Buffer.concat([Buffer.from([0x00]), randomBytes(8_000)]));
      await closed;
      await allIsHeard();
    });

    test('says what no parser takes: it is refused, and what comes behind is heard', async () => {
      const hostile = await aClient();
      await hostile.publish(own('report'), '{"v":1');
      await hostile.publish(
        own('report'),
        `{"v":1,"epoch":"${'f'.repeat(32)}","seq":1,"at":"2026-11-22T00:00:00Z","kind":"start","detail":{"x":"\\u0000"}}`,
      );
      await hostile.publish(own('telemetry'), randomBytes(300));
      await hostile.publish(own('report'), report(2));
      await vi.waitFor(async () => expect(await seqsOf()).toEqual([2]), patience);
      await allIsHeard();
    });

    test('has a certificate of another authority, an expired one, or none: no byte of MQTT is read', async () => {
      const foreign = await anIdentity(await anAuthority('somebody else'), gateway);
      const expired = await anIdentity(rig.deviceCa, gateway, { notBeforeMs: 0, notAfterMs: Date.now() - 1000 });
      await expect(aClient({ cert: undefined, key: undefined } as never)).rejects.toThrow();
      await expect(aClient({}, foreign)).rejects.toThrow();
      await expect(aClient({}, expired)).rejects.toThrow();
    });

    test('speaks TLS 1.2: refused', async () => {
      const error = await new Promise<Error>((resolve) => {
        const { certPem: cert, keyPem: key } = identity;
        tlsConnect({ host: '127.0.0.1', port: rig.ports().mqttPort, ca: rig.serverCa.certPem, cert, key, maxVersion: 'TLSv1.2' }).on(
          'error',
          resolve,
        );
      });
      expect(String(error)).toMatch(/protocol version/);
    });
  });

  describe('what differs, as docs/operations/brokers.md says', () => {
    const connects = async (options: Parameters<typeof connectMqtt>[3]) => {
      const client = await aClient(options).catch(() => undefined);
      await client?.end();
      return client !== undefined;
    };

    test('a keep-alive out of bounds and MQTT 5 are refused by the embedded broker alone', async () => {
      const taken = [];
      for (const options of [{ keepalive: 0 }, { keepalive: 1801 }, { protocolVersion: 5 as const }]) taken.push(await connects(options));
      expect(taken).toEqual(Array(3).fill(broker === 'mosquitto'));
      expect(await connects({ keepalive: 1800 })).toBe(true);
    });

    test('of the notices of its absence a gateway gets the last one from the embedded broker, all in their order from mosquitto', async () => {
      const before = await aClient({ clean: false });
      await before.subscribe({ [own('notice')]: { qos: 1 } });
      await before.end();
      const versions: number[] = [];
      for (const software of ['demo.one', 'demo.two', 'demo.three']) {
        await rig.aTarget(site, { software });
        await rig.wake(gateway);
        await vi.waitFor(async () => {
          const version = (await rig.newestNotice(gateway))?.version ?? 0;
          expect(version).toBeGreaterThan(versions.at(-1) ?? 0);
          versions.push(version);
        }, patience);
      }
      const after = await aClient({ clean: false });
      const heard = () => after.heard.map(({ payload }) => rig.openNotice(payload).version);
      await vi.waitFor(() => expect(heard().at(-1)).toBe(versions.at(-1)), patience);
      expect(heard()).toEqual(broker === 'mosquitto' ? versions : versions.slice(-1));
    });

    test('a report that is retained ends the connection at the embedded broker, and is taken once at mosquitto', async () => {
      const client = await aClient();
      const said = `{"v":1,"epoch":"${'f'.repeat(32)}","seq":1,"at":"2026-11-22T00:00:00Z","kind":"start"}`;
      client.publish(own('report'), said, { retain: true }).catch(() => {});
      if (broker === 'embedded') await client.closed();
      else await vi.waitFor(async () => expect(await seqsOf()).toEqual([1]), patience);
      await rig.restart();
      const link = await anAgent((await aGateway()).identity);
      link.report();
      await vi.waitFor(() => expect(link.waiting()).toBe(0), patience);
      expect(await seqsOf()).toEqual(broker === 'embedded' ? [] : [1]);
    });
  });
});
