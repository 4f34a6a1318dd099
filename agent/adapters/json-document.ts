import { createHash } from 'node:crypto';
import { TsugiteError } from '../../protocol/errors.ts';
import { readFileIfAny, replaceFile } from './durable-file.ts';

/**
 * A small file of ours: `{"v":1, …, "checksum":"<SHA-256 of the rest>"}`, replaced atomically, with the one before kept beside it. The checksum
 * tells a flash cell that forgot from a state that was meant; it is no proof against people.
 */
export interface JsonDocument<Value> {
  /**
   * @returns undefined when there is neither file nor copy
   * @throws TsugiteError STATE_DAMAGED when there are, and none can be used. `kind` not-understood: what stands there is whole, but of another
   *         version of ours; whoever has it must not act as if there were nothing.
   */
  load(): Value | undefined;
  /** @throws TsugiteError DISK_FULL · STORE_IO · INTERNAL_FAULT when we could not read it back: nothing was written */
  save(value: Value): void;
}

export function makeJsonDocument<Value extends object>(
  path: string,
  /** Throws, with the faulty fields, when the value is not what we write. */
  parse: (value: unknown) => Value,
  { onDamage = () => {}, mode = 0o600 }: { onDamage?: (error: TsugiteError) => void; mode?: number } = {},
): JsonDocument<Value> {
  const previous = `${path}.previous`;
  let isWhole: boolean | undefined;

  return {
    load() {
      const current = tryRead(path, parse);
      isWhole = current.kind === 'value';
      if (current.kind === 'value') return current.value;
      const copy = tryRead(previous, parse);
      const damages = [current, copy].filter((reading) => reading.kind === 'damaged');
      const damage = damages.find(({ error }) => error.detail.kind === notUnderstood) ?? damages[0];
      if (copy.kind !== 'value') {
        if (damage === undefined) return undefined;
        throw damage.error;
      }
      if (damage !== undefined) onDamage(damage.error);
      return copy.value;
    },
    save(value) {
      isWhole ??= tryRead(path, parse).kind === 'value';
      const text = seal(value);
      assertReadable(text, path, parse);
      // A damaged file must not become the copy that we would fall back on.
      replaceFile(path, text, { mode, ...(isWhole ? { keepPreviousAt: previous } : {}) });
      isWhole = true;
    },
  };
}

type Reading<Value> = { kind: 'value'; value: Value } | { kind: 'none' } | { kind: 'damaged'; error: TsugiteError };

const notUnderstood = 'not-understood';

function tryRead<Value>(path: string, parse: (value: unknown) => Value): Reading<Value> {
  let kind = 'damaged';
  try {
    const bytes = readFileIfAny(path);
    if (bytes === undefined) return { kind: 'none' };
    const value = unseal(bytes.toString('utf8'));
    kind = notUnderstood;
    return { kind: 'value', value: parse(value) };
  } catch (cause) {
    return { kind: 'damaged', error: new TsugiteError('STATE_DAMAGED', { path, kind, at: reasonOf(cause) }, { cause }) };
  }
}

/** What we could not read back must not take the place of what we can. */
function assertReadable<Value>(text: string, path: string, parse: (value: unknown) => Value): void {
  try {
    parse(unseal(text));
  } catch (cause) {
    throw new TsugiteError('INTERNAL_FAULT', { kind: 'unreadable-state', path, at: reasonOf(cause) }, { cause });
  }
}

/** One line: of a schema's faults, their places. */
function reasonOf(cause: unknown): string {
  if (!(cause instanceof Error)) return String(cause);
  const places =
    'issues' in cause && Array.isArray(cause.issues) ? cause.issues.map((issue: { path?: unknown[] }) => issue.path?.join('.')) : [];
  return places.length > 0 ? places.join(', ') : cause.message;
}

function seal(value: object): string {
  return `${JSON.stringify({ ...value, checksum: checksumOf(JSON.stringify(value)) })}\n`;
}

function unseal(text: string): unknown {
  const parsed: unknown = JSON.parse(text);
  if (typeof parsed !== 'object' || parsed === null || !('checksum' in parsed)) throw new Error('no checksum');
  const { checksum, ...value } = parsed;
  if (checksum !== checksumOf(JSON.stringify(value))) throw new Error('checksum differs');
  return value;
}

function checksumOf(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}
