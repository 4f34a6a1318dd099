import { describe, expect, test } from 'vitest';
import { tallyDenied } from '../../../../agent/rules/denied-tally.ts';
import { renderDetail } from '../../../../agent/rules/page/detail.ts';
import { detailWords } from '../../../../agent/rules/page/detail-words.ts';
import { historyOf, withoutCommands } from '../../../../agent/rules/page/history.ts';
import { decidePage } from '../../../../agent/rules/page/request.ts';
import { defaultPageSettings } from '../../../../agent/rules/page/settings.ts';
import type { Grants } from '../../../../protocol/statements/notice.ts';
import { aManifest, aRefusedNotice, aSnapshot, aSoftware } from '../../../support/snapshots.ts';

const target = 't0123456789abcdef';
const change = (time: string, state: string, more: object = {}) => ({
  time,
  event: 'state.changed',
  target,
  state,
  version: '1.2.0',
  ...more,
});
const logged = [
  change('2026-11-01T00:00:00Z', 'installing', { version: undefined }),
  change('2026-11-01T00:01:00Z', 'running'),
  change('2026-11-02T00:00:00Z', 'running', { target: 'another0123456789' }),
  { time: '2026-11-02T00:00:00Z', event: 'link.online' },
  change('2026-11-03T00:00:00Z', 'a-word-of-tomorrow'),
  change('2026-11-04T00:00:00Z', 'running', { code: 'WINDOW_WAIT', number: 'E507', detail: { from: '02:00', to: '05:00' } }),
];
const refusedConnection = (to: string, count: number) => ({
  time: '2026-11-21T16:00:00.000Z',
  event: 'permission.denied',
  target,
  detail: { class: to, count, protocol: 'udp', address: '192.168.1.9' },
});
const view = (language: 'ja' | 'en') => ({
  language,
  operatorName: '運用センター',
  addressOf: () => undefined,
  settingsUrl: 'http://127.0.0.1:8887/',
});
const nothingMore = { history: [], denied: [] };
const technicians = /<section><details>[\s\S]*<\/details><\/section>/;

test("one software's past, newest first; what is not understood is left out", () => {
  expect(historyOf(logged, target, 20).map(({ state, version, reason }) => [state, version, reason?.code])).toEqual([
    ['running', '1.2.0', 'WINDOW_WAIT'],
    ['running', '1.2.0', undefined],
    ['installing', undefined, undefined],
  ]);
  expect(historyOf(logged, target, 1)).toHaveLength(1);
});

describe('the detail view', () => {
  const software = aSoftware({
    reason: { code: 'WINDOW_WAIT', detail: { from: '02:00', to: '05:00' } },
    manifest: aManifest({
      supportUntil: '2031-03-31',
      permissions: { lan: ['udp:3610'], wan: ['api.example.jp:443'], telemetry: true },
      transmits: [{ what: { ja: '接続方式', en: 'kind' }, to: 'デモネット', purpose: { ja: '調査', en: 'faults' } }],
    }),
    permissions: { lan: [], wan: ['api.example.jp:443'], telemetry: true } as unknown as Grants,
  });
  const page = renderDetail(software, { history: historyOf(logged, target, 20), denied: [] }, view('ja'));
  const household = page.replace(technicians, '');

  test('tells the household state, since when, reason, what to do, support, permissions, what is sent, and the past', () => {
    for (const text of [
      '動作中',
      '2026年11月22日 00:30',
      'インストールの時間帯（02:00～05:00）まで待機しています。',
      '2031年3月31日',
      'ECHONET Lite UDP 3610（現在は許可されていません）',
      'api.example.jp',
      '接続方式',
      '2026年11月1日 09:00',
      'インストール中',
    ])
      expect(household).toContain(text);
  });

  test('keeps numbers, codes and commands for the technician', () => {
    expect(household).not.toMatch(/E\d{3}|WINDOW_WAIT|tsugite-agent/);
    expect(technicians.exec(page)?.[0]).toMatch(/E507 WINDOW_WAIT[\s\S]*tsugite-agent install --now/);
  });

  test('is there in English too, with the same words', () => {
    expect(renderDetail(software, nothingMore, view('en'))).toContain('Supported until');
    expect(Object.keys(detailWords.en)).toEqual(Object.keys(detailWords.ja));
  });

  test("nothing of a provider's text is markup", () => {
    const evil = aSoftware({ title: { ja: '<img src=x>', en: '<img src=x>' }, providerName: '"><script>' });
    expect(renderDetail(evil, nothingMore, view('ja'))).not.toMatch(/<img|<script/);
  });
});

