/** The API's page in a real browser. */
import { type Browser, chromium } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { aPeopleSide, type PeopleSideRig } from '../../support/people-side.ts';

let rig: PeopleSideRig;
let browser: Browser;
let origin: string;
beforeAll(async () => {
  rig = await aPeopleSide();
  origin = await rig.app.listen({ host: '127.0.0.1', port: 0 });
  browser = await chromium.launch({ executablePath: '/usr/bin/chromium', args: ['--no-sandbox'] });
});
afterAll(async () => {
  await browser.close();
  await rig.stop();
});

test('the page shows every operation, asks nobody else, and runs under its policy', async () => {
  const page = await browser.newPage({ viewport: { width: 1200, height: 1600 } });
  const asked: string[] = [];
  const violations: string[] = [];
  page.on('request', (request) => asked.push(new URL(request.url()).protocol === 'data:' ? 'data:' : new URL(request.url()).origin));
  page.on('console', (message) => {
    if (message.type() === 'error') violations.push(message.text());
  });
  await page.goto(`${origin}/api/docs`);
  await page.waitForSelector('.opblock');
  expect(await page.locator('.opblock').count()).toBe(rig.routes.length);
  await page.locator('#operations-targets-postTargets').click();
  await page.waitForSelector('#operations-targets-postTargets .responses-table');
  expect(await page.locator('#operations-targets-postTargets').textContent()).toContain('A-2026-001');
  expect(asked.filter((one) => one !== origin && one !== 'data:')).toEqual([]);
  expect(violations).toEqual([]);
});
