/** What `tsugite init` writes: small enough to read in a minute, whole enough to pack, install and answer. */

/** Fits every model profile (DOMAIN §8.1); the household's texts are placeholders that a provider has to replace. */
export function draftFor(provider: string, software: string): Readonly<Record<string, unknown>> {
  return {
    v: 1,
    software,
    version: '1.0.0',
    provider,
    title: { ja: 'はじめてのソフトウェア', en: 'First software' },
    customer: {
      description: 'お客さまへの説明をここに書きます。',
      price: '月額 0 円（税込）',
      leadTimeDays: 7,
      contact: 'お問い合わせ先をここに書きます。',
      termsUrl: 'https://example.jp/terms',
    },
    models: ['*'],
    requires: { agent: '^1.0.0' },
    entry: { runtime: 'node', args: ['main.js'] },
    web: { prefix: software, main: `/${software}/main` },
    permissions: { lan: [], wan: [], telemetry: false },
    resources: { memoryBytes: 64 * 1024 * 1024, cpuPercent: 25, pids: 32, dataBytes: 1024 * 1024 },
    health: { kind: 'ready', timeoutS: 30 },
    data: { format: 1 },
  };
}

export function mainFor(software: string): string {
  return `'use strict';
// Runs on the home gateway, in a sandbox without network. /app (this folder) is read-only; /data is yours and is kept.
const fs = require('node:fs');
const http = require('node:http');

const page = \`<!doctype html><html lang="ja"><meta charset="utf-8"><title>${software}</title><h1>${software}</h1><p>動作中です。</p></html>\`;

const server = http.createServer((request, response) => {
  const { pathname } = new URL(request.url, 'http://gateway');
  if (pathname === '/${software}/check') {
    response.setHeader('content-type', 'application/json; charset=utf-8');
    return response.end(JSON.stringify({ name: '${software}', version: '1.0.0', status: 'ON' }));
  }
  if (pathname === '/${software}/main') {
    response.setHeader('content-type', 'text/html; charset=utf-8');
    return response.end(page);
  }
  response.statusCode = 404;
  return response.end();
});

// Where requests for /${software}/… arrive.
fs.rmSync(process.env.TSUGITE_WEB_SOCKET, { force: true });
server.listen(process.env.TSUGITE_WEB_SOCKET, () => {
  // Until this is said, the gateway keeps the version before.
  http.request({ socketPath: process.env.TSUGITE_GATEWAY_SOCKET, path: '/ready', method: 'POST' }, (answer) => answer.resume()).end();
});
process.on('SIGTERM', () => server.close(() => process.exit(0)));
`;
}

export function readmeFor(software: string): string {
  return `# ${software}

- \`manifest.json\`: 名前、お客さまへの説明、対応機種、権限、使う資源。\`payload\` は \`tsugite pack\` が書きます。
- \`app/\`: ホームゲートウェイの \`/app\` になるファイル（読み取り専用）。保存するものは \`/data\` に書きます。

\`\`\`sh
tsugite pack DIR --out BUILD                        # manifest.json と payload.tar.br を作る
tsugite measure BUILD --targets 100                 # サイズ、料金、対応機種
tsugite keygen --provider ID --org NAME --out KEYS  # 鍵と証明書要求（要求だけを運用者へ）
tsugite sign BUILD --key KEYS/provider.key.pem --cert CHAIN.pem --out X.tsg
tsugite verify X.tsg --ca PROVIDER-CA.pem
tsugite login https://SERVER --token-file FILE      # 運用者から受け取ったトークン
tsugite certificate request --csr KEYS/provider.csr.pem
tsugite quote X.tsg --targets 100                   # 料金の見積もり
tsugite publish X.tsg                               # 料金を確認して登録・公開する
tsugite order SOFTWARE --consent NUMBER             # 配信を申し込む（お客さまIDは入力する）
tsugite halt SOFTWARE VERSION --reason TEXT         # 新たなインストールを停止する
\`\`\`
`;
}
