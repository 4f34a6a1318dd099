/**
 * A fleet with a past, written straight into the database: what would take months to happen is there at once. Providers `fleet-1` … have software of
 * all menus and plans. Targets were registered all over the month before the one that is charged; some ended in that month already, some end in the
 * charged one, some stand on HOLD, some gain a plan that counts only later. Every software has other changes (その他変更) in the charged month.
 */
import type { Sql } from '../../server/ports.ts';

export type FleetWish = {
  readonly targets: number;
  readonly providers: number;
  readonly softwarePerProvider: number;
  /** `YYYY-MM` in Japan: the first month that is charged. */
  readonly month: string;
};
/** What the month must come to, by an arithmetic of its own. */
export type Fleet = { readonly software: number; readonly charged: number; readonly totalYen: number };

export async function insertFleet(sql: Sql, { targets, providers, softwarePerProvider, month }: FleetWish): Promise<Fleet> {
  const start = new Date(`${month}-01T00:00:00+09:00`);
  const software = providers * softwarePerProvider;
  await sql.query(
    `INSERT INTO providers (id, name, created_at) SELECT 'fleet-' || n, '試験事業者' || n || '株式会社', $1 FROM generate_series(1, $2::int) n`,
    [start, providers],
  );
  await sql.query(
    `CREATE TEMPORARY TABLE fleet AS SELECT n, 'app' || n || '.fleet-' || n % $1 + 1 AS id, 'fleet-' || n % $1 + 1 AS provider, lpad('w' || n, 20, '0') AS work,
       lpad('r' || n, 20, '0') AS release, n % 5 + 1 AS class FROM generate_series(0, $2::int - 1) n`,
    [providers, software],
  );
  await sql.query(
    `INSERT INTO software (id, provider_id, state, registered_at, created_at)
     SELECT id, provider, 'PUBLISHED', $1::timestamptz - interval '25 days', $1::timestamptz - interval '25 days' FROM fleet`,
    [start],
  );
  await sql.query(
    `INSERT INTO work_orders (id, provider_id, state, created_at, completed_at)
     SELECT work, provider, 'COMPLETED', $1::timestamptz + interval '3 days', $1::timestamptz + interval '3 days' FROM fleet`,
    [start],
  );
  await sql.query(`INSERT INTO work_order_items (work_order_id, software_id, kind) SELECT work, id, 'other' FROM fleet`);
  await sql.query(
    `INSERT INTO releases (id, software_id, version, state, stored_bytes, installed_bytes, unit_bytes, menu, plan, admitted_at)
     SELECT release, id, '1.0.0', 'ADMITTED', class * 5000000 - 1, class * 1500000 - 1, 1000000, class, class, $1::timestamptz - interval '25 days' FROM fleet`,
    [start],
  );
  await sql.query(
    `INSERT INTO software_classes (software_id, release_id, menu, stored_bytes, unit_bytes, since)
     SELECT software_id, r.id, menu, stored_bytes, unit_bytes, admitted_at FROM releases r JOIN fleet ON release = r.id ORDER BY n`,
  );
  await insertTargets(sql, start, targets, software);
  await sql.query('DROP TABLE fleet');
  return expected(targets, software);
}

async function insertTargets(sql: Sql, start: Date, targets: number, software: number): Promise<void> {
  const id = `lpad('t' || n, 20, '0')`;
  await sql.query(
    `INSERT INTO customers (id, customer_id, created_at) SELECT ${id}, 'FLEET' || n, $1 FROM generate_series(0, $2::int - 1) n`,
    [start, targets],
  );
  await sql.query(`INSERT INTO sites (id, customer, created_at) SELECT id, id, created_at FROM customers WHERE customer_id LIKE 'FLEET%'`);
  await sql.query(
    `INSERT INTO targets (id, software_id, provider_id, site_id, state, release_id, plan, requested_at, requested_by, ready_at, committed_version, ended_at,
       ended_on, removed_reason)
     SELECT t.id, f.id, f.provider, t.id, CASE WHEN t.ended IS NOT NULL THEN 'TERMINATED' WHEN isHeld THEN 'HOLD' ELSE 'ACTIVE' END, f.release, f.class,
       t.requested, 'fleet', CASE WHEN NOT isHeld THEN t.requested END, CASE WHEN NOT isHeld AND t.ended IS NULL THEN '1.0.0' END, t.ended,
       (t.ended AT TIME ZONE 'UTC' + interval '9 hours')::date, CASE WHEN t.ended IS NOT NULL THEN 'cancelled' END
     FROM (SELECT n, ${id} AS id, $1::timestamptz - interval '1 second' * (1 + n % 2000000) AS requested, n % 40 = 1 AS isHeld,
             CASE WHEN n % 50 = 0 THEN $1::timestamptz - interval '1 second' WHEN n % 33 = 2 THEN $1::timestamptz + interval '9 days' END AS ended
           FROM generate_series(0, $2::int - 1) n) t JOIN fleet f ON f.n = t.n % $3`,
    [start, targets, software],
  );
  await sql.query(
    `INSERT INTO target_plans (target_id, release_id, plan, installed_bytes, unit_bytes, since)
     SELECT t.id, r.id, r.plan, r.installed_bytes, r.unit_bytes, t.requested_at FROM targets t JOIN releases r ON r.id = t.release_id
     WHERE t.requested_by = 'fleet' ORDER BY t.id`,
  );
  await sql.query(
    `INSERT INTO target_plans (target_id, release_id, plan, installed_bytes, unit_bytes, since)
     SELECT target_id, release_id, 5, 7400000, unit_bytes, $1::timestamptz + interval '5 days' FROM target_plans
     WHERE target_id LIKE '%0' AND EXISTS (SELECT 1 FROM targets t WHERE t.id = target_id AND t.requested_by = 'fleet')`,
    [start],
  );
  await sql.query('ANALYZE');
}

function expected(targets: number, software: number): Fleet {
  const classOf = (n: number) => (n % 5) + 1;
  let charged = 0;
  let totalYen = 0;
  for (let n = 0; n < software; n += 1) totalYen += 11_000 * classOf(n) + 1_100 + 4_400;
  for (let n = 0; n < targets; n += 1)
    if (n % 50 !== 0 && n % 40 !== 1) {
      charged += 1;
      totalYen += 110 * classOf(n % software);
    }
  return { software, charged, totalYen };
}
