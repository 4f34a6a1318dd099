import { createHash, randomBytes } from 'node:crypto';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { makeHttpsClient } from '../../../agent/adapters/https-client.ts';
import { makePartFiles } from '../../../agent/adapters/part-files.ts';
import { makeDownloadPackage } from '../../../agent/flows/download-package.ts';
import type { PartFiles } from '../../../agent/ports/network.ts';
import type { LogEvent, Purpose } from '../../../agent/ports.ts';
import { networkFaultOf } from '../../../agent/rules/network-fault.ts';
import * as wireModel from '../../../agent/rules/wire-model.ts';
import { TsugiteError } from '../../../protocol/errors.ts';
import { type Digest, digest } from '../../../protocol/fields.ts';
import type { Authority } from '../../../server/ports.ts';
import { anAuthority } from '../../support/gateway-pki.ts';
import { anHttpsServer, type HttpsTestServer } from '../../support/https-server.ts';
import { aManualClock, type ManualClock } from '../../support/manual-clock.ts';
import { until } from '../../support/until.ts';

const packageBytes = randomBytes(400_000);
const sha256 = digest.parse(createHash('sha256').update(packageBytes).digest('hex'));
const etag = `"${sha256}"`;

let authorities: { server: Authority; device: Authority };
let folder: string;
let file: string;
let clock: ManualClock;
let servers: HttpsTestServer[];
let events: LogEvent[];
let charged: Record<Purpose | 'package', number>;

beforeAll(async () => {
  authorities = { server: await anAuthority('server CA'), device: await anAuthority('device CA') };
});
beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'tsugite-download-'));
  file = path.join(folder, `${sha256}.tsg`);
  clock = aManualClock();
  servers = [];
  events = [];
  charged = { connect: 0, keepalive: 0, notice: 0, report: 0, telemetry: 0, fetch: 0, retry: 0, package: 0 };
});
afterEach(async () => {
  for (const server of servers) await server.stop();
  rmSync(folder, { recursive: true, force: true });
});

type Handle = (request: IncomingMessage, response: ServerResponse, count: number) => void | Promise<void>;
async function aServer(handle: Handle): Promise<HttpsTestServer> {
  let count = 0;
  const server = await anHttpsServer(authorities, (request, response) => handle(request, response, ++count));
  servers.push(server);
  return server;
}

/** Serves the package as the distribution server does: strong ETag, Range, If-Range. */
const wellBehaved: Handle = (request, response) => {
  const range = /^bytes=(\d+)-$/.exec(request.headers.range ?? '');
  const isFresh = request.headers['if-range'] === undefined || request.headers['if-range'] === etag;
  if (range === null || !isFresh) return void response.writeHead(200, { etag, 'content-length': packageBytes.length }).end(packageBytes);
  const from = Number(range[1]);
  response
    .writeHead(206, { etag, 'content-range': `bytes ${from}-${packageBytes.length - 1}/${packageBytes.length}` })
    .end(packageBytes.subarray(from));
};

const partSize = () => makePartFiles().sizeOf(file);

/** Sends the head of the whole file and `bytes` of it, then nothing more. */
const fallsSilentAfter =
  (bytes: number): Handle =>
  (_request, response) =>
    void response.writeHead(200, { etag, 'content-length': packageBytes.length }).write(packageBytes.subarray(0, bytes));

/** The same, and breaks the connection when all of it has arrived: a reset before that would take what is still on its way with it. */
const breaksOffAfter =
  (bytes: number): Handle =>
  async (request, response, count) => {
    await fallsSilentAfter(bytes)(request, response, count);
    await until(() => partSize() === bytes, 'the part on disk');
    response.destroy();
  };

