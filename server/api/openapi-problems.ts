/** The failures of the OpenAPI document: problem documents with our numbers, each shown by one that the server really makes. */
import { catalogue, TsugiteError } from '../../protocol/errors.ts';
import { statusOf, toProblem } from './problem.ts';
import type { Route } from './route.ts';

type Json = Readonly<Record<string, unknown>>;
type Status = keyof typeof problems;

/** Failures that any operation may answer, each with one as an example. */
const problems = {
  '400': [
    'A field is not what it should be; every faulty one is named',
    'INPUT_REFUSED',
    { faults: [{ field: 'site', fault: 'not an id' }] },
  ],
  '401': ['No token, or one that is unknown, revoked or over', 'API_UNAUTHENTICATED', {}],
  '403': ['The role may not do this', 'API_FORBIDDEN', { role: 'viewer' }],
  '404': ['Not there, or not for this caller', 'NOT_FOUND', { what: 'target' }],
  '409': ['Something else is there already, or the state forbids it', 'CONFLICT', { what: 'gateway hgw-0001' }],
  '412': ['Somebody else changed it since', 'VERSION_CHANGED', {}],
  '422': ['A rule of the service says no', 'ELIG_LINE', { line: 'フレッツ 光クロス' }],
  '429': ['Too many requests', 'RATE_LIMITED', { kind: 'token', limit: 3_000, retryAfterS: 2 }],
  '500': ['Unforeseen', 'INTERNAL_FAULT', {}],
  '503': ['Busy, or the database is away', 'DATABASE_UNAVAILABLE', {}],
} as const;

/** Which failures a caller of this route has to reckon with. */
export function statusesOf({ method, roles, params, takesIfMatch }: Route): Status[] {
  return (Object.keys(problems) as Status[]).filter((status) => {
    if (status === '401' || status === '403') return roles !== 'anyone';
    if (status === '404') return params !== undefined || method === 'POST';
    if (status === '409' || status === '422') return method === 'POST';
    return status !== '412' || takesIfMatch === true;
  });
}

/** @throws Error when an example's code is answered with another status than it stands under */
function problemResponse(status: Status): Json {
  const [description, code, detail] = problems[status];
  const error = new TsugiteError(code, detail);
  if (String(statusOf(error.code)) !== status) throw new Error(`${code} is not answered with ${status}`);
  const content = { 'application/problem+json': { schema: { $ref: '#/components/schemas/Problem' }, example: toProblem(error) } };
  const wait = { 'Retry-After': { schema: { type: 'integer' }, description: 'Seconds' } };
  return { description, ...(status === '429' ? { headers: wait } : {}), content };
}

const both = { type: 'object', properties: { ja: { type: 'string' }, en: { type: 'string' } }, required: ['ja', 'en'] };
export const problemSchema: Json = {
  type: 'object',
  description: 'RFC 9457, with our number and code. Match on `code`; people read `ja` or `en`.',
  properties: {
    type: { type: 'string', format: 'uri' },
    title: { type: 'string' },
    status: { type: 'integer' },
    detail: { type: 'string' },
    number: { type: 'string', pattern: '^E[1-9]\\d{2}$' },
    code: { type: 'string', enum: Object.keys(catalogue).sort() },
    ja: { type: 'string' },
    en: { type: 'string' },
    remedy: both,
    who: { type: 'string', description: 'Who has to act' },
    retry: { type: 'string', enum: ['later', 'never', 'after-operator'] },
    context: { type: 'object', description: 'What the sentences were filled from' },
    reasons: { type: 'array', items: { type: 'object' }, description: 'Where a refusal has several' },
  },
  required: ['type', 'title', 'status', 'detail', 'number', 'code', 'ja', 'en', 'remedy', 'who', 'retry', 'context'],
};

export function problemResponses(): Json {
  return Object.fromEntries((Object.keys(problems) as Status[]).map((status) => [`Problem${status}`, problemResponse(status)]));
}
