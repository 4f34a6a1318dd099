/** What was uploaded and waits to be registered, as its provider and the operator see it. */
import type { RandomId } from '../../protocol/fields.ts';
import type { Db } from '../ports.ts';
import type { Actor } from './actor.ts';
import { type Listed, type Page, pageOf, rowsFor } from './page.ts';

const dayMs = 86_400_000;

export type ShownMeasured = {
  readonly release: RandomId;
  readonly provider: string;
  readonly software: string;
  readonly version: string;
  readonly uploadedAt: Date;
  /** When it goes, unless it is registered; null while an open order names it. */
  readonly dropsAt: Date | null;
  readonly order: RandomId | null;
  readonly packages: readonly {
    readonly sha256: string;
    readonly bytes: number;
    readonly installedBytes: number;
    readonly models: string[];
  }[];
};

export function makeMeasuredQueries({ db, keepDays }: { db: Db; keepDays: number }) {
  return {
    list: async (actor: Actor, page: Page): Promise<Listed<ShownMeasured>> => {
      const rows = await db.query<Omit<ShownMeasured, 'dropsAt'>>(
        `SELECT m.id AS release, m.provider_id AS provider, m.software_id AS software, m.version, m.uploaded_at AS "uploadedAt", m.work_order_id AS "order",
           (SELECT json_agg(json_build_object('sha256', p.sha256, 'bytes', p.bytes, 'installedBytes', p.installed_bytes, 'models', p.models) ORDER BY p.sha256)
            FROM measured_packages p WHERE p.release_id = m.id) AS packages
         FROM measured_releases m WHERE ($1::text IS NULL OR m.provider_id = $1) AND ($2::text IS NULL OR m.id > $2) ORDER BY m.id LIMIT $3`,
        [actor.role === 'provider' ? actor.provider : null, page.after ?? null, rowsFor(page)],
      );
      const shown = rows.map((row) => ({
        ...row,
        dropsAt: row.order === null ? new Date(row.uploadedAt.getTime() + keepDays * dayMs) : null,
      }));
      return pageOf(shown, page, 'release');
    },
  };
}
