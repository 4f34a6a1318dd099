import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';

/** What may leave a home by telemetry (DOMAIN §11, §12). A name more is a decision about people's privacy: it is taken here, and told in the document. */
const allowed = [
  'agent.controlBytes',
  'agent.reconnects',
  'agent.rssKiB',
  'epoch',
  'from',
  'stepS',
  'targets[].dataKiB',
  'targets[].deniedConnections',
  'targets[].memoryPeakKiB',
  'targets[].own',
  'targets[].restarts',
  'targets[].target',
  'targets[].up',
  'v',
];

type Schema = { type?: string; properties?: Record<string, Schema>; items?: Schema; additionalProperties?: Schema | boolean };
const schema = JSON.parse(readFileSync('protocol/schemas/telemetry.schema.json', 'utf8')) as Schema;
const document = readFileSync('docs/telemetry.md', 'utf8');

function leaves(of: Schema, at: string): { name: string; schema: Schema }[] {
  if (of.properties !== undefined)
    return Object.entries(of.properties).flatMap(([name, inner]) => leaves(inner, at === '' ? name : `${at}.${name}`));
  if (of.type === 'array' && of.items?.properties !== undefined) return leaves(of.items, `${at}[]`);
  return [{ name: at, schema: of }];
}
const fields = leaves(schema, '');

test('the public schema has these fields and no other', () => {
  expect(fields.map(({ name }) => name).sort()).toEqual(allowed);
});

test('no field takes a text that somebody could have written', () => {
  const texts = fields.filter(({ schema: { type, items, additionalProperties } }) => {
    const kind = items?.type ?? (typeof additionalProperties === 'object' ? additionalProperties.type : type);
    return kind !== 'integer' && kind !== 'number';
  });
  // Names made of chance, and a time.
  expect(texts.map(({ name }) => name).sort()).toEqual(['epoch', 'from', 'targets[].target']);
});

test('the document tells every field', () => {
  expect(allowed.filter((name) => name !== 'v' && !document.includes(`\`${name}\``))).toEqual([]);
});
