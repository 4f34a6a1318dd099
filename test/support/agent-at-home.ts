/**
 * The sandbox part of an agent in a process of its own, for tests that start it inside a gateway's network namespace: reads one JSON request a line,
 * answers each with one line. Its apps run any JavaScript that they are asked to.
 */
import { createInterface } from 'node:readline';
import { requestApp } from '../../agent/adapters/app-socket.ts';
import type { AppProcess, Clock } from '../../agent/ports.ts';
import { aSandboxBench, realClock } from './running-app.ts';

export type AtHomeRequest =
  | { do: 'start'; app: string; asked: readonly string[]; lan: readonly string[]; appDir?: string }
  | { do: 'ask'; app: string; code: string }
  | { do: 'get'; app: string; path: string; method: string; body?: string }
  | { do: 'stop' | 'network'; app: string }
  /** Long waits are over now. */
  | { do: 'hurry' }
  | { do: 'removeLeftovers' | 'lines' };

const obedientApp = `
const http = require('node:http');
const asFunction = Object.getPrototypeOf(async () => {}).constructor;
process.on('SIGTERM', () => process.exit(0));
http.createServer(async (request, response) => {
  const code = Buffer.concat(await request.toArray()).toString();
  try { response.end(JSON.stringify(await asFunction('require', code)(require) ?? null)); } catch (error) { response.end(JSON.stringify({ error: String(error) })); }
}).listen(process.env.TSUGITE_WEB_SOCKET, () => http.request({ socketPath: process.env.TSUGITE_GATEWAY_SOCKET, path: '/ready', method: 'POST' }).end());
`;

const longWaits: (() => void)[] = [];
const clock: Clock = {
  ...realClock,
  after: (delayMs, run) => {
    if (delayMs >= 30_000) longWaits.push(run);
    return realClock.after(delayMs, run);
  },
};
const bench = aSandboxBench({ lanTag: process.argv[2], clock });
const apps = new Map<string, AppProcess>();

async function serve(request: AtHomeRequest): Promise<unknown> {
  switch (request.do) {
    case 'start': {
      const { asked, lan } = request;
      const app = await bench.start(request.app, obedientApp, {
        ...(request.appDir !== undefined && { appDir: request.appDir }),
        asked: { lan: asked, wan: [] } as never,
        permissions: { lan, wan: [], telemetry: false } as never,
      });
      apps.set(request.app, app);
      return { pid: app.pid, readiness: await app.readiness, ...(await app.network()) };
    }
    case 'ask':
      return JSON.parse(await send(request.app, 'POST', '/', request.code));
    case 'get':
      return await send(request.app, request.method, request.path, request.body ?? '');
    case 'stop':
      await apps.get(request.app)?.stop(5_000);
      return null;
    case 'network':
      return await apps.get(request.app)?.network();
    case 'hurry':
      for (const run of longWaits.splice(0)) run();
      return null;
    case 'removeLeftovers':
      return await bench.sandbox.removeLeftovers();
    case 'lines':
      return bench.lines;
  }
}

function send(name: string, method: string, path: string, body: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const asked = requestApp(
      apps.get(name)?.webSocketPath ?? '',
      { method, path, headers: { 'content-type': 'application/json' } },
      (answer) => {
        answer.toArray().then((chunks: Buffer[]) => resolve(Buffer.concat(chunks).toString()), reject);
      },
    );
    asked.on('error', reject);
    asked.end(body);
  });
}

const lines = createInterface({ input: process.stdin });
lines.on('line', (line) => {
  const { id, ...request } = JSON.parse(line) as AtHomeRequest & { id: number };
  serve(request as AtHomeRequest).then(
    (answer) => process.stdout.write(`${JSON.stringify({ id, answer: answer ?? null })}\n`),
    (error: unknown) =>
      process.stdout.write(`${JSON.stringify({ id, error: String(error), detail: (error as { detail?: unknown }).detail })}\n`),
  );
});
lines.on('close', () => void bench.end().then(() => process.exit()));
