import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { eventsDocument } from '../../../scripts/support/events-document.ts';
import { type EventEntry, events } from '../../../server/rules/events.ts';

const sources = (folder: string): string[] =>
  readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) return sources(path);
    return path.endsWith('.ts') && path !== join('server', 'rules', 'events.ts') ? [readFileSync(path, 'utf8')] : [];
  });
const code = sources('server').join('\n');

describe('the catalogue of the server’s events', () => {
  test('has no event that the server never writes', () => {
    expect(Object.keys(events).filter((name) => !code.includes(`'${name}'`))).toEqual([]);
    expect(Object.keys(events).length).toBeGreaterThan(50);
  });

  test('names every event in one way, and says everything in both languages', () => {
    for (const [name, entry] of Object.entries<EventEntry>(events)) {
      expect(name).toMatch(/^[a-z_]+\.[a-z_]+$/);
      expect(entry.ja).toMatch(/[ぁ-んァ-ヶ一-龠].*。$/);
      expect(entry.en).toMatch(/^[A-Z][\x20-\x7e]+\.$/);
      expect(entry.ja).not.toMatch(/導入|版|お客さまID/);
    }
  });

  test('is what docs/EVENTS.md says', () => {
    expect(readFileSync('docs/EVENTS.md', 'utf8')).toBe(eventsDocument());
  });
});
