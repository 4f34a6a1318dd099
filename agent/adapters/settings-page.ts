import { createHash } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { describe, TsugiteError } from '../../protocol/errors.ts';
import type { House } from '../ports/house.ts';
import type { EventLog } from '../ports.ts';
import type { PageSettings } from '../rules/page/settings.ts';
import type * as SettingsRules from '../rules/settings/index.ts';
import { send } from './page-server.ts';
import type { PasswordStore } from './settings-password.ts';
import { isSame, makeSettingsSessions, type Session } from './settings-sessions.ts';

type Rules = typeof SettingsRules;
type Needs = {
  settings: PageSettings;
  rules: Rules;
  passwords: PasswordStore;
  /** Printed on the case: no secrets, hence no passwords. */
  names: readonly string[];
  log: EventLog;
  monotonicMs: () => number;
};

const formBytes = 8 * 1024;
/** Each costs 16 MiB and a quarter of a second. */
const hashesWaiting = 4;
const statusOfRefusal = { malformed: 400, host: 421, method: 405, 'not-found': 404, 'cross-site': 403, 'service-worker': 403 } as const;

type Said = SettingsRules.Shown['said'];
type Exchange = { response: ServerResponse; host: string; language: 'ja' | 'en'; session: Session | undefined };

export type SettingsPage = (request: IncomingMessage, response: ServerResponse, house: House) => Promise<void>;

