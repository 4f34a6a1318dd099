/** Whose software, and which days, a field report is asked for. */
import { TsugiteError } from '../../protocol/errors.ts';
import type { ProviderId, SoftwareId } from '../../protocol/fields.ts';
import type { Sql } from '../ports.ts';
import { type Period, periodOf } from '../rules/field-report.ts';
import type { Actor } from './actor.ts';

export type ReportQuestion = {
  readonly software?: SoftwareId | undefined;
  readonly provider?: ProviderId | undefined;
  /** `YYYY-MM` in Japan; left out: the last 30 days */
  readonly month?: string | undefined;
};
export type ReportScope = { readonly provider: string | null; readonly software: string | null; readonly period: Period };

/** Another provider, and another's software, are as unknown as what does not exist. @throws TsugiteError NOT_FOUND */
export async function scopeOf(sql: Sql, { software, provider, month }: ReportQuestion, actor: Actor, nowMs: number): Promise<ReportScope> {
  const own = actor.role === 'provider' ? (actor.provider ?? '') : null;
  if (provider !== undefined) {
    const [known] = await sql.query('SELECT 1 FROM providers WHERE id = $1 AND ($2::text IS NULL OR id = $2)', [provider, own]);
    if (known === undefined) throw new TsugiteError('NOT_FOUND', { what: `provider ${provider}` });
  }
  const of = own ?? provider ?? null;
  if (software !== undefined) {
    const [known] = await sql.query('SELECT 1 FROM software WHERE id = $1 AND ($2::text IS NULL OR provider_id = $2)', [software, of]);
    if (known === undefined) throw new TsugiteError('NOT_FOUND', { what: `software ${software}` });
  }
  return { provider: of, software: software ?? null, period: periodOf(month, nowMs) };
}
