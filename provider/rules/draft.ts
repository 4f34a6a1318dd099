/** From the manifest that a provider writes by hand to the one that is signed: the payload's numbers are filled in, never typed. */
import { TsugiteError } from '../../protocol/errors.ts';
import { toCompactJson } from '../../protocol/json.ts';
import { limits } from '../../protocol/limits.ts';
import { type Manifest, parseManifest } from '../../protocol/statements/manifest.ts';

export type PayloadNumbers = Omit<Manifest['payload'], 'sha256'> & { readonly sha256: string };

/** @throws TsugiteError STATEMENT_MALFORMED when the text is not a JSON object */
export function parseDraft(text: string): Readonly<Record<string, unknown>> {
  let value: unknown;
  try {
    value = JSON.parse(text.replace(/^\uFEFF/, ''));
  } catch (cause) {
    throw malformed(cause instanceof Error ? cause.message : 'not JSON', cause);
  }
  if (value === null || typeof value !== 'object' || Array.isArray(value)) throw malformed('not an object');
  return value as Record<string, unknown>;
}

/**
 * The bytes to sign. `payload` of the draft, if any, is replaced.
 *
 * @throws TsugiteError STATEMENT_MALFORMED naming every faulty field · MESSAGE_TOO_LARGE · JSON_NOT_COMPACT
 */
export function completeManifest(draft: Readonly<Record<string, unknown>>, payload: PayloadNumbers): { manifest: Manifest; bytes: Buffer } {
  const manifest = parseManifest(toCompactJson({ ...draft, payload }));
  return { manifest, bytes: toCompactJson(manifest) };
}

/** Sizes that no gateway may have are refused before anything is written. @throws TsugiteError SIZE_INVALID · SIZE_OVER_PLAN */
export function assertInstallable(installedBytes: number): void {
  if (installedBytes <= 0) throw new TsugiteError('SIZE_INVALID', { actual: installedBytes });
  if (installedBytes >= limits.installedBytes)
    throw new TsugiteError('SIZE_OVER_PLAN', { limit: limits.installedBytes, actual: installedBytes });
}

function malformed(fault: string, cause?: unknown): TsugiteError {
  return new TsugiteError('STATEMENT_MALFORMED', { what: 'manifest', faults: [{ field: 'manifest.json', fault }] }, { cause });
}