function download(
  bases: string[],
  { parts = makePartFiles(), bytes = packageBytes.length, wanted = sha256 as Digest, signal = new AbortController().signal } = {},
) {
  const ledger = {
    charge: (purpose: Purpose, wireBytes: number) => {
      charged[purpose] += wireBytes;
    },
    chargePackage: (wireBytes: number) => {
      charged.package += wireBytes;
    },
    month: () => ({ totalBytes: 0, byPurpose: charged }),
  };
  const { download } = makeDownloadPackage({
    https: makeHttpsClient({ clock, ledger, wireModel, networkFaultOf }),
    parts,
    clock,
    random: { fraction: () => 0, hex: () => '', id: () => '' as never },
    log: { write: (event) => void events.push(event) },
    trustFor: () => ({ serverCasPem: [authorities.server.certPem] }),
  });
  const done = download({ sha256: wanted, bytes, path: file, bases }, signal);
  done.catch(() => {});
  return moveTimeUntilSettled(done);
}

/** Retries wait by the manual clock: give it what it needs, in steps far below any timeout. */
async function moveTimeUntilSettled<Value>(promise: Promise<Value>): Promise<Value> {
  let isSettled = false;
  promise.finally(() => (isSettled = true)).catch(() => {});
  await until(() => {
    if (!isSettled) void clock.advanceMs(1);
    return isSettled;
  }, 'the end of the download');
  return promise;
}

const left = () => readdirSync(folder);

test('a whole package arrives under its name, and nothing is left beside it', async () => {
  const server = await aServer(wellBehaved);
  await download([server.url]);
  expect(readFileSync(file).equals(packageBytes)).toBe(true);
  expect(left()).toEqual([`${sha256}.tsg`]);
  expect(server.asked.map(({ method, path: asked }) => `${method} ${asked}`)).toEqual([`GET /packages/${sha256}`]);
});

test('the body is counted as a package, the connection around it as control bytes', async () => {
  await download([(await aServer(wellBehaved)).url]);
  expect(charged.package).toBeGreaterThan(packageBytes.length);
  expect(charged.package).toBeLessThan(packageBytes.length * 1.1);
  expect(charged.fetch).toBeGreaterThan(1_500);
  expect(charged.fetch).toBeLessThan(5_000);
  expect(charged.retry).toBe(0);
});

describe('resuming', () => {
  test('a broken download goes on where it stopped, with If-Range, and says so (E406)', async () => {
    const server = await aServer((request, response, count) =>
      (count === 1 ? breaksOffAfter(150_000) : wellBehaved)(request, response, count),
    );
    await download([server.url]);
    expect(readFileSync(file).equals(packageBytes)).toBe(true);
    expect(server.asked[1]?.headers).toMatchObject({ range: 'bytes=150000-', 'if-range': etag });
    expect(events).toEqual([{ event: 'download.resumed', code: 'DOWNLOAD_RESUMED', detail: { resumedAt: 150_000, bytes: 400_000 } }]);
  });

  test('it goes on after a restart of the agent, and hashes what stands on disk again', async () => {
    const silent = await aServer(fallsSilentAfter(150_000));
    const quit = new AbortController();
    const first = download([silent.url], { signal: quit.signal });
    first.catch(() => {});
    await until(() => partSize() === 150_000, 'part');
    quit.abort(new Error('agent stops'));
    await expect(first).rejects.toThrow('agent stops');
    const server = await aServer(wellBehaved);
    await download([server.url]);
    expect(readFileSync(file).equals(packageBytes)).toBe(true);
    expect(server.asked[0]?.headers.range).toBe('bytes=150000-');
  });

  test('a part that was changed on disk meanwhile is dropped, and the whole file fetched once more', async () => {
    writeFileSync(`${file}.part`, Buffer.alloc(150_000, 'x'));
    const server = await aServer(wellBehaved);
    await download([server.url]);
    expect(readFileSync(file).equals(packageBytes)).toBe(true);
    expect(server.asked.map(({ headers }) => headers.range)).toEqual(['bytes=150000-', undefined]);
  });

  test('a part longer than the package is dropped', async () => {
    writeFileSync(`${file}.part`, Buffer.alloc(500_000, 'x'));
    const server = await aServer(wellBehaved);
    await download([server.url]);
    expect(server.asked.map(({ headers }) => headers.range)).toEqual([undefined]);
  });

  test('a whole part needs no request at all', async () => {
    writeFileSync(`${file}.part`, packageBytes);
    const server = await aServer(wellBehaved);
    await download([server.url]);
    expect(server.asked).toEqual([]);
    expect(left()).toEqual([`${sha256}.tsg`]);
  });

  test('a server that answers with the whole file, or another range, is believed in what it sends', async () => {
    writeFileSync(`${file}.part`, packageBytes.subarray(0, 100_000));
    const server = await aServer((_request, response, count) => {
      if (count === 1) return void response.writeHead(206, { 'content-range': `bytes 0-399999/400000` }).end(packageBytes);
      response.writeHead(200, { 'content-length': packageBytes.length }).end(packageBytes);
    });
    await download([server.url]);
    expect(readFileSync(file).equals(packageBytes)).toBe(true);
  });
});

