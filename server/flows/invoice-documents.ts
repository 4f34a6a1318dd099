/** The papers of closed months: written once, in parts, with their digest, and read back as they are. */
import { createHash } from 'node:crypto';
import { Readable } from 'node:stream';
import { TsugiteError } from '../../protocol/errors.ts';
import type { Digest, ProviderId } from '../../protocol/fields.ts';
import type { Sql } from '../ports.ts';
import type { Actor } from './actor.ts';

export const documentKinds = {
  json: { ending: '.json', mediaType: 'application/json' },
  csv: { ending: '.csv', mediaType: 'text/csv; charset=utf-8' },
  html: { ending: '.html', mediaType: 'text/html; charset=utf-8' },
  targets: { ending: '-targets.csv', mediaType: 'text/csv; charset=utf-8' },
} as const;
export type DocumentKind = keyof typeof documentKinds;
export type InvoiceKey = { readonly month: string; readonly provider: ProviderId };
export type DocumentSum = { readonly kind: DocumentKind; readonly file: string; readonly bytes: number; readonly sha256: Digest };

export function fileName({ month, provider }: InvoiceKey, kind: DocumentKind): string {
  return `${month}-${provider}${documentKinds[kind].ending}`;
}

/** A document that grows part by part; its row is written by `saveSums`, once there is an invoice that it belongs to. */
export function beginDocument(sql: Sql, key: InvoiceKey, kind: DocumentKind) {
  const hash = createHash('sha256');
  let bytes = 0;
  let part = 0;
  return {
    add: async (text: string): Promise<void> => {
      if (text === '') return;
      const body = Buffer.from(text, 'utf8');
      hash.update(body);
      bytes += body.length;
      await sql.query('INSERT INTO invoice_document_parts (month, provider_id, kind, part, body) VALUES ($1, $2, $3, $4, $5)', [
        key.month,
        key.provider,
        kind,
        part,
        body,
      ]);
      part += 1;
    },
    sum: (): DocumentSum => ({ kind, file: fileName(key, kind), bytes, sha256: hash.copy().digest('hex') as Digest }),
  };
}

export async function saveSums(sql: Sql, { month, provider }: InvoiceKey, sums: readonly DocumentSum[]): Promise<void> {
  for (const { kind, bytes, sha256 } of sums)
    await sql.query('INSERT INTO invoice_documents (month, provider_id, kind, bytes, sha256) VALUES ($1, $2, $3, $4, $5)', [
      month,
      provider,
      kind,
      bytes,
      sha256,
    ]);
}

export type ReadDocument = DocumentSum & { readonly mediaType: string; readonly body: Readable };

/** Another's invoice does not exist for a provider. @throws TsugiteError NOT_FOUND */
export async function readDocument(sql: Sql, key: InvoiceKey, kind: DocumentKind, actor: Actor): Promise<ReadDocument> {
  const { month, provider } = key;
  const [row] = await sql.query<{ bytes: number; sha256: Digest }>(
    'SELECT bytes, sha256 FROM invoice_documents WHERE month = $1 AND provider_id = $2 AND kind = $3',
    [month, provider, kind],
  );
  if (row === undefined || (actor.role === 'provider' && actor.provider !== provider))
    throw new TsugiteError('NOT_FOUND', { what: `invoice ${month} ${provider} ${kind}` });
  return {
    kind,
    file: fileName(key, kind),
    ...row,
    mediaType: documentKinds[kind].mediaType,
    body: Readable.from(partsOf(sql, key, kind), { objectMode: false }),
  };
}

async function* partsOf(sql: Sql, { month, provider }: InvoiceKey, kind: DocumentKind): AsyncGenerator<Buffer> {
  for (let part = 0; ; part += 1) {
    const [row] = await sql.query<{ body: Buffer }>(
      'SELECT body FROM invoice_document_parts WHERE month = $1 AND provider_id = $2 AND kind = $3 AND part = $4',
      [month, provider, kind, part],
    );
    if (row === undefined) return;
    yield row.body;
  }
}
