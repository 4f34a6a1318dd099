import { readdirSync, readFileSync } from 'node:fs';
import { deflateRawSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { fromJSONSchema } from 'zod';
import { TsugiteError } from '../../protocol/errors.ts';
import { toCompactJson } from '../../protocol/json.ts';
import { encodeTelemetry, fromColumn, parseTelemetry, type Telemetry, toColumn } from '../../protocol/messages/telemetry.ts';
import { messageList } from '../../scripts/support/message-list.ts';
import { schemaFiles } from '../../scripts/support/schema-files.ts';

const exampleOf = (name: string): Buffer => readFileSync(new URL(`../../protocol/examples/${name}`, import.meta.url));
const schemaFolder = new URL('../../protocol/schemas/', import.meta.url);

/** Each message with a decoded example, and a reader of decoded values. */
const messages = messageList.flatMap(({ name, schema, capBytes, parse, examples }) =>
  examples.map((example) => ({
    name,
    example,
    capBytes,
    parse,
    schema,
    value: JSON.parse(exampleOf(example.replace(/\.bin$/, '.json')).toString()) as unknown,
    accepts: (value: unknown) =>
      codeOf(() => parse(name === 'telemetry' ? encodeTelemetry(value as Telemetry) : toCompactJson(value))) === undefined,
  })),
);

function codeOf(read: () => unknown): string | undefined {
  try {
    read();
    return undefined;
  } catch (error) {
    if (error instanceof TsugiteError) return error.code;
    throw error;
  }
}

/** The value once for each of its objects, that one holding an unknown field. Free-form objects (ext, report.detail, root.keys, telemetry's own numbers) are left out. */
function withUnknownFields(value: unknown, path: string[] = []): { path: string; changed: unknown }[] {
  if (value === null || typeof value !== 'object' || ['ext', 'detail', 'own'].includes(path.at(-1) ?? '')) return [];
  if (Array.isArray(value))
    return value.flatMap((item, at) =>
      withUnknownFields(item, [...path, String(at)]).map(({ path: where, changed }) => ({ path: where, changed: value.with(at, changed) })),
    );
  const inside = Object.entries(value).flatMap(([key, item]) =>
    withUnknownFields(item, [...path, key]).map(({ path: where, changed }) => ({ path: where, changed: { ...value, [key]: changed } })),
  );
  return path.at(-1) === 'keys' ? inside : [{ path: path.join('.') || '(top)', changed: { ...value, unknownField: 1 } }, ...inside];
}

test.each(messages)('$example ($name): an unknown field is refused wherever it stands', ({ value, accepts }) => {
  expect(accepts(value)).toBe(true);
  const changes = withUnknownFields(value);
  expect(changes.length).toBeGreaterThan(0);
  for (const { path, changed } of changes) expect(accepts(changed), path).toBe(false);
});

test.each(messages)('$example ($name): no field may be missing, except the optional ones', ({ schema, value }) => {
  const fields = Object.keys(value as object);
  for (const field of fields) {
    const { [field]: _, ...without } = value as Record<string, unknown>;
    const isOptional = schema.safeParse(without).success;
    const mayMiss = new Set([
      'target',
      'deployment',
      'software',
      'version',
      'state',
      'number',
      'code',
      'detail',
      'ext',
      'minVersion',
      'security',
      'supportUntil',
      'web',
    ]);
    expect(isOptional && !mayMiss.has(field), field).toBe(false);
  }
});

test.each(['root', 'notice', 'manifest'])('%s: unknown fields may stand inside ext, but no integer-like key', (name) => {
  const message = messages.find((entry) => entry.name === name);
  if (message === undefined) throw new Error(name);
  const withExt = (ext: unknown) => message.accepts({ ...(message.value as object), ext });
  expect(withExt({ 'jp.example': { any: ['thing', { deep: 1 }] } })).toBe(true);
  expect(withExt({ '7': 1 })).toBe(false);
  expect(withExt({ a: { '0': 1 } })).toBe(false);
  expect(withExt({ a: [{ '12': 1 }] })).toBe(false);
});

test.each(messages)('$example ($name): one byte above the cap is refused before it is looked at', ({ capBytes, parse }) => {
  expect(codeOf(() => parse(Buffer.alloc(capBytes + 1, 0x20)))).toBe('MESSAGE_TOO_LARGE');
  expect(codeOf(() => parse(Buffer.alloc(capBytes, 0x20)))).not.toBe('MESSAGE_TOO_LARGE');
});

test('a few bytes of telemetry that inflate to a megabyte are refused', () => {
  const bomb = Buffer.concat([Buffer.from([1, 0]), deflateRawSync(Buffer.alloc(1_000_000, 0x20))]);
  expect(bomb.length).toBeLessThan(2_000);
  expect(codeOf(() => parseTelemetry(bomb))).toBe('MESSAGE_MALFORMED');
});

test.each([
  [Buffer.from([2, 0]), 'a wire version'],
  [Buffer.from([1, 9]), 'a dictionary'],
  [Buffer.alloc(0), 'nothing'],
])('telemetry %j with %s that we do not know is refused', (head) => {
  expect(codeOf(() => parseTelemetry(Buffer.concat([head, exampleOf('telemetry.bin').subarray(2)])))).toBe('MESSAGE_MALFORMED');
});

describe('telemetry that no gateway could have measured is refused', () => {
  const good = JSON.parse(exampleOf('telemetry-own.json').toString()) as Telemetry;
  const [first, second] = good.targets as [Telemetry['targets'][number], Telemetry['targets'][number]];
  const names = (count: number) => Object.fromEntries(Array.from({ length: count }, (_, at) => [`number${at}`, at]));
  const of = (change: Partial<Telemetry['targets'][number]>): Telemetry => ({ ...good, targets: [{ ...first, ...change }, second] });

  test.each<[string, Telemetry]>([
    ['a column that is shorter than the others', of({ restarts: first.restarts.slice(1) })],
    ['a number that falls below zero', of({ dataKiB: [5, -6, ...first.dataKiB.slice(2)] })],
    ['a sum beyond what a number can hold', of({ dataKiB: first.dataKiB.map(() => Number.MAX_SAFE_INTEGER) })],
    ['more hours up than measured', of({ up: 25 })],
    ['one target twice', { ...good, targets: [first, first] }],
    ['an own number that is no whole number', of({ own: { heat: 21.5 } })],
    ['an own text', of({ own: { name: 'Yamada' as never } })],
    ['an own name that is a sentence', of({ own: { 'the living room': 1 } })],
    ['17 own names', of({ own: names(17) })],
  ])('%s', (_, telemetry) => {
    expect(codeOf(() => parseTelemetry(encodeTelemetry(telemetry)))).toBe('MESSAGE_MALFORMED');
  });

  test('and 16 own names are taken', () => {
    expect(codeOf(() => parseTelemetry(encodeTelemetry(of({ own: names(16) }))))).toBeUndefined();
  });
});

test('a column holds the first value and then differences', () => {
  expect(toColumn([528, 528, 0, 7])).toEqual([528, 0, -528, 7]);
  expect(fromColumn([528, 0, -528, 7])).toEqual([528, 528, 0, 7]);
});

test('every schema file is what the code says (else: npm run build && node dist/scripts/generate-docs.js)', () => {
  const made = schemaFiles();
  expect(readdirSync(schemaFolder).sort()).toEqual([...made.keys()].sort());
  for (const [name, text] of made) expect(readFileSync(new URL(name, schemaFolder), 'utf8'), name).toBe(text);
});

test.each(messages)(
  '$example ($name): a reader that has only the schema file accepts it, and refuses an unknown field',
  ({ name, value }) => {
    const schema = fromJSONSchema(JSON.parse(readFileSync(new URL(`${name}.schema.json`, schemaFolder), 'utf8')));
    expect(schema.safeParse(value).success).toBe(true);
    for (const { path, changed } of withUnknownFields(value)) expect(schema.safeParse(changed).success, path).toBe(false);
  },
);
