/** Where somebody means: a site, the gateway that stands there, or the お客さまID of who lives there. */
import { TsugiteError } from '../../protocol/errors.ts';
import type { GatewayId, RandomId } from '../../protocol/fields.ts';
import type { Sql } from '../ports.ts';
import { parseCustomerId } from '../rules/customer-id.ts';

/** One of the three. */
export type Place = {
  readonly site?: RandomId | undefined;
  readonly customerId?: string | undefined;
  readonly gateway?: GatewayId | undefined;
};
export type Found = { readonly site: RandomId; readonly customer: RandomId };

/** @throws TsugiteError NOT_FOUND · CUSTOMER_UNKNOWN · INPUT_REFUSED (a customer with several sites) */
export async function placeOf(sql: Sql, { site, customerId, gateway }: Place): Promise<Found> {
  const customer = customerId === undefined ? null : await customerOf(sql, customerId);
  const rows = await sql.query<Found>(
    `SELECT s.id AS site, s.customer FROM sites s LEFT JOIN gateways g ON g.site_id = s.id AND g.replaced_at IS NULL
     WHERE s.id = $1 OR g.id = $2 OR s.customer = $3 ORDER BY s.created_at, s.id LIMIT 2`,
    [site ?? null, gateway ?? null, customer],
  );
  const [only] = rows;
  if (only === undefined) throw new TsugiteError('NOT_FOUND', { what: gateway === undefined ? 'site' : `site of gateway ${gateway}` });
  if (rows.length > 1) throw new TsugiteError('INPUT_REFUSED', { faults: [{ field: 'site', fault: 'the customer has several' }] });
  return only;
}

/** @throws TsugiteError CUSTOMER_UNKNOWN */
export async function customerOf(sql: Sql, customerId: string): Promise<RandomId> {
  const [row] = await sql.query<{ id: RandomId }>('SELECT id FROM customers WHERE customer_id = $1', [parseCustomerId(customerId)]);
  if (row === undefined) throw new TsugiteError('CUSTOMER_UNKNOWN');
  return row.id;
}