test('commands are cut out of a sentence, whatever its brackets', () => {
  expect(withoutCommands('お待ちください（tsugite-agent install --now）。')).toBe('お待ちください。');
  expect(withoutCommands('Wait (tsugite-agent resync).')).toBe('Wait.');
  expect(withoutCommands('上限（5回）です。')).toBe('上限（5回）です。');
});

describe('its address', () => {
  const decide = (requested: string, headers: Record<string, string> = {}, port = 8888) =>
    decidePage(
      { method: 'GET', target: requested, host: '127.0.0.1', headers, port },
      aSnapshot(),
      { 'demo.ipv4': 8889 },
      defaultPageSettings,
    );

  test('/t/<software> and /t/<target> show it, any other shows nothing', () => {
    expect(decide('/t/demo.ipv4?lang=en')).toMatchObject({ kind: 'detail', language: 'en', software: { software: 'demo.ipv4' } });
    expect(decide(`/t/${target}`)).toMatchObject({ kind: 'detail', language: 'ja' });
    for (const other of ['/t/demo.ipv5', '/t/demo.ipv4/', '/t/DEMO']) expect(decide(other)).toEqual({ kind: 'refuse', why: 'not-found' });
  });

  test("an app's own origin is opened by people, not loaded into another origin's page", () => {
    const own = (headers: Record<string, string>) => decide('/demo.ipv4/main', headers, 8889).kind;
    expect(own({ 'sec-fetch-site': 'same-site', 'sec-fetch-mode': 'navigate', 'sec-fetch-dest': 'document' })).toBe('app');
    expect(own({ 'sec-fetch-site': 'same-origin', 'sec-fetch-mode': 'cors', 'sec-fetch-dest': 'empty' })).toBe('app');
    expect(own({})).toBe('app');
    expect(own({ 'sec-fetch-site': 'same-site', 'sec-fetch-mode': 'no-cors', 'sec-fetch-dest': 'script' })).toBe('refuse');
    expect(own({ 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'navigate', 'sec-fetch-dest': 'iframe' })).toBe('refuse');
  });
});

describe('connections that were blocked', () => {
  const denied = tallyDenied([refusedConnection('lan', 12), refusedConnection('wan', 1), refusedConnection('lan', 3)], target);

  test('are told by class and count, without any address, and without blaming anybody', () => {
    const page = renderDetail(aSoftware(), { history: [], denied }, view('ja'));
    const household = page
      .replace(technicians, '')
      .replace(/<[^>]+>/g, ' ')
      .replace(/\s+/g, ' ');
    expect(household).toContain('家庭内の機器 15 2026年11月22日 01:00 インターネット 1');
    expect(page).not.toContain('192.168.1.9');
  });

  test('of none nothing is said', () => {
    expect(renderDetail(aSoftware(), nothingMore, view('ja'))).not.toContain('遮断した通信');
  });
});

test('a notice that was refused is a number for the technician, and nothing that the household has to worry about here', () => {
  const page = renderDetail(aSoftware(), { ...nothingMore, refusedNotice: aRefusedNotice }, view('ja'));
  expect(page).toContain('E212 NOTICE_WRONG_GATEWAY');
  expect(page.replace(technicians, '')).not.toContain('E212');
});
