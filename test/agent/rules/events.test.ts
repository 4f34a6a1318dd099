import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { type EventEntry, events } from '../../../agent/rules/events.ts';
import { eventsDocument } from '../../../scripts/support/events-document.ts';

const rooms = [...new Set(Object.keys(events).map((name) => name.split('.')[0]))];
const namePattern = new RegExp(`'((?:${rooms.join('|')})\\.[a-z_]+)'`, 'g');
const sources = (folder: string): string[] =>
  readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) return sources(path);
    return path.endsWith('.ts') ? [path] : [];
  });
/** In the code an event's name stands in quotation marks; a file's name looks alike, but for its ending. */
const written = sources('agent')
  .filter((path) => path !== join('agent', 'rules', 'events.ts'))
  .flatMap((path) => [...readFileSync(path, 'utf8').matchAll(namePattern)].map(([, name]) => ({ name, path })))
  .filter(({ name }) => !/\.(log|lock|sock|pem|subject|json)$/.test(name ?? ''));

describe('the catalogue of events', () => {
  test('has every event that the agent writes', () => {
    expect(written.length).toBeGreaterThan(30);
    expect(written.filter(({ name }) => !Object.hasOwn(events, name ?? ''))).toEqual([]);
  });

  test('says everything in both languages, in the words of the service', () => {
    for (const entry of Object.values<EventEntry>(events)) {
      expect(entry.ja).toMatch(/[ぁ-んァ-ヶ一-龠]/);
      expect(entry.en).toMatch(/^[\x20-\x7e]+$/);
      expect(entry.ja).not.toMatch(/導入|版|お客さまID/);
    }
  });

  test('is what docs/EVENTS.md says', () => {
    expect(readFileSync('docs/EVENTS.md', 'utf8')).toBe(eventsDocument());
  });
});
