import { describe, whoLabels } from '../../../protocol/errors.ts';
import type { Manifest } from '../../../protocol/statements/manifest.ts';
import type { GatewaySnapshot, SoftwareSnapshot } from '../gateway-snapshot.ts';
import { softwareWords } from '../software-word.ts';
import { pageStyle } from './style.ts';
import { type Language, words } from './words.ts';

export type PageView = {
  language: Language;
  operatorName: string | undefined;
  /** The address of an app's first page on its own origin; undefined while it has none to show. */
  addressOf: (software: SoftwareSnapshot) => string | undefined;
};

/** Text that was already made safe: only `html` and `safe` make it. */
type Html = { readonly markup: string };

/** Joins markup; every value that is not markup itself is escaped, whoever wrote it. */
function html(parts: TemplateStringsArray, ...values: (string | number | Html | readonly Html[])[]): Html {
  const shown = values.map((value) =>
    Array.isArray(value) ? value.map(({ markup }) => markup).join('') : markupOf(value as string | number | Html),
  );
  return { markup: parts.reduce((text, part, index) => text + (shown[index - 1] ?? '') + part) };
}

function markupOf(value: string | number | Html): string {
  if (typeof value === 'object') return value.markup;
  const named: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' };
  // Direction overrides and invisible characters would let a name display as another one.
  return String(value)
    .replace(/[^\P{C}\n\t]/gu, '')
    .replace(/[&<>"']/g, (character) => named[character] as string);
}

const nothing: Html = { markup: '' };

/** The whole page as HTML without script: `/t/`, 配信済事業者ソフトウェア一覧 (DOMAIN §9.4). */
export function renderPage(snapshot: GatewaySnapshot, view: PageView): string {
  const w = words[view.language];
  const other = view.language === 'ja' ? 'en' : 'ja';
  const { markup } = html`<!doctype html>
<html lang="${view.language}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${w.title}</title>
<style>${{ markup: pageStyle }}</style>
</head>
<body>
<header>
<p class="language"><a href="/t/${other === 'en' ? '?lang=en' : ''}" lang="${other}" hreflang="${other}">${w.otherLanguage}</a></p>
<h1>${w.title}</h1>
<p>${w.lead}</p>
<dl class="facts">
${fact(w.model, snapshot.model)}
${fact(w.firmware, snapshot.firmware)}
${fact(w.connection, html`<span class="${snapshot.online ? 'good' : 'attention'}">${snapshot.online ? w.online : w.offline}</span>`)}
${fact(w.shownAt, showTime(snapshot.atMs, view.language))}
</dl>
</header>
<main>
${snapshot.software.length === 0 ? html`<p class="empty">${w.empty}</p>` : snapshot.software.map((entry) => card(entry, view))}
${traffic(snapshot, view.language)}
${sentByGateway(view)}
</main>
<footer><p>${w.emulated}</p></footer>
</body>
</html>
`;
  return markup;
}

function card(entry: SoftwareSnapshot, view: PageView): Html {
  const w = words[view.language];
  const address = view.addressOf(entry);
  return html`<article aria-labelledby="name-${entry.target}">
<div class="name"><h2 id="name-${entry.target}">${entry.title[view.language]}</h2>
<p class="state ${tone[entry.state]}"><span class="label">${w.state}</span> ${softwareWords[entry.state][view.language]}</p></div>
${entry.reason === undefined ? nothing : html`<p class="reason">${describe(entry.reason.code, entry.reason.detail)[view.language]}</p>`}
<dl>
${fact(w.provider, entry.providerName)}
${fact(w.version, entry.version)}
${fact(w.changedAt, showTime(entry.changedAtMs, view.language))}
${fact(w.contact, entry.manifest?.customer.contact ?? w.askProvider)}
</dl>
${address === undefined ? nothing : html`<p><a class="open" href="${address}">${w.open}</a></p>`}
${entry.manifest === undefined ? nothing : aboutSoftware(entry.manifest, view.language)}
${entry.reason === undefined ? nothing : forTechnician(entry.reason, view)}
</article>
`;
}

/** Colour says nothing that the word beside it does not say too. */
const tone = {
  accepted: 'quiet',
  'on-hold': 'attention',
  waiting: 'quiet',
  installing: 'busy',
  running: 'good',
  updating: 'busy',
  'running-previous': 'good',
  stopped: 'attention',
  failed: 'attention',
  refused: 'attention',
  ended: 'quiet',
} as const satisfies Record<SoftwareSnapshot['state'], string>;

function fact(name: string, value: string | Html): Html {
  return html`<div><dt>${name}</dt><dd>${value}</dd></div>`;
}

function aboutSoftware({ customer, transmits = [] }: Manifest, language: Language): Html {
  const w = words[language];
  const table = sentTable(
    transmits.map(({ what, to, purpose }) => ({ what: what[language], to, purpose: purpose[language] })),
    language,
  );
  return html`<details><summary>${w.about}</summary>
<dl lang="ja">
${fact(w.description, customer.description)}
${fact(w.price, customer.price)}
${fact(w.terms, html`<a href="${customer.termsUrl}" rel="noreferrer noopener external">${customer.termsUrl}</a>`)}
</dl></details>
<details><summary>${w.sent}</summary>
${transmits.length === 0 ? html`<p>${w.nothingSent}</p>` : table}
</details>`;
}

type Sent = { what: string; to: string; purpose: string };

function sentTable(rows: readonly Sent[], language: Language): Html {
  const w = words[language];
  return html`<table><thead><tr><th scope="col">${w.sentWhat}</th><th scope="col">${w.sentTo}</th><th scope="col">${w.sentPurpose}</th></tr></thead>
<tbody>${rows.map(
    ({ what, to, purpose }) =>
      html`<tr><td data-name="${w.sentWhat}">${what}</td><td data-name="${w.sentTo}">${to}</td><td data-name="${w.sentPurpose}">${purpose}</td></tr>`,
  )}</tbody></table>`;
}

/** Numbers and codes are for the person at the door, so a household does not meet them by default (DOMAIN §9.4). */
function forTechnician({ code, detail }: NonNullable<SoftwareSnapshot['reason']>, { language, operatorName }: PageView): Html {
  const w = words[language];
  const { number, remedy, who } = describe(code, detail);
  const actor = who === 'operator' && operatorName !== undefined ? operatorName : whoLabels[who][language];
  return html`<details><summary>${w.forTechnician}</summary>
<dl>${fact(w.code, `${number} ${code}`)}${fact(w.who, actor)}${fact(w.next, remedy[language])}</dl></details>`;
}

function traffic({ month }: GatewaySnapshot, language: Language): Html {
  const w = words[language];
  const limit = `${w.trafficOf} ${showMegabytes(month.ceilingBytes)}`;
  return html`<section aria-labelledby="traffic">
<h2 id="traffic">${w.traffic}</h2>
<p class="amount"><strong>${showMegabytes(month.usedBytes)}</strong> <span>／ ${limit}</span></p>
<meter min="0" max="${month.ceilingBytes}" low="${month.targetBytes}" high="${month.alarmBytes}" optimum="0" value="${month.usedBytes}" aria-labelledby="traffic">${showMegabytes(month.usedBytes)}</meter>
<p>${w.trafficNote}</p>
${month.packageBytes === undefined ? nothing : html`<p>${w.packages}: ${showMegabytes(month.packageBytes)}</p>`}
</section>
`;
}

function sentByGateway({ language, operatorName }: PageView): Html {
  const w = words[language];
  const row = { what: w.gatewayWhat, to: w.gatewayTo.replace('{operator}', operatorName ?? w.operator), purpose: w.gatewayPurpose };
  return html`<section aria-labelledby="sent"><h2 id="sent">${w.sentByGateway}</h2>
${sentTable([row], language)}
</section>
`;
}

/** 1 MB = 1,000,000 bytes, as the promise of a few MB a month is counted. */
function showMegabytes(bytes: number): string {
  return `${(bytes / 1_000_000).toFixed(2)} MB`;
}

/** Time in Japan, whatever the gateway's own zone is set to. */
function showTime(ms: number, language: Language): string {
  const [year, month, day, hour, minute] = new Date(ms + 9 * 60 * 60_000).toISOString().split(/[-T:.]/) as [
    string,
    string,
    string,
    string,
    string,
  ];
  return language === 'ja'
    ? `${year}年${Number(month)}月${Number(day)}日 ${hour}:${minute}`
    : `${year}-${month}-${day} ${hour}:${minute} JST`;
}

/** For an address that shows nothing: one sentence, in both languages. */
export function renderRefusal(why: keyof (typeof words)['ja']['refusal']): string {
  return `${words.ja.refusal[why]}\n${words.en.refusal[why]}\n`;
}