describe('bytes that are not the package', () => {
  test('E203: a whole file with another digest is dropped, with nothing left', async () => {
    const flipped = Buffer.from(packageBytes);
    flipped[200_000] = (flipped[200_000] as number) ^ 1;
    const server = await aServer((_request, response) => void response.end(flipped));
    await expect(download([server.url])).rejects.toMatchObject({ code: 'PKG_DIGEST_MISMATCH', detail: { expected: sha256 } });
    expect(server.asked.length).toBe(1);
    expect(left()).toEqual([]);
  });

  test('a server that announces another length is not even read', async () => {
    const server = await aServer(
      (_request, response) => void response.writeHead(200, { 'content-length': 400_001 }).end(Buffer.alloc(400_001)),
    );
    await expect(download([server.url])).rejects.toMatchObject({ code: 'PKG_DIGEST_MISMATCH', detail: { found: '400001 bytes' } });
    expect(charged.package).toBeLessThan(200_000);
    expect(left()).toEqual([]);
  });

  test('an endless answer is cut off at the package length', async () => {
    const server = await aServer((_request, response) => {
      const pour = () => {
        while (!response.destroyed && response.write(Buffer.alloc(64_000)));
      };
      response.on('drain', pour);
      pour();
    });
    await expect(download([server.url])).rejects.toMatchObject({
      code: 'PKG_DIGEST_MISMATCH',
      detail: { found: 'more than 400000 bytes' },
    });
    expect(left()).toEqual([]);
  });

  test('when one mirror holds other bytes, the next one is asked', async () => {
    const bad = await aServer((_request, response) => void response.end(Buffer.alloc(400_000)));
    const good = await aServer(wellBehaved);
    await download([bad.url, good.url]);
    expect(readFileSync(file).equals(packageBytes)).toBe(true);
  });
});

describe('a server that says no', () => {
  test('4xx stops at once, and nothing is left', async () => {
    const server = await aServer((_request, response) => void response.writeHead(403).end('no'));
    await expect(download([server.url])).rejects.toMatchObject({ code: 'DOWNLOAD_REFUSED', detail: { status: 403 } });
    expect(server.asked.length).toBe(1);
    expect(left()).toEqual([]);
  });

  test('a redirect to another host is a refusal', async () => {
    const elsewhere = await aServer(wellBehaved);
    const server = await aServer(
      (_request, response) => void response.writeHead(302, { location: `${elsewhere.url}/packages/${sha256}` }).end(),
    );
    await expect(download([server.url])).rejects.toMatchObject({ code: 'DOWNLOAD_REFUSED', detail: { status: 302 } });
    expect(elsewhere.asked).toEqual([]);
  });

  test('what one base does not have, another may', async () => {
    const empty = await aServer((_request, response) => void response.writeHead(404).end());
    const full = await aServer(wellBehaved);
    await download([empty.url, full.url]);
    expect(existsSync(file)).toBe(true);
  });

  test('5xx is tried again, but not for ever', async () => {
    const tired = await aServer((request, response, count) =>
      count < 3 ? void response.writeHead(503).end() : wellBehaved(request, response, count),
    );
    await download([tired.url]);
    expect(existsSync(file)).toBe(true);
    rmSync(file);
    const dead = await aServer((_request, response) => void response.writeHead(500).end());
    await expect(download([dead.url])).rejects.toMatchObject({ code: 'SERVER_UNREACHABLE', detail: { status: 500 } });
    expect(dead.asked.length).toBe(5);
  });

  test('E403: nobody listens; the part stays for later', async () => {
    writeFileSync(`${file}.part`, packageBytes.subarray(0, 100_000));
    await expect(download(['https://127.0.0.1:9'])).rejects.toMatchObject({ code: 'SERVER_UNREACHABLE', detail: { kind: 'ECONNREFUSED' } });
    expect(left()).toEqual([`${sha256}.tsg.part`]);
  });
});

