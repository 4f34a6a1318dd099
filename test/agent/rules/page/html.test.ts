import { describe, expect, test } from 'vitest';
import { renderPage } from '../../../../agent/rules/page/html.ts';
import { statusOf } from '../../../../agent/rules/page/model.ts';
import { toCompactJson } from '../../../../protocol/json.ts';
import { parseStatus, softwareState } from '../../../../protocol/messages/status.ts';
import { aManifest, aRefusedNotice, aSnapshot, aSoftware } from '../../../support/snapshots.ts';

const show = (snapshot = aSnapshot(), language: 'ja' | 'en' = 'ja') =>
  renderPage(snapshot, {
    language,
    operatorName: undefined,
    settingsUrl: 'http://127.0.0.1:8887/',
    addressOf: ({ webSocketPath }) => (webSocketPath ? 'http://127.0.0.1:8889/demo.ipv4/main' : undefined),
  });
const textOf = (markup: string) =>
  markup
    .replace(/<style>[\s\S]*?<\/style>/, '')
    .replace(/<[^>]+>/g, ' ')
    .replace(/\s+/g, ' ');

describe('what a household reads', () => {
  test('name, provider, state, version, last change and contact of each software', () => {
    const text = textOf(show());
    for (const words of [
      '配信済事業者ソフトウェア一覧',
      'IPv4接続設定',
      '提供事業者 デモネット株式会社',
      '状態 動作中',
      'バージョン 1.2.0',
      '最終更新 2026年11月22日 00:30',
      '問い合わせ先 デモネット サポート窓口',
    ])
      expect(text).toContain(words);
  });
  test('the control traffic of the month against a few MB, and what is sent outside', () => {
    const text = textOf(show());
    for (const words of ['0.12 MB', '上限 5.00 MB', '毎月数MB程度', '外部へ送信される情報', '送信される情報の内容 送信先 利用目的'])
      expect(text).toContain(words);
  });
  test('what the provider says is sent outside, with receiver and purpose', () => {
    const transmits = [
      {
        what: { ja: '接続の状態', en: 'connection state' },
        to: 'api.demo-net.example',
        purpose: { ja: '故障の確認', en: 'fault finding' },
      },
    ];
    const manifest = aManifest({ permissions: { lan: [], wan: ['api.demo-net.example:443'], telemetry: false }, transmits });
    expect(textOf(show(aSnapshot([aSoftware({ manifest })])))).toContain('接続の状態 api.demo-net.example 故障の確認');
  });
  test('what is measured, of software that may tell it and of the agent itself, while the operator wants it', () => {
    const measured = textOf(show(aSnapshot([aSoftware({ isMeasured: true })], { isMeasured: true })));
    expect(measured).toContain('このソフトウェアのメモリーの使用量、再起動の回数');
    expect(measured).toContain('提供事業者には、多くのホームゲートウェイをまとめた値だけを渡します。');
    expect(measured).toContain('配信機能のメモリーの使用量');
    const off = textOf(show(aSnapshot([aSoftware({ isMeasured: false })], { isMeasured: false })));
    expect(off).not.toMatch(/メモリーの使用量|1日1回/);
    expect(off).toContain('このソフトウェアが外部へ送信する情報はありません。');
  });
  test('a notice that was refused: one plain sentence that blames nobody; number, reason and remedy are one click away', () => {
    for (const software of [[aSoftware()], []]) {
      const [household, technician] = show(aSnapshot(software, { refusedNotice: aRefusedNotice })).split('工事・保守の方へ') as [
        string,
        string,
      ];
      expect(textOf(household)).toContain('確認できないものがあったため、使用していません。');
      expect(household).not.toMatch(/E212|不正|攻撃|gw-0002/);
      for (const words of ['E212 NOTICE_WRONG_GATEWAY', '別のホームゲートウェイ', '2026年11月22日 09:30', '届いた回数 3', '運用者'])
        expect(textOf(technician)).toContain(words);
    }
    expect(show(aSnapshot())).not.toContain('使用していません');
  });
  test('an empty list is said in its own sentence', () => {
    expect(textOf(show(aSnapshot([])))).toContain('配信済みのソフトウェアはありません。');
  });
  test('a reason without its number; the number is for the technician, one click away', () => {
    const text = show(
      aSnapshot([aSoftware({ state: 'refused', reason: { code: 'SIZE_OVER_LIMIT', detail: { limit: 6_000_000, actual: 6_213_004 } } })]),
    );
    const [household, technician] = text.split('工事・保守の方へ') as [string, string];
    expect(household).toContain('6,213,004');
    expect(household).not.toContain('E304');
    expect(technician).toContain('E304 SIZE_OVER_LIMIT');
  });
  test('that this is an emulation', () => {
    expect(textOf(show())).toContain('エミュレーション環境です。NTT東日本が提供するものではありません。');
  });
  test('everything in English on request', () => {
    const text = textOf(show(aSnapshot(), 'en'));
    for (const words of ['Delivered software', 'IPv4 connection', 'State running', 'Information sent outside the home'])
      expect(text).toContain(words);
  });
  test.each(softwareState.options)('a word for the state %s', (state) =>
    expect(show(aSnapshot([aSoftware({ state })]))).toMatch(/class="state (good|busy|attention|quiet)"/),
  );
});

