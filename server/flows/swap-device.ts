/**
 * 機器交換: the same contract goes on with another gateway (D-27). From its day on the new one has the site and everything is delivered to it; the
 * old one is let in nowhere any more. What the new model means for §4.2 is decided at the day's end with the day's other events.
 */
import { TsugiteError } from '../../protocol/errors.ts';
import type { GatewayId, RandomId } from '../../protocol/fields.ts';
import type { Sql } from '../ports.ts';
import { decideEligibility } from '../rules/eligibility.ts';
import type { EligibilityCatalogue } from '../rules/eligibility-catalogue.ts';
import { japanDay } from '../rules/japan-day.ts';
import { nextState } from '../rules/targets.ts';
import type { Actor } from './actor.ts';
import { factsOn, openTargetsOf, saveFacts } from './contract-facts.ts';
import { standAt } from './gateways.ts';
import { moveTarget } from './move-target.ts';
import { markNoticeDue } from './notice-due.ts';
import { redeliver } from './redeliver.ts';
import { insertEvent } from './save-contract-event.ts';

type Swap = { readonly site: RandomId; readonly gateway: GatewayId; readonly model?: string | undefined; readonly day: string };
type Doing = { readonly actor: Actor; readonly nowMs: number; readonly catalogue: EligibilityCatalogue };

/** @returns the id of the event @throws TsugiteError NOT_FOUND · CONFLICT · STATE_FORBIDS · INPUT_REFUSED (no model of a new gateway) */
export async function swapDevice(sql: Sql, swap: Swap, { actor, nowMs, catalogue }: Doing): Promise<number> {
  const model = await registered(sql, swap, nowMs);
  const event = await insertEvent(
    sql,
    { site: swap.site, kind: 'swap-device', detail: { gateway: swap.gateway, model }, effectiveOn: swap.day },
    actor,
    nowMs,
  );
  // The box is changed on the spot: its software must not wait for midnight.
  if (swap.day <= japanDay(nowMs))
    await rebind(sql, { site: swap.site, gateway: swap.gateway, model }, { by: actor.name, nowMs, catalogue });
  return event;
}

/** D-27: 転用, 移転 and an exchanged box are the same contract, so its targets go on with the new box. Safe to do twice, and after another exchange: a gateway that is out, or stands elsewhere by now, stays there. */
export async function rebind(
  sql: Sql,
  { site, gateway, model }: { site: RandomId; gateway: GatewayId; model: string },
  { by, nowMs, catalogue }: { by: string; nowMs: number; catalogue: EligibilityCatalogue },
): Promise<void> {
  const free = await sql.query('SELECT 1 FROM gateways WHERE id = $1 AND site_id IS NULL AND replaced_at IS NULL FOR UPDATE', [gateway]);
  if (free.length === 0) return;
  const now = new Date(nowMs);
  await sql.query(
    `UPDATE gateways SET replaced_at = $3, blocked_at = coalesce(blocked_at, $3), block_reason = coalesce(block_reason, $4)
     WHERE site_id = $1 AND replaced_at IS NULL AND id <> $2`,
    [site, gateway, now, `replaced by ${gateway}`],
  );
  await standAt(sql, { gateway, site }, nowMs);
  const today = japanDay(nowMs);
  const facts = { ...(await factsOn(sql, site, today)), hgwModel: model };
  await saveFacts(sql, site, facts, { effectiveOn: today, by, atMs: nowMs });
  await redeliver(sql, site, { why: 'device-swapped', by, atMs: nowMs });
  // Until the day's end has judged it, nothing is sent to a box that is outside the service.
  if (decideEligibility(facts, catalogue, today).fired.some(({ code }) => code === 'ELIG_MODEL'))
    for (const { target, state } of await openTargetsOf(sql, site))
      if (nextState(state, 'suspend') !== undefined)
        await moveTarget(sql, { target, event: 'suspend', atMs: nowMs, by, codes: ['ELIG_MODEL'] });
  await markNoticeDue(sql, { gateways: [gateway] }, nowMs); // also wakes the desk, which cuts the old one off
}

/** A gateway that nobody registered yet is registered now. @returns its model */
async function registered(sql: Sql, { gateway, model }: Swap, nowMs: number): Promise<string> {
  const [known] = await sql.query<{ model: string; site: RandomId | null; isOut: boolean }>(
    'SELECT model, site_id AS site, replaced_at IS NOT NULL OR blocked_at IS NOT NULL AS "isOut" FROM gateways WHERE id = $1 FOR UPDATE',
    [gateway],
  );
  if (known === undefined) {
    if (model === undefined) throw new TsugiteError('INPUT_REFUSED', { faults: [{ field: 'model', fault: 'needed for a new gateway' }] });
    await sql.query('INSERT INTO gateways (id, model, created_at) VALUES ($1, $2, $3)', [gateway, model, new Date(nowMs)]);
    return model;
  }
  if (model !== undefined && model !== known.model) throw new TsugiteError('DEVICE_NOT_BOUND', { expected: known.model, found: model });
  if (known.isOut) throw new TsugiteError('STATE_FORBIDS', { state: 'replaced', action: 'swap-device' });
  if (known.site !== null) throw new TsugiteError('CONFLICT', { what: `gateway ${gateway}` });
  return known.model;
}
