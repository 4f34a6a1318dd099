import { createHash } from 'node:crypto';
import { TsugiteError } from '../../protocol/errors.ts';
import { readFileIfAny, replaceFile } from './durable-file.ts';

/**
 * A small file of ours: `{"v":1, …, "checksum":"<SHA-256 of the rest>"}`, replaced atomically, with the one before kept beside it. The checksum
 * tells a flash cell that forgot from a state that was meant; it is no proof against people.
 */
export interface JsonDocument<Value> {
  /** @returns undefined when there is neither file nor copy  @throws TsugiteError STATE_DAMAGED when there are, and none can be read */
  load(): Value | undefined;
  /** @throws TsugiteError DISK_FULL · STORE_IO */
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
      const damage = [current, copy].find((reading) => reading.kind === 'damaged');
      if (copy.kind !== 'value') {
        if (damage === undefined) return undefined;
        throw damage.error;
      }
      if (damage !== undefined) onDamage(damage.error);
      return copy.value;
    },
    save(value) {
      isWhole ??= tryRead(path, parse).kind === 'value';
      // A damaged file must not become the copy that we would fall back on.
      replaceFile(path, seal(value), { mode, ...(isWhole ? { keepPreviousAt: previous } : {}) });
      isWhole = true;
    },
  };
}

type Reading<Value> = { kind: 'value'; value: Value } | { kind: 'none' } | { kind: 'damaged'; error: TsugiteError };

function tryRead<Value>(path: string, parse: (value: unknown) => Value): Reading<Value> {
  try {
    const bytes = readFileIfAny(path);
    if (bytes === undefined) return { kind: 'none' };
    return { kind: 'value', value: parse(unseal(bytes)) };
  } catch (cause) {
    return {
      kind: 'damaged',
      error: new TsugiteError('STATE_DAMAGED', { path, at: cause instanceof Error ? cause.message : String(cause) }, { cause }),
    };
  }
}

function seal(value: object): string {
  return `${JSON.stringify({ ...value, checksum: checksumOf(JSON.stringify(value)) })}\n`;
}

function unseal(bytes: Buffer): unknown {
  const parsed: unknown = JSON.parse(bytes.toString('utf8'));
  if (typeof parsed !== 'object' || parsed === null || !('checksum' in parsed)) throw new Error('no checksum');
  const { checksum, ...value } = parsed;
  if (checksum !== checksumOf(JSON.stringify(value))) throw new Error('checksum differs');
  return value;
}

function checksumOf(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}
