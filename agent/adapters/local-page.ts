import { createHash } from 'node:crypto';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import { join } from 'node:path';
import * as z from 'zod/mini';
import { assertNever } from '../../protocol/assert-never.ts';
import { TsugiteError } from '../../protocol/errors.ts';
import type { GatewaySnapshot, LocalPage, SoftwareSnapshot } from '../ports.ts';
import type * as PageRules from '../rules/page/index.ts';
import type * as PageView from '../rules/page/view.ts';
import { proxyToApp } from './app-proxy.ts';
import { makeJsonDocument } from './json-document.ts';
import { closeAll, listen, send } from './page-server.ts';

type Needs = {
  dataDir: string;
  settings: PageRules.PageSettings;
  rules: typeof PageRules;
  /** With the first look: nobody looks for most of the time, and what an idle agent does not need costs it no memory. */
  loadView: () => Promise<typeof PageView>;
  /** What the log says about software: its changes, and the connections that it was refused. */
  readPast: () => readonly PageView.LoggedChange[];
};

const statusOfRefusal: Readonly<Record<PageRules.Refusal, number>> = {
  malformed: 400,
  host: 421,
  method: 405,
  'not-found': 404,
  callback: 400,
  'service-worker': 403,
  'not-running': 503,
  'cross-site': 403,
};

/** Of one software's past; the log holds about a thousand entries of all. */
const historyRows = 20;
/** Whoever asks again and again is told the same for so long: reading the log costs more than anything else here. */
const logAgeMs = 2_000;

const portsFile = z.strictObject({ v: z.literal(1), ports: z.record(z.string(), z.int()) });

/** HTTP for the people in the house: one port for the shared page, one for each app's own origin. `<data>/page-ports.json` remembers which. */
export function makeLocalPage({ dataDir, settings, rules, loadView, readPast }: Needs): LocalPage {
  const document = makeJsonDocument<z.infer<typeof portsFile>>(join(dataDir, 'page-ports.json'), (value) => portsFile.parse(value));
  let loading: ReturnType<typeof loadView> | undefined;
  let servers: Server[] = [];
  let ports: PageRules.AppPorts = {};

  function portsFor(snapshot: GatewaySnapshot): PageRules.AppPorts {
    const prefixes = snapshot.software.flatMap(({ manifest }) => manifest?.web?.prefix ?? []);
    const next = rules.assignAppPorts(ports, prefixes, settings.appPorts);
    if (next === ports) return ports;
    ports = next;
    try {
      document.save({ v: 1, ports: { ...ports } });
    } catch (error) {
      // On a full disk the page is still shown; the ports are remembered at the next change.
      if (!(error instanceof TsugiteError)) throw error;
    }
    return ports;
  }

  function answer(request: IncomingMessage, response: ServerResponse, snapshot: GatewaySnapshot): void {
    const { host } = request.headers;
    const target = request.url ?? '';
    const known = portsFor(snapshot);
    const refuse = (why: Parameters<typeof rules.renderRefusal>[0], status: number) =>
      send(response, status, 'text/plain; charset=utf-8', rules.renderRefusal(why));
    const redirect = (location: string) => void response.writeHead(302, { location, 'cache-control': 'no-store' }).end();
    const port = request.socket.localPort ?? 0;
    const viewIn = (language: 'ja' | 'en') => ({
      language,
      operatorName: settings.operatorName,
      addressOf: addressesFor(host, known),
      settingsUrl: rules.settingsUrlOf(host, settings),
    });
    const show = async (draw: (view: typeof PageView) => string) => {
      loading ??= loadView();
      const view = await loading;
      const style = createHash('sha256').update(view.pageStyle).digest('base64');
      send(response, 200, 'text/html; charset=utf-8', draw(view), {
        'content-security-policy': `default-src 'none'; style-src 'sha256-${style}'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'`,
      });
    };
    const giveUp = () => void response.destroy();

    const decision = rules.decidePage(
      { method: request.method ?? '', target, host, headers: request.headers, port },
      snapshot,
      known,
      settings,
    );
    switch (decision.kind) {
      case 'page':
        show((view) => view.renderPage(snapshot, viewIn(decision.language))).catch(giveUp);
        break;
      case 'detail': {
        const { software, language } = decision;
        const { refusedNotice } = snapshot;
        show((view) => {
          const history = view.historyOf(logLately(), software.target, historyRows);
          const denied = view.tallyDenied(logLately(), software.target);
          return view.renderDetail(software, { history, denied, refusedNotice }, viewIn(language));
        }).catch(giveUp);
        break;
      }
      case 'status':
        send(response, 200, 'application/json; charset=utf-8', JSON.stringify(rules.statusOf(snapshot)));
        break;
      case 'redirect':
        redirect(decision.location);
        break;
      case 'refuse':
        refuse(decision.why, statusOfRefusal[decision.why]);
        break;
      case 'app': {
        const { software, isOwnOrigin } = decision;
        const prefix = software.manifest?.web?.prefix ?? '';
        const origin = rules.ownOriginOf(prefix, host, known, settings);
        const unavailable = () => refuse('unavailable', 503);
        const toOwnOrigin = () => (origin === undefined ? unavailable() : redirect(origin + target));
        proxyToApp({ request, response, webSocketPath: software.webSocketPath, prefix, isOwnOrigin, rules, toOwnOrigin, unavailable });
        break;
      }
      default:
        assertNever(decision);
    }
  }

  let logRead: { atMs: number; entries: readonly PageView.LoggedChange[] } | undefined;
  function logLately(): readonly PageView.LoggedChange[] {
    const atMs = performance.now();
    if (logRead === undefined || atMs - logRead.atMs > logAgeMs) logRead = { atMs, entries: readPast() };
    return logRead.entries;
  }

  /** Where a link of the shared page leads: to the app's own origin, never to a page of it under ours. */
  function addressesFor(host: string | undefined, known: PageRules.AppPorts) {
    return (software: SoftwareSnapshot) => {
      const path = rules.pagePathOf(software);
      const origin = rules.ownOriginOf(software.manifest?.web?.prefix ?? '', host, known, settings);
      return path === undefined || origin === undefined ? undefined : origin + path;
    };
  }

  return {
    async start(snapshot) {
      ports = loadPorts(document);
      portsFor(snapshot());
      const rows = settings.listen.flatMap(({ host, port }) => [
        { host, port },
        ...Array.from({ length: settings.appPorts.count }, (_, index) => ({ host, port: settings.appPorts.from + index })),
      ]);
      const unique = rows.filter((row, index) => rows.findIndex(({ host, port }) => host === row.host && port === row.port) === index);
      try {
        for (const row of unique) servers.push(await listen(row, (request, response) => answer(request, response, snapshot())));
      } catch (error) {
        await closeAll(servers);
        servers = [];
        throw error;
      }
    },
    async stop() {
      await closeAll(servers);
      servers = [];
    },
  };
}

function loadPorts(document: { load(): z.infer<typeof portsFile> | undefined }): PageRules.AppPorts {
  try {
    return document.load()?.ports ?? {};
  } catch {
    // Damaged: the apps get ports anew. What a browser stored under the old ones is the household's own.
    return {};
  }
}
