/** Home gateways as the operator registers them: model, place, invitation, block. What they say about themselves comes from the delivery side. */
import { createHash } from 'node:crypto';
import { parseEnvelope } from '../../protocol/dsse.ts';
import { TsugiteError } from '../../protocol/errors.ts';
import type { GatewayId, RandomId } from '../../protocol/fields.ts';
import type { Invitation } from '../../protocol/messages/invitation.ts';
import type { Clock, Db, Random, Sql } from '../ports.ts';
import { japanDay } from '../rules/japan-day.ts';
import type { Actor } from './actor.ts';
import { appendAudit } from './audit.ts';
import { factsOn } from './contract-facts.ts';
import { markNoticeDue } from './notice-due.ts';
import { type Page, pageOf, rowsFor } from './page.ts';
import { newestRoot } from './trust-in-force.ts';

const invitationHours = 24;

export type Addresses = { readonly https: string; readonly mqtt: string };

export function makeGateways({ db, clock, random, addresses }: { db: Db; clock: Clock; random: Random; addresses: Addresses }) {
  return {
    register: async (
      { gateway, model, site }: { gateway: GatewayId; model: string; site?: RandomId | undefined },
      actor: Actor,
    ): Promise<{ gateway: GatewayId; model: string; site: RandomId | null }> => {
      const nowMs = clock.nowMs();
      return db.tx(async (sql) => {
        const rows = await sql.query(
          'INSERT INTO gateways (id, model, created_at) VALUES ($1, $2, $3) ON CONFLICT (id) DO NOTHING RETURNING id',
          [gateway, model, new Date(nowMs)],
        );
        if (rows.length === 0) throw new TsugiteError('CONFLICT', { what: `gateway ${gateway}` });
        if (site !== undefined) await bind(sql, { gateway, model, site }, nowMs);
        await appendAudit(sql, { actor, action: 'gateway.register', subject: gateway, detail: { model, site: site ?? null } }, nowMs);
        return { gateway, model, site: site ?? null };
      });
    },

    bind: async (gateway: GatewayId, site: RandomId, actor: Actor): Promise<{ gateway: GatewayId; site: RandomId }> => {
      const nowMs = clock.nowMs();
      return db.tx(async (sql) => {
        const { model, isReplaced } = await gatewayRow(sql, gateway);
        if (isReplaced) throw new TsugiteError('STATE_FORBIDS', { state: 'replaced', action: 'bind' });
        await verifyLeftNothing(sql, gateway, site);
        await bind(sql, { gateway, model, site }, nowMs);
        await appendAudit(sql, { actor, action: 'gateway.bind', subject: gateway, detail: { site } }, nowMs);
        return { gateway, site };
      });
    },

    /** Blocked gateways are refused at every door; their software ends by its lease. */
    setBlocked: async (gateway: GatewayId, reason: string | null, actor: Actor): Promise<{ gateway: GatewayId; isBlocked: boolean }> => {
      const nowMs = clock.nowMs();
      return db.tx(async (sql) => {
        const { isReplaced } = await gatewayRow(sql, gateway);
        if (isReplaced) throw new TsugiteError('STATE_FORBIDS', { state: 'replaced', action: reason === null ? 'unblock' : 'block' });
        await sql.query('UPDATE gateways SET blocked_at = $2, block_reason = $3 WHERE id = $1', [
          gateway,
          reason === null ? null : new Date(nowMs),
          reason,
        ]);
        await markNoticeDue(sql, { gateways: [gateway] }, nowMs); // wakes the desk, which cuts off the connection
        await appendAudit(
          sql,
          { actor, action: reason === null ? 'gateway.unblock' : 'gateway.block', subject: gateway, detail: { reason } },
          nowMs,
        );
        return { gateway, isBlocked: reason !== null };
      });
    },

    /** A fresh invitation; the earlier ones are void. The token is in the answer for the only time. */
    invite: async (gateway: GatewayId, actor: Actor): Promise<Invitation> => {
      const nowMs = clock.nowMs();
      const token = random.id();
      return db.tx(async (sql) => {
        const { isBlocked } = await gatewayRow(sql, gateway);
        if (isBlocked) throw new TsugiteError('GATEWAY_BLOCKED', { gateway });
        const { root, envelope } = await newestRoot(sql);
        const now = new Date(nowMs);
        await sql.query('UPDATE invitations SET voided_at = $2 WHERE gateway_id = $1 AND voided_at IS NULL AND spent_at IS NULL', [
          gateway,
          now,
        ]);
        await sql.query('INSERT INTO invitations (id, gateway_id, token_sha256, created_at, expires_at) VALUES ($1, $2, $3, $4, $5)', [
          random.id(),
          gateway,
          createHash('sha256').update(token).digest('hex'),
          now,
          new Date(nowMs + invitationHours * 3_600_000),
        ]);
        await appendAudit(sql, { actor, action: 'gateway.invite', subject: gateway }, nowMs);
        return { v: 1, gateway, ...addresses, token, serverCas: root.serverCas, root: parseEnvelope(envelope) };
      });
    },

    list: async (page: Page) => {
      const rows = await db.query<{ gateway: GatewayId }>(`${gatewayQuery} WHERE $1::text IS NULL OR g.id > $1 ORDER BY g.id LIMIT $2`, [
        page.after ?? null,
        rowsFor(page),
      ]);
      return pageOf(rows, page, 'gateway');
    },

    show: async (gateway: GatewayId): Promise<Record<string, unknown>> => {
      const [row] = await db.query(`${gatewayQuery} WHERE g.id = $1`, [gateway]);
      if (row === undefined) throw new TsugiteError('NOT_FOUND', { what: `gateway ${gateway}` });
      const targets = await db.query(
        `SELECT t.id AS target, t.software_id AS software, t.state, t.state_codes AS codes, r.version, t.committed_version AS "committedVersion"
         FROM targets t LEFT JOIN releases r ON r.id = t.release_id WHERE t.site_id = $1 ORDER BY t.requested_at, t.id`,
        [row.site],
      );
      return { ...row, targets };
    },
  };
}

