import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { examine } from '../../../agent/compose/doctor.ts';
import { mountsAndLoops } from '../../support/leftovers.ts';

test('the doctor tries the sandbox and an image for itself, says what it found, and leaves nothing of it', async () => {
  const dataDir = mkdtempSync(join(tmpdir(), 'doctor-'));
  onTestFinished(() => rmSync(dataDir, { recursive: true }));
  const rows = await examine(dataDir, { configFile: undefined });
  expect(rows.find(({ check }) => check === 'sandbox')).toMatchObject({
    ok: true,
    facts: { backend: 'bwrap', cgroup: expect.stringMatching(/^v[12]$/), data: 'image' },
  });
  expect(rows.find(({ check }) => check === 'enrolled')).toMatchObject({ ok: false, reason: { number: 'E907' } });
  expect(mountsAndLoops()).toEqual([]);
});
