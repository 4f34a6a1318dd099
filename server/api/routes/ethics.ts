/** Complaints and ethics cases (倫理審査, DOMAIN §5.3). Nobody but the operator and the software's own provider learns of a review. */
import * as z from 'zod/mini';
import { count, digest, randomId, softwareId } from '../../../protocol/fields.ts';
import type { makeEthics } from '../../flows/ethics.ts';
import type { makeEthicsQueries } from '../../flows/ethics-queries.ts';
import { leadsToReview } from '../../rules/ethics.ts';
import { softwareMachine } from '../../rules/software-states.ts';
import { day, time, words } from '../fields.ts';
import { type Route, route } from '../route.ts';
import { shown } from '../shown.ts';

const complaintKind = z.enum(Object.keys(leadsToReview) as (keyof typeof leadsToReview)[]);
const softwareState = z.enum(Object.keys(softwareMachine) as (keyof typeof softwareMachine)[]);
const oneCase = z.strictObject({ case: randomId });
const caseAnswer = {
  case: randomId,
  software: softwareId,
  provider: z.string(),
  state: z.enum(['open', 'passed', 'failed']),
  softwareState,
  openedAt: time,
  openedBy: z.string(),
  complaints: count,
  reviewer: z.nullable(z.string()),
  reason: z.nullable(z.string()),
  decidedAt: z.nullable(time),
  decidedBy: z.nullable(z.string()),
};
const note = z.strictObject({
  note: count,
  kind: z.enum(['note', 'evidence']),
  text: z.string(),
  document: z.nullable(digest),
  at: time,
  by: z.string(),
});
const shownCase = {
  case: shown.case,
  software: shown.software,
  provider: shown.provider,
  state: 'open',
  softwareState: 'UNDER_REVIEW',
  openedAt: shown.time,
  openedBy: '運用担当',
  complaints: 1,
  reviewer: null,
  reason: null,
  decidedAt: null,
  decidedBy: null,
};
const complaint = z.strictObject({ complaint: randomId, kind: complaintKind, said: z.string(), receivedOn: day });

export function ethicsRoutes({
  ethics,
  ethicsQueries,
}: {
  ethics: ReturnType<typeof makeEthics>;
  ethicsQueries: ReturnType<typeof makeEthicsQueries>;
}): Route[] {
  return [
    route({
      method: 'POST',
      path: '/software/:software/complaints',
      roles: ['operator'],
      summary: 'Write down a complaint; one about the content opens an ethics case and pauses new deliveries',
      status: 201,
      params: z.strictObject({ software: softwareId }),
      body: z.strictObject({ kind: complaintKind, said: words(2000), receivedOn: z.optional(day) }),
      answer: z.strictObject({
        complaint: randomId,
        case: z.nullable(randomId),
        outcome: z.enum(['open-case', 'join-case', 'record']),
        software: softwareId,
        state: softwareState,
      }),
      example: {
        params: { software: shown.software },
        body: { kind: 'content', said: '表示の内容についての苦情', receivedOn: shown.day },
        answer: { complaint: shown.complaint, case: shown.case, outcome: 'open-case', software: shown.software, state: 'UNDER_REVIEW' },
      },
      oncePerKey: true,
      handle: ({ params, body, actor }) => ethics.complain({ ...params, ...body }, actor),
    }),
    route({
      method: 'GET',
      path: '/ethics/cases',
      roles: ['operator', 'provider'],
      summary: 'Ethics cases, newest first; a provider sees those of its own software',
      query: z.strictObject({ software: z.optional(softwareId) }),
      list: randomId,
      answer: z.strictObject(caseAnswer),
      example: { query: { software: shown.software }, answer: shownCase },
      handle: ({ query, page, actor }) => ethicsQueries.list(query.software, page, actor),
    }),
    route({
      method: 'GET',
      path: '/ethics/cases/:case',
      roles: ['operator', 'provider'],
      summary: 'A case with its complaints; the notes are the operator’s',
      params: oneCase,
      answer: z.strictObject({ ...caseAnswer, complaintList: z.array(complaint), notes: z.array(note) }),
      example: {
        params: { case: shown.case },
        answer: {
          ...shownCase,
          complaintList: [{ complaint: shown.complaint, kind: 'content', said: '表示の内容についての苦情', receivedOn: shown.day }],
          notes: [{ note: 1, kind: 'evidence', text: '画面の写し', document: shown.sha256, at: shown.time, by: '運用担当' }],
        },
      },
      handle: ({ params, actor }) => ethicsQueries.show(params.case, actor),
    }),
    route({
      method: 'POST',
      path: '/ethics/cases/:case/notes',
      roles: ['operator'],
      summary: 'A note or evidence of a case; a paper is named by its digest',
      status: 201,
      params: oneCase,
      body: z.strictObject({ kind: z._default(z.enum(['note', 'evidence']), 'note'), text: words(4000), document: z.optional(digest) }),
      answer: z.strictObject({ note: count, case: randomId }),
      example: {
        params: { case: shown.case },
        body: { kind: 'evidence', text: '画面の写し', document: shown.sha256 },
        answer: { note: 1, case: shown.case },
      },
      oncePerKey: true,
      handle: ({ params, body, actor }) => ethics.note(params.case, body, actor),
    }),
    route({
      method: 'POST',
      path: '/ethics/cases/:case/decide',
      roles: ['operator'],
      summary: 'The third party’s decision: passed resumes, failed prohibits and removes (many need a second person)',
      params: oneCase,
      body: z.strictObject({ verdict: z.enum(['passed', 'failed']), reviewer: words(200), reason: words(1000) }),
      answer: z.strictObject({
        case: randomId,
        verdict: z.enum(['passed', 'failed']),
        software: softwareId,
        state: softwareState,
        ended: count,
      }),
      example: {
        params: { case: shown.case },
        body: { verdict: 'passed', reviewer: '第三者機関', reason: '公序良俗に反する内容は認められない' },
        answer: { case: shown.case, verdict: 'passed', software: shown.software, state: 'PUBLISHED', ended: 0 },
      },
      handle: ({ params, body, actor }) => ethics.decide(params.case, body, actor),
    }),
  ];
}
