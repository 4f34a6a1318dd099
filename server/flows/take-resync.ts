/** What a gateway runs, in its own words: after a restore the server may have forgotten that it was told so before. */
import { type GatewayId, type RandomId, randomId, type Version, version } from '../../protocol/fields.ts';
import type { Report } from '../../protocol/messages/report.ts';
import type { Sql } from '../ports.ts';
import { endedStates, type TargetState } from '../rules/targets.ts';
import { moveTarget } from './move-target.ts';

const mostCommitted = 64;

/** Believes what runs; what is not in the list is no word about anything: the next notice asks for it again. */
export async function takeResync(sql: Sql, gateway: GatewayId, { detail }: Report, nowMs: number): Promise<void> {
  const { request, committed } = detail ?? {};
  if (typeof request === 'string')
    await sql.query("UPDATE gateway_requests SET done_at = coalesce(done_at, $3) WHERE id = $1 AND gateway_id = $2 AND kind = 'resync'", [
      request,
      gateway,
      new Date(nowMs),
    ]);
  for (const { target, running } of committedOf(committed)) await recordRunning(sql, { gateway, target, running, nowMs });
}

type Step = { gateway: GatewayId; target: RandomId; running: Version; nowMs: number };

async function recordRunning(sql: Sql, { gateway, target, running, nowMs }: Step): Promise<void> {
  const [row] = await sql.query<{ state: TargetState; wanted: string | null; known: string | null }>(
    `SELECT t.state, r.version AS wanted, t.committed_version AS known FROM targets t JOIN gateways g ON g.site_id = t.site_id
     LEFT JOIN releases r ON r.id = t.release_id WHERE t.id = $1 AND g.id = $2 AND g.replaced_at IS NULL FOR UPDATE OF t`,
    [target, gateway],
  );
  if (row === undefined || endedStates.includes(row.state)) return;
  if (row.known !== running) await sql.query('UPDATE targets SET committed_version = $2 WHERE id = $1', [target, running]);
  if (row.wanted !== running || row.state === 'ACTIVE') return;
  await moveTarget(sql, { target, event: 'committed', atMs: nowMs, by: gateway, detail: { version: running, state: 'resync' } });
}

/** `<target> <version>` each; what is none is left out: it is a claim of the gateway about itself. */
function committedOf(list: unknown): { target: RandomId; running: Version }[] {
  if (!Array.isArray(list)) return [];
  return list.slice(0, mostCommitted).flatMap((entry) => {
    const [id, text] = String(entry).split(' ');
    const [target, running] = [randomId.safeParse(id), version.safeParse(text)];
    return target.success && running.success ? [{ target: target.data, running: running.data }] : [];
  });
}
