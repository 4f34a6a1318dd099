import { createHash, createHmac, randomBytes, timingSafeEqual } from 'node:crypto';

const idleMs = 10 * 60_000;
const longestMs = 60 * 60_000;
const atOnce = 8;
const formMs = 30 * 60_000;

export type Session = { id: string; token: string };

/** Who is logged in; in memory alone, so that a restart logs everybody out. Of an id only the digest is kept. */
export function makeSettingsSessions(nowMs: () => number) {
  const sessions = new Map<string, { token: string; startedMs: number; lastMs: number }>();
  const key = randomBytes(32);
  const digestOf = (id: string): string => createHash('sha256').update(id).digest('hex');
  const isOver = ({ startedMs, lastMs }: { startedMs: number; lastMs: number }): boolean =>
    nowMs() - lastMs >= idleMs || nowMs() - startedMs >= longestMs;
  const signatureOf = (untilMs: number): string => createHmac('sha256', key).update(String(untilMs)).digest('hex');

  return {
    open(): Session {
      for (const [digest, session] of sessions) if (isOver(session)) sessions.delete(digest);
      if (sessions.size >= atOnce) sessions.delete(sessions.keys().next().value as string);
      const session = { id: randomBytes(32).toString('hex'), token: randomBytes(32).toString('hex') };
      sessions.set(digestOf(session.id), { token: session.token, startedMs: nowMs(), lastMs: nowMs() });
      return session;
    },
    /** The first of these that is logged in. */
    find(ids: readonly string[]): Session | undefined {
      for (const id of ids.slice(0, atOnce)) {
        const session = sessions.get(digestOf(id));
        if (session === undefined || isOver(session)) continue;
        session.lastMs = nowMs();
        return { id, token: session.token };
      }
      return undefined;
    },
    close(id: string): void {
      sessions.delete(digestOf(id));
    },
    closeAll: () => sessions.clear(),
    /** For a form that is shown before anybody is logged in. */
    formToken(): string {
      const untilMs = Math.round(nowMs() + formMs);
      return `${untilMs}.${signatureOf(untilMs)}`;
    },
    isFormToken(token: string): boolean {
      const [until = '', signature = ''] = token.split('.');
      return /^\d{1,16}$/.test(until) && isSame(signature, signatureOf(Number(until))) && nowMs() < Number(until);
    },
  };
}

export function isSame(one: string, other: string): boolean {
  const [a, b] = [Buffer.from(one), Buffer.from(other)];
  return a.length === b.length && timingSafeEqual(a, b);
}
