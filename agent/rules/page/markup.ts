/** How every page of the gateway is written: the few shapes that all of them share. */
import { type Html, html } from '../../../protocol/html.ts';
import type { SoftwareSnapshot } from '../gateway-snapshot.ts';
import { type Language, words } from './words.ts';

export { type Html, html, nothing } from '../../../protocol/html.ts';

/** Colour says nothing that the word beside it does not say too. */
export const tone = {
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

export function fact(name: string, value: string | Html): Html {
  return html`<div><dt>${name}</dt><dd>${value}</dd></div>`;
}

export type Sent = { what: string; to: string; purpose: string };

export function sentTable(rows: readonly Sent[], language: Language): Html {
  const w = words[language];
  return html`<table><thead><tr><th scope="col">${w.sentWhat}</th><th scope="col">${w.sentTo}</th><th scope="col">${w.sentPurpose}</th></tr></thead>
<tbody>${rows.map(
    ({ what, to, purpose }) =>
      html`<tr><td data-name="${w.sentWhat}">${what}</td><td data-name="${w.sentTo}">${to}</td><td data-name="${w.sentPurpose}">${purpose}</td></tr>`,
  )}</tbody></table>`;
}

/** 1 MB = 1,000,000 bytes, as the promise of a few MB a month is counted. */
export function showMegabytes(bytes: number): string {
  return `${(bytes / 1_000_000).toFixed(2)} MB`;
}

/** Time in Japan, whatever the gateway's own zone is set to. */
export function showTime(ms: number, language: Language): string {
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

/** Everything around the content of a page; the style's hash is the only one that its policy allows. */
export function documentOf({ title, style, language, body }: { title: string; style: string; language: Language; body: Html }): string {
  return html`<!doctype html>
<html lang="${language}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${title}</title>
<style>${{ markup: style }}</style>
</head>
<body>
${body}
<footer><p>${words[language].emulated}</p></footer>
</body>
</html>
`.markup;
}

/** The link to the same page in the other language. */
export function languageLink(language: Language, path: string): Html {
  const other = language === 'ja' ? 'en' : 'ja';
  return html`<p class="language"><a href="${path}${other === 'en' ? '?lang=en' : ''}" lang="${other}" hreflang="${other}">${words[language].otherLanguage}</a></p>`;
}
