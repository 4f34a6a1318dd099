/** Complaints, ethics cases, and what their decisions do (DOMAIN §5.3, D-12). */
import { TsugiteError } from '../../protocol/errors.ts';
import type { RandomId, SoftwareId } from '../../protocol/fields.ts';
import type { Clock, Db, Random, Sql } from '../ports.ts';
import { type ComplaintDecision, type ComplaintKind, decideComplaint, decideVerdict, type Verdict } from '../rules/ethics.ts';
import { japanDay } from '../rules/japan-day.ts';
import type { SoftwareState } from '../rules/software-states.ts';
import type { Actor } from './actor.ts';
import { appendAudit } from './audit.ts';
import type { makeEndSoftware } from './end-software.ts';
import { moveSoftware } from './move-software.ts';
import { tellWaiting } from './tell-waiting.ts';

export type NewComplaint = {
  readonly software: SoftwareId;
  readonly kind: ComplaintKind;
  readonly said: string;
  /** Day in Japan; left out: today. */
  readonly receivedOn?: string | undefined;
};
export type Complained = {
  readonly complaint: RandomId;
  readonly case: RandomId | null;
  readonly outcome: ComplaintDecision['kind'];
  readonly software: SoftwareId;
  readonly state: SoftwareState;
};
export type NewNote = { readonly kind: 'note' | 'evidence'; readonly text: string; readonly document?: string | undefined };
export type NewVerdict = { readonly verdict: Verdict; readonly reviewer: string; readonly reason: string };

type Parts = { db: Db; clock: Clock; random: Random; endSoftware: ReturnType<typeof makeEndSoftware> };

export function makeEthics({ db, clock, random, endSoftware }: Parts) {
  return {
    /** A complaint about the content opens a case, or joins the one that is open; any other is only written down. */
    complain: (complaint: NewComplaint, actor: Actor): Promise<Complained> =>
      db.tx(async (sql) => {
        const nowMs = clock.nowMs();
        const { software, kind } = complaint;
        const now = await lockState(sql, software);
        const open = await openCase(sql, software);
        const decision = decideComplaint(kind, now, open !== undefined);
        const caseId = decision.kind === 'open-case' ? await insertCase(sql, random.id(), software, actor, nowMs) : open;
        const of = decision.kind === 'record' ? null : (caseId ?? null);
        const id = random.id();
        await insertComplaint(sql, { id, case: of, ...complaint }, actor, nowMs);
        const reason = `ethics case ${of}`;
        const state =
          decision.kind === 'open-case' && now !== 'UNDER_REVIEW'
            ? await moveSoftware(sql, { software, event: 'complained', atMs: nowMs, by: actor.name, reason })
            : now;
        if (state !== now) await tellWaiting(sql, { software }, nowMs);
        const detail = { complaint: id, kind, case: of, outcome: decision.kind };
        await appendAudit(sql, { actor, action: 'ethics.complain', subject: software, detail }, nowMs);
        return { complaint: id, case: of, outcome: decision.kind, software, state };
      }),

    note: (id: RandomId, { kind, text, document }: NewNote, actor: Actor): Promise<{ note: number; case: RandomId }> =>
      db.tx(async (sql) => {
        const nowMs = clock.nowMs();
        await lockCase(sql, id);
        const [row] = await sql.query<{ id: number }>(
          'INSERT INTO ethics_notes (case_id, kind, text, document, at, by) VALUES ($1, $2, $3, $4, $5, $6) RETURNING id',
          [id, kind, text, document ?? null, new Date(nowMs), actor.name],
        );
        await appendAudit(sql, { actor, action: 'ethics.note', subject: id, detail: { kind, document: document ?? null } }, nowMs);
        return { note: (row as { id: number }).id, case: id };
      }),

    /** @throws TsugiteError NOT_FOUND · STATE_FORBIDS (decided otherwise) · APPROVAL_REQUIRED (failed and recorded; the removal waits for a second person) */
    decide: async (
      id: RandomId,
      said: NewVerdict,
      actor: Actor,
    ): Promise<{ case: RandomId; verdict: Verdict; software: SoftwareId; state: SoftwareState; ended: number }> => {
      const done = await db.tx(async (sql) => {
        const nowMs = clock.nowMs();
        const { software, decision: decided } = await lockCase(sql, id);
        const now = await lockState(sql, software);
        const decision = decideVerdict(said.verdict, decided, now);
        if (decision.kind === 'refuse') throw new TsugiteError('STATE_FORBIDS', { state: decision.why, action: 'decide' });
        if (decided === null) await saveVerdict(sql, id, said, actor, nowMs);
        const state =
          decision.kind === 'resume'
            ? await moveSoftware(sql, { software, event: 'cleared', atMs: nowMs, by: actor.name, reason: `ethics case ${id}` })
            : now;
        if (decision.kind === 'resume') await tellWaiting(sql, { software }, nowMs);
        const detail = { verdict: said.verdict, reviewer: said.reviewer, outcome: decision.kind, software };
        await appendAudit(sql, { actor, action: 'ethics.decide', subject: id, detail }, nowMs);
        return { software, state, decision };
      });
      const answer = { case: id, verdict: said.verdict, software: done.software };
      if (done.decision.kind !== 'prohibit') return { ...answer, state: done.state, ended: 0 };
      const { state, ended } = await endSoftware.end('prohibit', done.software, said.reason, actor);
      return { ...answer, state, ended };
    },
  };
}

