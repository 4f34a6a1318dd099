/**
 * One gateway's notice, from the rows to the wire: allocated and stored under the gateway's row lock, then handed to the broker under the same
 * lock once more. So of two publishers the later version is always the one that stays retained, whoever comes first.
 */
import { createHash } from 'node:crypto';
import { encodeEnvelope, parseEnvelope, payloadOf } from '../../protocol/dsse.ts';
import type { GatewayId } from '../../protocol/fields.ts';
import { type Notice, noticeType, type Policy, parseNotice } from '../../protocol/statements/notice.ts';
import type { GatewayLink } from '../ports/gateways.ts';
import type { Clock, Db, Log, NoticeSigner, Sql } from '../ports.ts';
import { isSameWish, type NoticeFacts, planNotice } from '../rules/notice-content.ts';
import { nextRefreshMs, nextVersion } from '../rules/notice-schedule.ts';
import { type GatewayRow, loadNoticeFacts } from './load-notice-facts.ts';
import { moveTarget } from './move-target.ts';
import { isPublicationHeld } from './publication-hold.ts';

/** Weekly refreshes of more than a year, for whoever asks later what a gateway was told. */
const noticesKept = 64;

export type PublishNotice = (
  gateway: GatewayId,
  why?: { aheadVersion?: number; isForced?: boolean },
) => Promise<'published' | 'unchanged' | 'unknown' | 'held'>;

export function makePublishNotice({
  db,
  clock,
  signer,
  link,
  log,
  policy,
}: {
  db: Db;
  clock: Clock;
  signer: NoticeSigner;
  link: GatewayLink;
  log: Log;
  policy: Policy;
}): PublishNotice {
  return async (gateway, { aheadVersion = 0, isForced = false } = {}) => {
    const nowMs = clock.nowMs();
    const outcome = await db.tx(async (sql) => {
      const row = await lockGateway(sql, gateway);
      if (row === undefined) return 'unknown';
      if (await isPublicationHeld(sql)) return 'held';
      const facts = await loadNoticeFacts(sql, row, policy, nowMs);
      const version = nextVersion(row.notice_version, aheadVersion, nowMs);
      const notice = planNotice(facts, version, nowMs);
      const previous = await newestNotice(sql, gateway);
      if (
        previous !== undefined &&
        !isForced &&
        aheadVersion < previous.version &&
        !isDue(previous, notice, nowMs) &&
        !hasNews(notice, facts)
      ) {
        await setDue(sql, gateway, nextRefreshMs(gateway, nowMs));
        return 'unchanged';
      }
      await store(sql, signer, notice, nowMs);
      await enterTargets(sql, notice, facts, nowMs);
      // Last: what the targets' steps have just marked due stands in this notice already.
      await sql.query('UPDATE gateways SET notice_version = $2 WHERE id = $1', [gateway, version]);
      await setDue(sql, gateway, nextRefreshMs(gateway, nowMs));
      return { version };
    });
    if (typeof outcome === 'string') return outcome;
    await announceNotice({ db, link }, gateway);
    log.info('notice.published', { gateway, version: outcome.version });
    return 'published';
  };
}

/** Hands the newest stored notice to the broker; nothing is allocated. While publication is held, nothing is handed over either. */
export async function announceNotice({ db, link }: { db: Db; link: GatewayLink }, gateway: GatewayId): Promise<void> {
  await db.tx(async (sql) => {
    if ((await lockGateway(sql, gateway)) === undefined || (await isPublicationHeld(sql))) return;
    const [row] = await sql.query<{ envelope: Buffer }>(
      'SELECT envelope FROM notices WHERE gateway_id = $1 ORDER BY version DESC LIMIT 1',
      [gateway],
    );
    // Inside the lock, and harmless when the transaction runs twice: it is the same message.
    if (row !== undefined) link.publishNotice(gateway, row.envelope);
  });
}

async function lockGateway(sql: Sql, gateway: GatewayId): Promise<(GatewayRow & { notice_version: number }) | undefined> {
  const [row] = await sql.query<GatewayRow & { notice_version: number }>(
    'SELECT id, site_id, model, replaced_at, notice_version FROM gateways WHERE id = $1 FOR UPDATE',
    [gateway],
  );
  return row;
}

async function newestNotice(sql: Sql, gateway: GatewayId): Promise<Notice | undefined> {
  const [row] = await sql.query<{ envelope: Buffer }>('SELECT envelope FROM notices WHERE gateway_id = $1 ORDER BY version DESC LIMIT 1', [
    gateway,
  ]);
  return row && parseNotice(payloadOf(parseEnvelope(row.envelope)));
}

function isDue(previous: Notice, next: Notice, nowMs: number): boolean {
  return nextRefreshMs(next.gateway, Date.parse(previous.issuedAt)) <= nowMs || !isSameWish(previous, next);
}

async function store(sql: Sql, signer: NoticeSigner, notice: Notice, nowMs: number): Promise<void> {
  const signed = signer.sign(noticeType, notice);
  const envelope = encodeEnvelope(signed);
  parseNotice(payloadOf(signed)); // What a gateway would refuse is not sent: it would keep the gateway on its old notice.
  await sql.query(
    'INSERT INTO notices (gateway_id, version, sha256, envelope, root_version, issued_at, expires_at) VALUES ($1, $2, $3, $4, $5, $6, $7)',
    [
      notice.gateway,
      notice.version,
      createHash('sha256').update(envelope).digest('hex'),
      envelope,
      notice.rootVersion,
      new Date(nowMs),
      new Date(notice.expires),
    ],
  );
  await sql.query(
    'DELETE FROM notices WHERE gateway_id = $1 AND version < (SELECT min(version) FROM (SELECT version FROM notices WHERE gateway_id = $1 ORDER BY version DESC LIMIT $2) AS kept)',
    [notice.gateway, noticesKept],
  );
}

/** A target that waits for its delivery to be said. Said before to a gateway that has lost all, it has to be said again, word for word if need be. */
function isNews({ target, version }: Notice['targets'][number], { targets }: NoticeFacts): boolean {
  return targets.some((one) => one.target === target && one.state === 'READY' && one.wanted?.version === version);
}

function hasNews(notice: Notice, facts: NoticeFacts): boolean {
  return notice.targets.some((listed) => isNews(listed, facts));
}

async function enterTargets(sql: Sql, notice: Notice, facts: NoticeFacts, nowMs: number): Promise<void> {
  for (const listed of notice.targets) {
    await sql.query(
      'UPDATE targets SET entered_notice_at = coalesce(entered_notice_at, $2), deadline = coalesce(deadline, $3), entitled_until = $4 WHERE id = $1',
      [listed.target, new Date(nowMs), new Date(listed.deadline), new Date(listed.entitledUntil)],
    );
    if (isNews(listed, facts))
      await moveTarget(sql, { target: listed.target, event: 'noticed', atMs: nowMs, by: 'rule', detail: { notice: notice.version } });
  }
}

async function setDue(sql: Sql, gateway: GatewayId, dueMs: number): Promise<void> {
  await sql.query('UPDATE gateways SET notice_due_at = $2 WHERE id = $1', [gateway, new Date(dueMs)]);
}
