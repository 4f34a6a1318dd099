import { TsugiteError } from './errors.ts';
import { limits } from './limits.ts';

/**
 * Parses the JSON of a signed payload or a message. Accepts only what JavaScript itself would write for the value: no white space, no
 * duplicate keys, no `1.0` or `1e3`, so that two readers never see two meanings in one signature.
 *
 * @param bytes     UTF-8, at most `capBytes`
 * @throws TsugiteError JSON_NOT_COMPACT (with `kind`) · MESSAGE_TOO_LARGE
 */
export function parseCompactJson(bytes: Uint8Array, capBytes: number, stringCapBytes: number = limits.jsonStringBytes): unknown {
  if (bytes.byteLength > capBytes) throw new TsugiteError('MESSAGE_TOO_LARGE', { limit: capBytes, actual: bytes.byteLength });
  const text = decodeUtf8(bytes);
  assertDepth(text);
  const value = parse(text);
  if (JSON.stringify(value) !== text) throw new TsugiteError('JSON_NOT_COMPACT', { kind: 'not-as-written-by-json-stringify' });
  assertShortStrings(value, stringCapBytes);
  return value;
}

/** The one spelling of a value that `parseCompactJson` accepts. */
export function toCompactJson(value: unknown): Buffer {
  return Buffer.from(JSON.stringify(value), 'utf8');
}

function decodeUtf8(bytes: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch (cause) {
    throw new TsugiteError('JSON_NOT_COMPACT', { kind: 'not-utf-8' }, { cause });
  }
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new TsugiteError('JSON_NOT_COMPACT', { kind: 'not-json' }, { cause });
  }
}

/** Counts brackets outside strings before JSON.parse may recurse: 64 KiB of `[` would otherwise cost a deep stack. */
function assertDepth(text: string): void {
  let depth = 0;
  let inString = false;
  for (let at = 0; at < text.length; at++) {
    const char = text[at];
    if (inString) {
      if (char === '\\') at++;
      else if (char === '"') inString = false;
    } else if (char === '"') inString = true;
    else if (char === '{' || char === '[') {
      if (++depth > limits.jsonDepth) throw new TsugiteError('JSON_NOT_COMPACT', { kind: 'too-deep', limit: limits.jsonDepth });
    } else if (char === '}' || char === ']') depth--;
  }
}

function assertShortStrings(value: unknown, capBytes: number): void {
  if (typeof value === 'string') {
    if (Buffer.byteLength(value) > capBytes)
      throw new TsugiteError('JSON_NOT_COMPACT', {
        kind: 'string-too-long',
        limit: limits.jsonStringBytes,
        actual: Buffer.byteLength(value),
      });
  } else if (Array.isArray(value)) for (const entry of value) assertShortStrings(entry, capBytes);
  else if (value !== null && typeof value === 'object')
    for (const [key, entry] of Object.entries(value)) {
      assertShortStrings(key, capBytes);
      assertShortStrings(entry, capBytes);
    }
}