describe('bounds', () => {
  test('E413: slow retrieval is broken off, and what came is kept', async () => {
    let trickle: ServerResponse | undefined;
    const server = await aServer((_request, response) => {
      trickle = response.writeHead(200, { 'content-length': packageBytes.length });
      response.write(packageBytes.subarray(0, 1_000));
    });
    const quit = new AbortController();
    const ended = download([server.url], { signal: quit.signal });
    ended.catch(() => {});
    await until(() => partSize() === 1_000, 'first bytes');
    for (let n = 1; n <= 3; n++) {
      await clock.advanceMs(25_000);
      trickle?.write(packageBytes.subarray(n * 1_000, n * 1_000 + 1_000));
      await until(() => n === 3 || partSize() === n * 1_000 + 1_000, 'next bytes');
    }
    await until(() => server.asked.length === 2, 'a new request');
    expect(server.asked[1]?.headers.range).toBe('bytes=4000-');
    quit.abort(new Error('enough'));
    await expect(ended).rejects.toThrow('enough');
  });

  test('E403: a server that falls silent in the middle is left after 30 s', async () => {
    const server = await aServer((request, response, count) => {
      if (count > 1) return wellBehaved(request, response, count);
      response.writeHead(200, { 'content-length': packageBytes.length, etag });
      response.write(packageBytes.subarray(0, 1_000));
    });
    const ended = download([server.url]);
    // The bytes are on disk a moment before the next ones are waited for: only then does the patience begin that is to end.
    await until(() => partSize() === 1_000 && clock.pending() === 1, 'first bytes');
    await clock.advanceMs(30_000);
    await ended;
    expect(server.asked.map(({ headers }) => headers.range)).toEqual([undefined, 'bytes=1000-']);
  });

  test('E414: a day has a limit of bytes, kept across restarts, and the next day begins anew', async () => {
    const server = await aServer(wellBehaved);
    writeFileSync(`${file}.part.json`, JSON.stringify({ day: '2026-11-22', attempts: 3, bytes: 1_200_000 }));
    await expect(download([server.url])).rejects.toMatchObject({ code: 'DOWNLOAD_DAY_LIMIT' });
    expect(server.asked).toEqual([]);
    clock.setWallMs(Date.parse('2026-11-22T15:00:00Z'));
    await download([server.url]);
    expect(existsSync(file)).toBe(true);
  });

  test('E305: a full disk is reported, and nothing of the download stays to keep it full', async () => {
    const real = makePartFiles();
    const full: PartFiles = {
      ...real,
      async open(where) {
        const part = await real.open(where);
        const append = part.append;
        part.append = async (chunk) => {
          if (part.bytes > 100_000) throw new TsugiteError('STORE_NO_SPACE', { need: chunk.length, free: 0 });
          await append(chunk);
        };
        return part;
      },
    };
    const server = await aServer(wellBehaved);
    await expect(download([server.url], { parts: full })).rejects.toMatchObject({ code: 'STORE_NO_SPACE' });
    expect(left()).toEqual([]);
    expect(server.asked.length).toBe(1);
  });
});
