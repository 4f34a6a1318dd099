import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { expect, test } from 'vitest';
import { readEntries } from '../../../agent/compose/inspect.ts';

test('the log of a folder that no gateway uses is an error, not an empty answer', () => {
  const folder = mkdtempSync(path.join(tmpdir(), 'tsugite-no-gateway-'));

  expect(() => readEntries(folder)).toThrowError(/NOT_ENROLLED/);

  rmSync(folder, { recursive: true });
});
