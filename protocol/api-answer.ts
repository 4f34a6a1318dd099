/** What the HTTP API of the people's side answers, as its two command lines read it: a problem document becomes the error that the server threw. */
import { isErrorCode, TsugiteError } from './errors.ts';

export type ApiQuery = Readonly<Record<string, string | undefined>>;
/** Of what a server says, so much is read. */
const apiAnswerBytes = 64 * 1024 * 1024;
const mostItems = '1000';

/** @throws TsugiteError MESSAGE_TOO_LARGE */
export async function readApiText(body: AsyncIterable<Uint8Array>): Promise<string> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of body) {
    length += chunk.length;
    if (length > apiAnswerBytes) throw new TsugiteError('MESSAGE_TOO_LARGE', { what: 'answer', limit: apiAnswerBytes, actual: length });
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

/** @throws TsugiteError that the server threw · SERVER_UNREACHABLE: something else answered, as a proxy in front of a server that is down */
export function readApiAnswer(status: number, text: string): unknown {
  const value = parseJson(text);
  if (status >= 200 && status < 300 && value !== undefined) return value;
  const { code, context, reasons } = (value ?? {}) as { code?: unknown; context?: object; reasons?: unknown };
  if (typeof code !== 'string' || !isErrorCode(code)) throw new TsugiteError('SERVER_UNREACHABLE', { kind: 'not-the-api', status });
  const given = Array.isArray(reasons) ? { reasons: reasons.map((reason) => ({ ...reason, detail: reason.detail ?? {} })) } : {};
  throw new TsugiteError(code, { ...context, ...given });
}

export function withQuery(path: string, query: ApiQuery): string {
  const given = Object.entries(query).filter((entry): entry is [string, string] => entry[1] !== undefined);
  return given.length === 0 ? path : `${path}?${new URLSearchParams(given)}`;
}

/** Every item of a list, page after page. */
export async function everyItem(path: string, query: ApiQuery, ask: (page: string) => Promise<unknown>): Promise<unknown[]> {
  const items: unknown[] = [];
  let after: string | undefined;
  do {
    const page = (await ask(withQuery(path, { ...query, limit: mostItems, after }))) as { items: unknown[]; next: string | null };
    items.push(...page.items);
    after = page.next ?? undefined;
  } while (after !== undefined);
  return items;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
