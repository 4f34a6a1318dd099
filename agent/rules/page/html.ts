import { describe, whoLabels } from '../../../protocol/errors.ts';
import type { Manifest } from '../../../protocol/statements/manifest.ts';
import type { GatewaySnapshot, SoftwareSnapshot } from '../gateway-snapshot.ts';
import { softwareWords } from '../software-word.ts';
import { documentOf, fact, type Html, html, languageLink, nothing, showMegabytes, showTime, tone } from './markup.ts';
import { refusedNoticeFacts } from './refused-notice.ts';
import { sentByAgent, sentBySoftware } from './sent.ts';
import { pageStyle } from './style.ts';
import { type Language, words } from './words.ts';

/** Read-only; the settings are on an origin of their own. */
export type PageView = {
  language: Language;
  operatorName: string | undefined;
  /** The address of an app's first page on its own origin; undefined while it has none to show. */
  addressOf: (software: SoftwareSnapshot) => string | undefined;
  settingsUrl: string | undefined;
};

/** The whole page as HTML without script: `/t/`, 配信済事業者ソフトウェア一覧 (DOMAIN §9.4). */
export function renderPage(snapshot: GatewaySnapshot, view: PageView): string {
  const w = words[view.language];
  const body = html`<header>
${languageLink(view.language, '/t/')}
<h1>${w.title}</h1>
<p>${w.lead}${settingsLink(view)}</p>
<dl class="facts">
${fact(w.model, snapshot.model)}
${fact(w.firmware, snapshot.firmware)}
${fact(w.connection, html`<span class="${snapshot.online ? 'good' : 'attention'}">${snapshot.online ? w.online : w.offline}</span>`)}
${fact(w.shownAt, showTime(snapshot.atMs, view.language))}
</dl>
</header>
<main>
${snapshot.software.length === 0 ? html`<p class="empty">${w.empty}</p>` : snapshot.software.map((entry) => card(entry, view))}
${news(snapshot, view)}${traffic(snapshot, view.language)}
${sentByGateway(snapshot, view)}
</main>`;
  return documentOf({ title: w.title, style: pageStyle, language: view.language, body });
}

function settingsLink({ settingsUrl, language }: PageView): Html {
  const w = words[language];
  return settingsUrl === undefined ? nothing : html` <a href="${settingsUrl}${language === 'en' ? '?lang=en' : ''}">${w.settings}</a>`;
}

/** Nothing that the household did, nothing that it has to do: one sentence, and the rest for the person who mends it. */
function news({ refusedNotice }: GatewaySnapshot, view: PageView): Html {
  if (refusedNotice === undefined) return nothing;
  const w = words[view.language];
  return html`<section aria-labelledby="news"><h2 id="news">${w.news}</h2>
<p>${w.notUsed}</p>
<details><summary>${w.forTechnician}</summary><h3>${w.notUsedTitle}</h3>
<dl>${refusedNoticeFacts(refusedNotice, view)}</dl></details></section>
`;
}

/** `/t/<software>`; the notice names each software once a provider, and the id of the target stands in where two providers chose one name. */
export function detailPathOf({ software }: SoftwareSnapshot): string {
  return `/t/${software}`;
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
<p class="actions">${address === undefined ? nothing : html`<a class="open" href="${address}">${w.open}</a>`} <a href="${detailPathOf(entry)}${view.language === 'en' ? '?lang=en' : ''}">${w.detail}</a></p>
${entry.manifest === undefined ? nothing : aboutSoftware(entry, entry.manifest, view)}
${entry.reason === undefined ? nothing : forTechnician(entry.reason, view)}
</article>
`;
}

function aboutSoftware(entry: SoftwareSnapshot, { customer }: Manifest, view: PageView): Html {
  const w = words[view.language];
  return html`<details><summary>${w.about}</summary>
<dl lang="ja">
${fact(w.description, customer.description)}
${fact(w.price, customer.price)}
${fact(w.terms, html`<a href="${customer.termsUrl}" rel="noreferrer noopener external">${customer.termsUrl}</a>`)}
</dl></details>
<details><summary>${w.sent}</summary>
${sentBySoftware(entry, view)}
</details>`;
}

/** Numbers and codes are for the person at the door, so a household does not meet them by default (DOMAIN §9.4). */
export function forTechnician({ code, detail }: NonNullable<SoftwareSnapshot['reason']>, { language, operatorName }: PageView): Html {
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

function sentByGateway(snapshot: GatewaySnapshot, view: PageView): Html {
  return html`<section aria-labelledby="sent"><h2 id="sent">${words[view.language].sentByGateway}</h2>
${sentByAgent(snapshot, view)}
</section>
`;
}
