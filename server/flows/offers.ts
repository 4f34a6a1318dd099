/** What an order is decided from: the software, locked; its releases; what stands at the site already. */
import { TsugiteError } from '../../protocol/errors.ts';
import type { ProviderId, RandomId, SoftwareId } from '../../protocol/fields.ts';
import type { Sql } from '../ports.ts';
import type { OrderCase, ReleaseOffer } from '../rules/order.ts';
import type { SoftwareState } from '../rules/software-states.ts';
import type { Actor } from './actor.ts';
import { verifyOwn } from './actor.ts';

export type SoftwareRow = {
  readonly id: SoftwareId;
  readonly provider: ProviderId;
  readonly state: SoftwareState;
  readonly consent: 'required' | 'notRequired';
};

/** Locked until the transaction ends. Another's software does not exist for a provider: NOT_FOUND tells it nothing. */
export async function lockSoftware(sql: Sql, id: SoftwareId, actor: Actor): Promise<SoftwareRow> {
  const [row] = await sql.query<SoftwareRow>(
    `SELECT s.id, s.provider_id AS provider, s.state, p.consent FROM software s JOIN providers p ON p.id = s.provider_id WHERE s.id = $1 FOR SHARE OF s`,
    [id],
  );
  if (row === undefined || (actor.role === 'provider' && actor.provider !== row.provider))
    throw new TsugiteError('NOT_FOUND', { what: `software ${id}` });
  verifyOwn(actor, row.provider);
  return row;
}

export async function loadOffers(sql: Sql, software: SoftwareId): Promise<ReleaseOffer[]> {
  return sql.query<ReleaseOffer>(
    `SELECT r.id AS release, r.version, r.plan, r.state, json_agg(json_build_object('models', p.models, 'manifest',
       json_build_object('payload', p.manifest->'payload', 'resources', p.manifest->'resources', 'web', p.manifest->'web'))) AS packages
     FROM releases r JOIN packages p ON p.release_id = r.id WHERE r.software_id = $1 GROUP BY r.id`,
    [software],
  );
}

/** What stands at a site already, with the first part of each page's path. */
export async function loadOpenTargets(sql: Sql, site: RandomId): Promise<OrderCase['open']> {
  return sql.query(
    `SELECT t.id AS target, t.software_id AS software,
       (SELECT p.manifest->'web'->>'prefix' FROM packages p WHERE p.release_id = t.release_id LIMIT 1) AS "webPrefix"
     FROM targets t WHERE t.site_id = $1 AND t.ended_at IS NULL ORDER BY t.id`,
    [site],
  );
}
