/**
 * Of several server processes over one database, one at a time has the turn: whoever holds an advisory lock of PostgreSQL, on a connection of its own.
 * The others wait inside the database and are next without a delay when it lets go, or dies.
 */
import pg from 'pg';
import type { Turn } from '../ports/gateways.ts';
import type { Clock, Log } from '../ports.ts';
import type { Connection } from './database.ts';

/** Any constant, another one than the migrations'. */
const turnLock = 7_217_484;
const againMs = 2_000;
const lookEveryMs = 15_000;
const lookPatienceMs = 10_000;

/** A process whose machine vanished holds its lock until PostgreSQL notices: after a minute, not after the two hours of the kernel's default. */
const settings = `SET statement_timeout = 0; SET idle_session_timeout = 0; SET lock_timeout = 0;
  SET tcp_keepalives_idle = 30; SET tcp_keepalives_interval = 10; SET tcp_keepalives_count = 3`;

export function makeTurn({ connection, clock, log }: { connection: Connection; clock: Clock; log: Log }): Turn {
  let isStopped = true;
  let holder: { client: pg.Client; hasTurn: boolean } | undefined;
  let cancelTimer = () => {};
  let handlers = { began: () => {}, ended: () => {} };

  async function queue(): Promise<void> {
    const client = new pg.Client({ ...connection, keepAlive: true, application_name: 'tsugite-server turn' });
    const mine = { client, hasTurn: false };
    holder = mine;
    const lost = (error?: Error) => {
      if (holder === mine) letGo(error);
    };
    client.on('error', lost);
    client.on('end', lost);
    try {
      await client.connect();
      await client.query(settings);
      // One that waits and dies would wait on inside PostgreSQL, and take a connection there, for as long as another has the turn.
      await client.query("SET client_connection_check_interval = '5s'").catch(() => {}); // not on every system
      await client.query('SELECT pg_advisory_lock($1)', [turnLock]);
    } catch (error) {
      return lost(error as Error);
    }
    if (holder !== mine) return;
    mine.hasTurn = true;
    handlers.began();
    look(mine);
  }

  /** The lock is ours only as long as its connection lives; a dead one may be silent. */
  function look(mine: { client: pg.Client }): void {
    cancelTimer = clock.after(lookEveryMs, () => {
      const cancelPatience = clock.after(lookPatienceMs, () => holder === mine && letGo(new Error('the database is silent')));
      mine.client.query('SELECT 1').then(
        () => {
          cancelPatience();
          if (holder === mine) look(mine);
        },
        () => {
          cancelPatience(); // a lost connection says so itself
          if (holder === mine) look(mine);
        },
      );
    });
  }

  function letGo(error?: Error): void {
    const had = holder;
    holder = undefined;
    cancelTimer();
    had?.client.end().catch(() => {});
    if (had?.hasTurn) handlers.ended();
    if (error !== undefined) log.warn('broker.turn_lost', { error });
    if (!isStopped) cancelTimer = clock.after(againMs, () => void queue());
  }

  return {
    start: (on) => {
      handlers = on;
      isStopped = false;
      void queue();
    },
    offer: async () => {
      if (!holder?.hasTurn) return;
      const { rows } = await holder.client
        .query(`SELECT 1 FROM pg_locks WHERE locktype = 'advisory' AND objid = $1 AND NOT granted LIMIT 1`, [turnLock])
        .catch(() => ({ rows: [] }));
      if (rows.length > 0) letGo();
    },
    stop: async () => {
      isStopped = true;
      cancelTimer();
      const had = holder;
      holder = undefined;
      await had?.client.end().catch(() => {});
    },
  };
}