describe('what a provider writes stays text', () => {
  const hostile = '"><script>alert(1)</script><img src=x onerror=alert(1)>\u202e&';
  test('in every field that is shown', () => {
    const manifest = aManifest({
      customer: {
        description: hostile,
        price: hostile,
        leadTimeDays: 0,
        contact: hostile,
        termsUrl: 'https://x.example/"onmouseover="alert(1)',
      },
      permissions: { lan: [], wan: ['a.example:443'], telemetry: false },
      transmits: [{ what: { ja: hostile, en: hostile }, to: hostile, purpose: { ja: hostile, en: hostile } }],
    });
    for (const language of ['ja', 'en'] as const) {
      const markup = show(
        aSnapshot([aSoftware({ manifest, title: { ja: hostile, en: hostile }, providerName: hostile })], { model: hostile }),
        language,
      );
      expect(markup).not.toMatch(/<script|<img|"onmouseover|\u202e/);
      expect(markup).toContain('&lt;script&gt;');
    }
  });
});

test('there is a link to the own origin of the app while it runs, and none otherwise', () => {
  expect(show()).toContain('href="http://127.0.0.1:8889/demo.ipv4/main"');
  const stopped = aSoftware({ state: 'stopped' });
  delete stopped.webSocketPath;
  expect(show(aSnapshot([stopped]))).not.toContain('8889');
});

describe('status.json', () => {
  test('is what the schema says', () => {
    const status = parseStatus(toCompactJson(statusOf(aSnapshot())));
    expect(status).toEqual({
      v: 1,
      gateway: 'gw-0001',
      model: 'PR-400KI',
      agent: '1.0.0',
      at: '2026-11-22T07:20:00Z',
      online: true,
      month: { usedBytes: 123_456, ceilingBytes: 5_000_000 },
      software: [
        {
          software: 'demo.ipv4',
          version: '1.2.0',
          title: 'IPv4接続設定',
          provider: 'デモネット株式会社',
          state: 'running',
          page: '/demo.ipv4/main',
        },
      ],
    });
  });
  test('gives a reason with number, code and both languages, and no page while the app stands still', () => {
    const refused = aSoftware({ state: 'refused', reason: { code: 'SIZE_OVER_LIMIT', detail: { limit: 6_000_000, actual: 6_213_004 } } });
    delete refused.webSocketPath;
    const [entry] = statusOf(aSnapshot([refused])).software;
    expect(entry).toMatchObject({
      state: 'refused',
      reason: { number: 'E304', code: 'SIZE_OVER_LIMIT', ja: expect.stringContaining('6,213,004'), en: expect.any(String) },
    });
    expect(entry).not.toHaveProperty('page');
  });
});
