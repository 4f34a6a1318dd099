/** The printed invoice, in a real browser: it fits A4, asks nothing of anybody, and runs nothing. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { type Browser, chromium } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { softwareId } from '../../../protocol/fields.ts';
import type { Invoice } from '../../../server/rules/invoice.ts';
import { invoiceHtml } from '../../../server/rules/invoice-html.ts';
import { heater, invoiceFor, jst } from '../../support/billing.ts';

let browser: Browser;
let folder: string;
beforeAll(async () => {
  browser = await chromium.launch({ executablePath: '/usr/bin/chromium', args: ['--no-sandbox'] });
  folder = mkdtempSync(path.join(tmpdir(), 'tsugite-paper-'));
});
afterAll(async () => {
  await browser.close();
  rmSync(folder, { recursive: true, force: true });
});

const april = jst('2026-04-10');
const plain = invoiceFor('2026-05', { software: [{ registered: april }], targets: [{ ready: april, count: 1_234_567 }] });

/** Opened from a file, as a person opens what `billing close` has written. */
async function open(invoice: Invoice) {
  const file = path.join(folder, `${invoice.lines.length}.html`);
  writeFileSync(file, invoiceHtml(invoice));
  const page = await browser.newPage({ viewport: { width: 794, height: 1_123 } }); // A4 at 96 dpi
  const asked: string[] = [];
  page.on('request', (request) => asked.push(request.url()));
  const dialogs: string[] = [];
  page.on('dialog', (dialog) => {
    dialogs.push(dialog.message());
    return dialog.dismiss();
  });
  await page.goto(pathToFileURL(file).href);
  return { page, asked, dialogs, file };
}

async function pagesOf({ page }: Awaited<ReturnType<typeof open>>): Promise<{ count: number; sizes: string[] }> {
  const pdf = (await page.pdf({ preferCSSPageSize: true })).toString('latin1');
  const sizes = [...pdf.matchAll(/\/MediaBox\s*\[([^\]]*)\]/g)].map(([, box = '']) =>
    box
      .trim()
      .split(/\s+/)
      .slice(2)
      .map((side) => Math.round(Number(side)))
      .join('×'),
  );
  return { count: [...pdf.matchAll(/\/Type\s*\/Page\b/g)].length, sizes: [...new Set(sizes)] };
}

test('a small invoice is one A4 page, and nothing of it stands over the edge', async () => {
  const opened = await open(plain);
  expect(await pagesOf(opened)).toEqual({ count: 1, sizes: ['595×842'] });
  await opened.page.emulateMedia({ media: 'print' });
  expect(await opened.page.evaluate('document.documentElement.scrollWidth - document.documentElement.clientWidth')).toBe(0);
  expect(opened.asked).toEqual([pathToFileURL(opened.file).href]);
  await opened.page.close();
});

test('one of many software goes on, with the head of its table on every page and no line cut in two', async () => {
  const names = Array.from({ length: 40 }, (_, n) => softwareId.parse(`jp.example.hinata.a-rather-long-name-of-a-software-${n}`));
  const opened = await open(invoiceFor('2026-05', { software: names.map((software) => ({ registered: april, software })) }));
  const { count, sizes } = await pagesOf(opened);
  expect(count).toBeGreaterThan(1);
  expect(sizes).toEqual(['595×842']);
  const shown =
    'getComputedStyle(document.querySelector(".lines thead")).display + " " + getComputedStyle(document.querySelector(".lines tbody tr")).breakInside';
  expect(await opened.page.evaluate(shown)).toBe('table-header-group avoid');
  await opened.page.close();
});

test('names that are markup are shown as they are', async () => {
  const name = '<img src=x onerror=alert(1)><script>alert(2)</script>';
  const opened = await open({
    ...plain,
    recipient: { ...plain.recipient, name },
    issuer: { ...plain.issuer, address: '"><iframe src=//evil>' },
  });
  expect(await opened.page.textContent('.recipient .name')).toBe(`${name} 御中`);
  expect(await opened.page.locator('script, img, iframe').count()).toBe(0);
  expect([opened.dialogs, opened.asked]).toEqual([[], [pathToFileURL(opened.file).href]]);
  await opened.page.close();
});

test('a name as long as one may be breaks, and the sums stay on the paper', async () => {
  const opened = await open({
    ...plain,
    recipient: { ...plain.recipient, name: 'W'.repeat(200) },
    issuer: { ...plain.issuer, name: '運'.repeat(200) },
  });
  const over =
    'Math.max(...[...document.querySelectorAll("main *")].map((one) => one.getBoundingClientRect().right)) - document.querySelector("main").getBoundingClientRect().right';
  expect(Number(await opened.page.evaluate(over))).toBeLessThanOrEqual(0);
  expect(await opened.page.textContent('.total strong')).toBe(`¥${(11_000 + 110 * 1_234_567).toLocaleString('ja-JP')}`);
  expect(await opened.page.textContent('.lines tbody tr:first-child .of')).toBe(heater);
  await opened.page.close();
});
