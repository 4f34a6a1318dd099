import { existsSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { gatewayId } from '../../protocol/fields.ts';
import { limits } from '../../protocol/limits.ts';
import { est } from '../../protocol/routes.ts';
import { publishedByGateway, publishedByServer, topicOf } from '../../protocol/topics.ts';
import { messageList } from '../../scripts/support/message-list.ts';

const folder = new URL('../../protocol/', import.meta.url);
const readme = readFileSync(new URL('README.md', folder), 'utf8');
const glossary = readFileSync(new URL('GLOSSARY.md', folder), 'utf8');
const withCommas = (bytes: number): string => String(bytes).replace(/\B(?=(\d{3})+$)/g, ',');

test('the README gives the size cap of every message', () => {
  const caps: Record<string, RegExp> = { envelope: /^\| envelope /m, invitation: /^\| invitation /m, status: /^\| status\.json /m };
  for (const { name, capBytes } of messageList) {
    const row = /^(root|notice|manifest)$/.test(name)
      ? /^\| payload of an envelope \(root, notice, manifest\) \| .*$/m
      : (caps[name] ?? new RegExp(`^\\| ${name}[ ,]`, 'm'));
    const line = readme.split('\n').find((text) => row.test(text));
    expect(line, name).toMatch(new RegExp(`\\| ${withCommas(capBytes)} \\|$`));
  }
  expect(readme).toContain(`a string at most ${withCommas(limits.jsonStringBytes)} bytes`);
  expect(readme).toContain(`at most ${limits.jsonDepth} levels`);
});

test('the README lists every topic with its quality and retain flag', () => {
  const flags = { ...publishedByGateway, ...publishedByServer };
  for (const [kind, { qos, retain }] of Object.entries(flags)) {
    const topic = topicOf(gatewayId.parse('abc'), kind as keyof typeof flags).replace('abc', '<gateway>');
    const row = readme.split('\n').find((line) => line.startsWith(`| \`${topic}\``));
    expect(row, kind).toContain(`| ${qos} | ${retain ? 'yes' : 'no'} |`);
  }
});

test('the README lists every route of the gateways', () => {
  for (const path of [...Object.values(est), '/root/<n>', '/packages/<sha256>', '/bundles/<id>']) expect(readme).toContain(path);
});

test('every file that the README names is there', () => {
  const [table = ''] = readme.split('\n## ');
  for (const [, name = ''] of table.matchAll(/`([a-z-]+(?:\.ts|\/))`/g)) expect(existsSync(new URL(name, folder)), name).toBe(true);
});

test('the glossary explains a word once', () => {
  const words = [...glossary.matchAll(/^\| ([^|]+?) \|/gm)]
    .map(([, word = '']) => word)
    .filter((word) => word !== 'word' && word !== '---');
  expect(words.filter((word, at) => words.indexOf(word) !== at)).toEqual([]);
  expect(words.length).toBeGreaterThan(70);
});
