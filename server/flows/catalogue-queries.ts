/** What people look up: health, counts, keys, software and releases. */
import type { KeyId, RandomId, SoftwareId } from '../../protocol/fields.ts';
import type { Clock, Db } from '../ports.ts';
import type { Actor } from './actor.ts';
import { type Page, pageOf, rowsFor } from './page.ts';
import { newestRoot } from './trust-in-force.ts';

export function makeCatalogueQueries({ db, clock, startedAtMs }: { db: Db; clock: Clock; startedAtMs: number }) {
  const ownOnly = (actor: Actor) => (actor.role === 'provider' ? actor.provider : null);
  return {
    health: async (): Promise<{ ok: true; upMs: number }> => {
      await db.query('SELECT 1');
      return { ok: true, upMs: clock.nowMs() - startedAtMs };
    },

    status: async (): Promise<Record<string, unknown>> => {
      const [counts] = await db.query(
        `SELECT (SELECT count(*) FROM providers) AS providers, (SELECT count(*) FROM software) AS software, (SELECT count(*) FROM releases) AS releases,
           (SELECT count(*) FROM customers) AS customers, (SELECT count(*) FROM gateways) AS gateways,
           (SELECT count(*) FROM gateways WHERE online) AS online, (SELECT count(*) FROM reports) AS reports`,
      );
      const states = await db.query<{ state: string; count: number }>(
        'SELECT state, count(*) AS count FROM targets GROUP BY state ORDER BY state',
      );
      return { ...counts, targets: Object.fromEntries(states.map(({ state, count }) => [state, count])), startedAt: new Date(startedAtMs) };
    },

    pki: async (): Promise<Record<string, unknown>> => {
      const { root } = await newestRoot(db);
      const keysOf = (role: { keyids: readonly KeyId[]; threshold: number }) => ({ keyids: role.keyids, threshold: role.threshold });
      return {
        rootVersion: root.version,
        issuedAt: root.issuedAt,
        expires: root.expires,
        root: keysOf(root.roles.root),
        notice: keysOf(root.roles.notice),
        providerCas: root.providerCas,
        serverCas: root.serverCas,
        revokedSigners: root.revokedSigners,
      };
    },

    software: async (actor: Actor, page: Page) => {
      const rows = await db.query<{ software: SoftwareId }>(
        `SELECT s.id AS software, s.provider_id AS provider, s.state, s.registered_at AS "registeredAt", r.version, r.menu, r.plan
         FROM software s LEFT JOIN LATERAL (SELECT version, menu, plan FROM releases WHERE software_id = s.id ORDER BY admitted_at DESC LIMIT 1) r ON true
         WHERE ($1::text IS NULL OR s.provider_id = $1) AND ($2::text IS NULL OR s.id > $2) ORDER BY s.id LIMIT $3`,
        [ownOnly(actor), page.after ?? null, rowsFor(page)],
      );
      return pageOf(rows, page, 'software');
    },

    releases: async (software: SoftwareId, actor: Actor, page: Page) => {
      const rows = await db.query<{ release: RandomId }>(
        `SELECT r.id AS release, r.software_id AS software, r.version, r.state, r.stored_bytes AS "storedBytes", r.installed_bytes AS "installedBytes",
           r.unit_bytes AS "unitBytes", r.menu, r.plan, r.admitted_at AS "admittedAt",
           (SELECT json_agg(json_build_object('sha256', p.sha256, 'bytes', p.bytes, 'installedBytes', p.installed_bytes, 'models', p.models) ORDER BY p.sha256)
            FROM packages p WHERE p.release_id = r.id) AS packages
         FROM releases r JOIN software s ON s.id = r.software_id WHERE s.id = $1 AND ($2::text IS NULL OR s.provider_id = $2)
           AND ($3::text IS NULL OR (r.admitted_at, r.id) > (SELECT admitted_at, id FROM releases WHERE id = $3)) ORDER BY r.admitted_at, r.id LIMIT $4`,
        [software, ownOnly(actor), page.after ?? null, rowsFor(page)],
      );
      return pageOf(rows, page, 'release');
    },
  };
}