/** 設定: the one place where a person in the house changes something. An origin of its own, a password, and nothing of an app under it. */
export function makeSettingsPage({ settings, rules, passwords, names, log, monotonicMs }: Needs): SettingsPage {
  const port = settings.settingsPort;
  const sessions = makeSettingsSessions(monotonicMs);
  let throttle = rules.noFailures;
  let hashing = Promise.resolve();
  let waiting = 0;

  async function answer(request: IncomingMessage, response: ServerResponse, house: House): Promise<void> {
    const { host = '' } = request.headers;
    const decision = rules.decideSettings(
      { method: request.method ?? '', target: request.url ?? '', host: request.headers.host, headers: request.headers },
      settings,
    );
    if (decision.kind === 'refuse') return refuse(response, decision.why);
    const session = sessions.find(rules.cookieValues(request.headers.cookie, cookieName()));
    const exchange: Exchange = { response, host, language: decision.language, session };
    if (decision.kind === 'page')
      return show(exchange, house, rules.isSaid(decision.said) ? { kind: 'word', said: decision.said } : undefined);
    const fields = await readForm(request, rules);
    if (fields === 'large') return refuse(response, 'large');
    if (fields === undefined || !isOfOurForm(decision.action, fields, session)) {
      const isOver = session === undefined && decision.action !== 'setup' && decision.action !== 'login';
      return show(exchange, house, { kind: 'word', said: isOver ? 'ended' : 'unknown' }, 403);
    }
    return obey(decision.action, fields, exchange, house);
  }

  function isOfOurForm(action: SettingsRules.FormAction, { token = '' }: SettingsRules.Fields, session: Session | undefined): boolean {
    if (action === 'setup' || action === 'login') return sessions.isFormToken(token);
    return session !== undefined && isSame(token, session.token);
  }

  async function obey(action: SettingsRules.FormAction, fields: SettingsRules.Fields, exchange: Exchange, house: House) {
    const word = (said: SettingsRules.Said, status: number) => show(exchange, house, { kind: 'word', said }, status);
    switch (action) {
      case 'setup': {
        const fault = rules.findPasswordFault(fields.password ?? '', fields.again ?? '', names);
        if (fault !== undefined) return word(fault, 400);
        const isSet = await inTurn(async () => {
          // Of two who choose at the same moment the first has chosen.
          if (passwords.state() !== 'unset') return false;
          await passwords.set(rules.normalisePassword(fields.password ?? ''));
          return true;
        });
        if (isSet === 'busy') return word('busy', 503);
        if (!isSet) return word('unknown', 409);
        log.write({ event: 'settings.password_set' });
        return enter(exchange, 'set');
      }
      case 'login': {
        const said = await prove(fields.password);
        if (said === undefined) log.write({ event: 'settings.login' });
        return said === undefined ? enter(exchange, undefined) : show(exchange, house, said.said, said.status);
      }
      case 'logout':
        if (exchange.session !== undefined) sessions.close(exchange.session.id);
        return redirect(exchange, 'out', '');
      case 'password': {
        const said = await prove(fields.current);
        if (said !== undefined) return show(exchange, house, said.said, said.status);
        const fresh = rules.normalisePassword(fields.password ?? '');
        const fault = rules.findPasswordFault(fresh, fields.again ?? '', names);
        if (fault !== undefined) return word(fault, 400);
        if (fresh === rules.normalisePassword(fields.current ?? '')) return word('same', 400);
        if ((await inTurn(() => passwords.set(fresh))) === 'busy') return word('busy', 503);
        log.write({ event: 'settings.password_set' });
        sessions.closeAll();
        return enter(exchange, 'changed');
      }
      default: {
        try {
          const { kind } = await house.answer(rules.askOfForm(fields), 'page');
          return redirect(exchange, kind);
        } catch (error) {
          if (!(error instanceof TsugiteError)) throw error;
          return show(exchange, house, { kind: 'text', text: describe(error.code, error.detail)[exchange.language] }, 409);
        }
      }
    }
  }

  /** @returns what to say instead when the password was not proven */
  async function prove(password: string | undefined): Promise<{ said: Said; status: number } | undefined> {
    const proven = await inTurn(async () => {
      const before = throttle;
      const waitMs = rules.waitMs(before, monotonicMs());
      if (waitMs > 0) return { said: { kind: 'word', said: 'wait', values: { seconds: Math.ceil(waitMs / 1000) } }, status: 429 } as const;
      // Counted before it is tried: whoever breaks off in between has used up his try.
      throttle = rules.afterFailure(before, monotonicMs());
      const given = rules.normalisePassword((password ?? '').slice(0, rules.passwordLength.max * 4));
      if (passwords.state() === 'set' && (await passwords.matches(given))) {
        throttle = rules.noFailures;
        return undefined;
      }
      log.write({ event: 'settings.login_failed', detail: { failures: throttle.failures } });
      return { said: { kind: 'word', said: 'wrong' }, status: 403 } as const;
    });
    return proven === 'busy' ? { said: { kind: 'word', said: 'busy' }, status: 503 } : proven;
  }

  /** One at a time: what one costs is all that the gateway can spare. */
  async function inTurn<Value>(work: () => Promise<Value>): Promise<Value | 'busy'> {
    if (waiting >= hashesWaiting) return 'busy';
    waiting += 1;
    const turn = hashing.then(work);
    hashing = turn.then(
      () => {},
      () => {},
    );
    try {
      return await turn;
    } finally {
      waiting -= 1;
    }
  }

  function enter(exchange: Exchange, said: SettingsRules.Said | undefined): void {
    if (exchange.session !== undefined) sessions.close(exchange.session.id);
    redirect(exchange, said, sessions.open().id);
  }

  /** @param cookie  a new session; '' ends the one that was; undefined leaves it */
  function redirect({ response, language }: Exchange, said: SettingsRules.Said | undefined, cookie?: string): void {
    const query = [...(said === undefined ? [] : [`said=${said}`]), ...(language === 'en' ? ['lang=en'] : [])].join('&');
    const attributes = `Path=/; HttpOnly; SameSite=Strict${cookie === '' ? '; Max-Age=0' : ''}`;
    response
      .writeHead(303, {
        location: query === '' ? '/' : `/?${query}`,
        'cache-control': 'no-store',
        'content-length': 0,
        ...(cookie !== undefined && { 'set-cookie': `${cookieName()}=${cookie}; ${attributes}` }),
      })
      .end();
  }

  function show({ response, host, language, session }: Exchange, house: House, said: Said, status = 200): void {
    const shown = { language, listUrl: rules.listUrlOf(host, settings), token: session?.token ?? sessions.formToken(), said };
    const state = passwords.state();
    const text =
      state === 'unreadable'
        ? rules.renderLocked(shown)
        : state === 'unset'
          ? rules.renderSetup(shown)
          : session === undefined
            ? rules.renderLogin(shown)
            : rules.renderSettings(house.view(), shown);
    const style = createHash('sha256').update(rules.settingsStyle).digest('base64');
    send(response, status, 'text/html; charset=utf-8', text, {
      'content-security-policy': `default-src 'none'; style-src 'sha256-${style}'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'`,
      // With `no-referrer` a browser would send `Origin: null` with our own forms (Fetch standard, "append a request Origin header").
      'referrer-policy': 'same-origin',
      vary: 'cookie',
    });
  }

  function refuse(response: ServerResponse, why: keyof typeof statusOfRefusal | 'large'): void {
    send(response, why === 'large' ? 413 : statusOfRefusal[why], 'text/plain; charset=utf-8', rules.renderSettingsRefusal(why));
  }

  /** Cookies know no ports: by this name the gateways that one emulator shows on one host do not log each other out. */
  function cookieName(): string {
    return `tsugite-settings-${rules.outerPortOf(settings, port ?? 0)}`;
  }

  return answer;
}

async function readForm(request: IncomingMessage, rules: Rules): Promise<SettingsRules.Fields | 'large' | undefined> {
  const type = request.headers['content-type']?.split(';')[0]?.trim().toLowerCase();
  if (type !== 'application/x-www-form-urlencoded') return undefined;
  const pieces: Buffer[] = [];
  let bytes = 0;
  for await (const piece of request) {
    bytes += (piece as Buffer).length;
    if (bytes > formBytes) return 'large';
    pieces.push(piece as Buffer);
  }
  return rules.parseForm(Buffer.concat(pieces).toString('utf8'));
}