const gatewayQuery = `SELECT g.id AS gateway, g.model, g.site_id AS site, g.online, g.last_seen_at AS "lastSeenAt", g.firmware, g.agent_version AS agent,
  g.root_version AS "rootVersion", g.notice_version AS "noticeVersion", g.applied_version AS "appliedVersion", g.blocked_at AS "blockedAt",
  g.block_reason AS "blockReason", g.replaced_at AS "replacedAt", g.created_at AS "createdAt",
  EXISTS (SELECT 1 FROM gateway_certificates c WHERE c.gateway_id = g.id AND c.first_used_at IS NOT NULL) AS enrolled FROM gateways g`;

async function gatewayRow(sql: Sql, gateway: GatewayId): Promise<{ model: string; isBlocked: boolean; isReplaced: boolean }> {
  const [row] = await sql.query<{ model: string; isBlocked: boolean; isReplaced: boolean }>(
    'SELECT model, blocked_at IS NOT NULL AS "isBlocked", replaced_at IS NOT NULL AS "isReplaced" FROM gateways WHERE id = $1 FOR UPDATE',
    [gateway],
  );
  if (row === undefined) throw new TsugiteError('NOT_FOUND', { what: `gateway ${gateway}` });
  return row;
}

/** A gateway that goes to another household must have been told to erase what it has of the first, and have said that it did. */
async function verifyLeftNothing(sql: Sql, gateway: GatewayId, site: RandomId): Promise<void> {
  const left = await sql.query(
    `SELECT 1 FROM targets t JOIN gateways g ON g.site_id = t.site_id
     WHERE g.id = $1 AND t.site_id <> $2 AND (t.ended_at IS NULL OR (t.entitled_until IS NOT NULL AND t.purged_at IS NULL)) LIMIT 1`,
    [gateway, site],
  );
  if (left.length > 0) throw new TsugiteError('STATE_FORBIDS', { state: 'in-use', action: 'bind' });
}

/** A site has one gateway, and the contract names its model: another box there is E113, not a delivery. */
async function bind(
  sql: Sql,
  { gateway, model, site }: { gateway: GatewayId; model: string; site: RandomId },
  nowMs: number,
): Promise<void> {
  const rows = await sql.query('SELECT id FROM sites WHERE id = $1 FOR UPDATE', [site]);
  if (rows.length === 0) throw new TsugiteError('NOT_FOUND', { what: 'site' });
  const { hgwModel } = await factsOn(sql, site, japanDay(nowMs));
  if (hgwModel !== model) throw new TsugiteError('DEVICE_NOT_BOUND', { expected: hgwModel, found: model });
  const others = await sql.query('SELECT id FROM gateways WHERE site_id = $1 AND replaced_at IS NULL AND id <> $2', [site, gateway]);
  if (others.length > 0) throw new TsugiteError('CONFLICT', { what: 'site' });
  await standAt(sql, { gateway, site }, nowMs);
  await markNoticeDue(sql, { gateways: [gateway] }, nowMs);
}

/** What a gateway says belongs to who lives where it stands: from when on, is remembered with it. */
export async function standAt(sql: Sql, { gateway, site }: { gateway: GatewayId; site: RandomId }, nowMs: number): Promise<void> {
  await sql.query(
    'UPDATE gateways SET site_id = $2::text, bound_at = CASE WHEN site_id = $2::text THEN bound_at ELSE $3::timestamptz END WHERE id = $1',
    [gateway, site, new Date(nowMs)],
  );
}
