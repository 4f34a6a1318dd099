/** What people look up about complaints and cases. A provider sees those of its own software, without the operator's notes. */
import { TsugiteError } from '../../protocol/errors.ts';
import type { RandomId, SoftwareId } from '../../protocol/fields.ts';
import type { Db } from '../ports.ts';
import type { Actor } from './actor.ts';
import { type Listed, type Page, pageOf, rowsFor } from './page.ts';

export type CaseRow = {
  readonly case: RandomId;
  readonly software: SoftwareId;
  readonly provider: string;
  readonly state: 'open' | 'passed' | 'failed';
  readonly softwareState: string;
  readonly openedAt: Date;
  readonly openedBy: string;
  readonly complaints: number;
  readonly reviewer: string | null;
  readonly reason: string | null;
  readonly decidedAt: Date | null;
  readonly decidedBy: string | null;
};

const caseQuery = `SELECT c.id AS "case", c.software_id AS software, s.provider_id AS provider, coalesce(c.decision, 'open') AS state,
  s.state AS "softwareState", c.opened_at AS "openedAt", c.opened_by AS "openedBy",
  (SELECT count(*) FROM complaints o WHERE o.case_id = c.id) AS complaints, c.reviewer, c.reason, c.decided_at AS "decidedAt", c.decided_by AS "decidedBy"
  FROM ethics_cases c JOIN software s ON s.id = c.software_id WHERE ($1::text IS NULL OR s.provider_id = $1)`;
const ownOnly = (actor: Actor) => (actor.role === 'provider' ? actor.provider : null);

export function makeEthicsQueries({ db }: { db: Db }) {
  return {
    /** Newest first. */
    list: async (software: SoftwareId | undefined, page: Page<RandomId>, actor: Actor): Promise<Listed<CaseRow>> => {
      const rows = await db.query<CaseRow>(
        `${caseQuery} AND ($2::text IS NULL OR c.software_id = $2)
           AND ($3::text IS NULL OR (c.opened_at, c.id) < (SELECT opened_at, id FROM ethics_cases WHERE id = $3))
         ORDER BY c.opened_at DESC, c.id DESC LIMIT $4`,
        [ownOnly(actor), software ?? null, page.after ?? null, rowsFor(page)],
      );
      return pageOf(rows, page, 'case');
    },

    show: async (id: RandomId, actor: Actor) => {
      const [row] = await db.query<CaseRow>(`${caseQuery} AND c.id = $2`, [ownOnly(actor), id]);
      if (row === undefined) throw new TsugiteError('NOT_FOUND', { what: `case ${id}` });
      return { ...row, complaintList: await complaintsOf(db, id), notes: actor.role === 'provider' ? [] : await notesOf(db, id) };
    },
  };
}

function complaintsOf(db: Db, id: RandomId) {
  return db.query<{ complaint: RandomId; kind: string; said: string; receivedOn: string }>(
    `SELECT id AS complaint, kind, said, received_on AS "receivedOn" FROM complaints WHERE case_id = $1 ORDER BY recorded_at, id`,
    [id],
  );
}

function notesOf(db: Db, id: RandomId) {
  return db.query<{ note: number; kind: string; text: string; document: string | null; at: Date; by: string }>(
    'SELECT id AS note, kind, text, document, at, by FROM ethics_notes WHERE case_id = $1 ORDER BY id',
    [id],
  );
}