async function insertCase(sql: Sql, id: RandomId, software: SoftwareId, actor: Actor, nowMs: number): Promise<RandomId> {
  await sql.query('INSERT INTO ethics_cases (id, software_id, opened_at, opened_by) VALUES ($1, $2, $3, $4)', [
    id,
    software,
    new Date(nowMs),
    actor.name,
  ]);
  return id;
}

async function insertComplaint(
  sql: Sql,
  { id, case: caseId, software, kind, said, receivedOn }: NewComplaint & { id: RandomId; case: RandomId | null },
  actor: Actor,
  nowMs: number,
): Promise<void> {
  await sql.query(
    `INSERT INTO complaints (id, software_id, kind, said, received_on, case_id, recorded_at, recorded_by) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)`,
    [id, software, kind, said, receivedOn ?? japanDay(nowMs), caseId, new Date(nowMs), actor.name],
  );
}

async function saveVerdict(sql: Sql, id: RandomId, { verdict, reviewer, reason }: NewVerdict, actor: Actor, nowMs: number): Promise<void> {
  await sql.query('UPDATE ethics_cases SET decision = $2, reviewer = $3, reason = $4, decided_at = $5, decided_by = $6 WHERE id = $1', [
    id,
    verdict,
    reviewer,
    reason,
    new Date(nowMs),
    actor.name,
  ]);
}

/** Orders wait, and so does a second complaint. */
async function lockState(sql: Sql, software: SoftwareId): Promise<SoftwareState> {
  const [row] = await sql.query<{ state: SoftwareState }>('SELECT state FROM software WHERE id = $1 FOR UPDATE', [software]);
  if (row === undefined) throw new TsugiteError('NOT_FOUND', { what: `software ${software}` });
  return row.state;
}

async function openCase(sql: Sql, software: SoftwareId): Promise<RandomId | undefined> {
  const [row] = await sql.query<{ id: RandomId }>('SELECT id FROM ethics_cases WHERE software_id = $1 AND decision IS NULL', [software]);
  return row?.id;
}

async function lockCase(sql: Sql, id: RandomId): Promise<{ software: SoftwareId; decision: Verdict | null }> {
  const [row] = await sql.query<{ software: SoftwareId; decision: Verdict | null }>(
    'SELECT software_id AS software, decision FROM ethics_cases WHERE id = $1 FOR UPDATE',
    [id],
  );
  if (row === undefined) throw new TsugiteError('NOT_FOUND', { what: `case ${id}` });
  return row;
}
