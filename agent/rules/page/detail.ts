import { describe, whoLabels } from '../../../protocol/errors.ts';
import type { Manifest } from '../../../protocol/statements/manifest.ts';
import { type DeniedTally, deniedWords } from '../denied-tally.ts';
import type { SoftwareSnapshot } from '../gateway-snapshot.ts';
import type { RefusedNotice } from '../refused-notice.ts';
import { softwareWords } from '../software-word.ts';
import { detailWords } from './detail-words.ts';
import { type HistoryRow, plainRemedy, withoutCommands } from './history.ts';
import { detailPathOf, type PageView } from './html.ts';
import { documentOf, fact, type Html, html, languageLink, nothing, showMegabytes, showTime, tone } from './markup.ts';
import { refusedNoticeFacts } from './refused-notice.ts';
import { sentBySoftware } from './sent.ts';
import { pageStyle } from './style.ts';
import { type Language, words } from './words.ts';

/** What is known beside the software itself. */
export type DetailTold = {
  history: readonly HistoryRow[];
  denied: readonly DeniedTally[];
  /** Of the gateway as a whole, since it may be why something new does not come. */
  refusedNotice?: RefusedNotice | undefined;
};

/** `/t/<software>`: one software, all that a household may want to know of it; numbers and codes only where a technician opens them. */
export function renderDetail(entry: SoftwareSnapshot, told: DetailTold, view: PageView): string {
  const { history } = told;
  const { language } = view;
  const w = words[language];
  const d = detailWords[language];
  const address = view.addressOf(entry);
  const query = language === 'en' ? '?lang=en' : '';
  const body = html`<header>
${languageLink(language, detailPathOf(entry))}
<p><a href="/t/${query}">← ${d.back}</a></p>
<div class="name"><h1>${entry.title[language]}</h1>
<p class="state ${tone[entry.state]}"><span class="label">${w.state}</span> ${softwareWords[entry.state][language]}</p></div>
</header>
<main>
<article>
${entry.reason === undefined ? nothing : reasonOf(entry, view)}
<dl class="wide">
${fact(w.provider, entry.providerName)}
${fact(w.version, entry.manifest?.security === true ? `${entry.version}（${d.security}）` : entry.version)}
${fact(d.since, showTime(entry.changedAtMs, language))}
${fact(w.contact, entry.manifest?.customer.contact ?? w.askProvider)}
${entry.manifest === undefined ? nothing : fact(d.support, supportOf(entry.manifest, language))}
</dl>
<p class="actions">${address === undefined ? nothing : html`<a class="open" href="${address}">${w.open}</a>`} ${view.settingsUrl === undefined ? nothing : html`<a href="${view.settingsUrl}${query}">${w.settings}</a>`}</p>
</article>
${entry.manifest === undefined ? nothing : html`${about(entry.manifest, language)}${connections(entry, entry.manifest, view)}`}
${deniedSection(told.denied, language)}${historySection(history, language)}
<section><details><summary>${w.forTechnician}</summary>${forTechnicians(entry, told, view)}</details></section>
</main>`;
  return documentOf({ title: `${entry.title[language]} - ${w.title}`, style: pageStyle, language, body });
}

function reasonOf({ reason, manifest }: SoftwareSnapshot, { language, operatorName }: PageView): Html {
  if (reason === undefined) return nothing;
  const d = detailWords[language];
  const described = describe(reason.code, reason.detail);
  const contact = described.who === 'provider' ? manifest?.customer.contact : undefined;
  const actor = described.who === 'operator' && operatorName !== undefined ? operatorName : whoLabels[described.who][language];
  return html`<div class="reason"><p>${withoutCommands(described[language])}</p>
<p>${d.whatToDo}: ${plainRemedy(reason, language)}</p>
${described.who === 'nobody' ? nothing : html`<p>${d.whoActs}: ${contact === undefined ? actor : `${actor} ／ ${contact}`}</p>`}</div>`;
}

function supportOf({ supportUntil }: Manifest, language: Language): string {
  if (supportUntil === undefined) return detailWords[language].noSupport;
  const [year, month, day] = supportUntil.split('-');
  return language === 'ja' ? `${year}年${Number(month)}月${Number(day)}日` : supportUntil;
}

function showSize(bytes: number): string {
  return bytes < 1_000_000 ? `${(bytes / 1_000).toFixed(1)} kB` : showMegabytes(bytes);
}

function about({ customer, payload }: Manifest, language: Language): Html {
  const w = words[language];
  const d = detailWords[language];
  return html`<section aria-labelledby="about"><h2 id="about">${d.about}</h2>
<dl>
${fact(w.description, html`<span lang="ja">${customer.description}</span>`)}
${fact(w.price, html`<span lang="ja">${customer.price}</span>`)}
${fact(w.terms, html`<a href="${customer.termsUrl}" rel="noreferrer noopener external">${customer.termsUrl}</a>`)}
${fact(d.installedSize, showSize(payload.installedBytes))}
</dl></section>
`;
}

/** What it asked for, and of that what it was not given here. */
function connections(entry: SoftwareSnapshot, manifest: Manifest, view: PageView): Html {
  const { permissions } = entry;
  const { language } = view;
  const w = words[language];
  const d = detailWords[language];
  const { lan, wan, telemetry } = manifest.permissions;
  const shown = (asked: readonly string[], given: readonly string[] | undefined, name: (one: string) => string): string =>
    asked.map((one) => name(one) + (given === undefined || given.includes(one) ? '' : d.notGranted)).join(language === 'ja' ? '、' : ', ');
  const asksNothing = lan.length === 0 && wan.length === 0 && !telemetry;
  return html`<section aria-labelledby="may"><h2 id="may">${d.mayDo}</h2>
${
  asksNothing
    ? html`<p>${d.nothingMayDo}</p>`
    : html`<dl class="wide">
${fact(d.lan, lan.length === 0 ? d.no : shown(lan, permissions?.lan, (one) => portName(one)))}
${fact(d.wan, wan.length === 0 ? d.no : shown(wan, permissions?.wan, (one) => one.replace(/:443$/, '')))}
${fact(d.telemetry, telemetry ? d.yes + (permissions?.telemetry === false ? d.notGranted : '') : d.no)}
</dl>`
}
<h3>${w.sent}</h3>
${sentBySoftware(entry, view)}
</section>
`;
}

/** The one port that a household may have heard of has a name. */
function portName(permission: string): string {
  const [protocol = '', port = ''] = permission.split(':');
  return `${permission === 'udp:3610' ? 'ECHONET Lite ' : ''}${protocol.toUpperCase()} ${port}`;
}

/** Class and count only (DOMAIN §12). */
function deniedSection(denied: readonly DeniedTally[], language: Language): Html {
  if (denied.length === 0) return nothing;
  const d = detailWords[language];
  const row = ({ class: to, count, lastAt }: DeniedTally): Html => html`<tr><td data-name="${d.deniedTo}">${deniedWords[to][language]}</td>
<td data-name="${d.deniedCount}">${count}</td><td data-name="${d.deniedLast}">${showTime(Date.parse(lastAt), language)}</td></tr>`;
  return html`<section aria-labelledby="denied"><h2 id="denied">${d.denied}</h2>
<p>${d.deniedNote}</p>
<table><thead><tr><th scope="col">${d.deniedTo}</th><th scope="col">${d.deniedCount}</th><th scope="col">${d.deniedLast}</th></tr></thead>
<tbody>${denied.map(row)}</tbody></table></section>
`;
}

function historySection(history: readonly HistoryRow[], language: Language): Html {
  const w = words[language];
  const d = detailWords[language];
  const row = ({ atMs, state, version, reason }: HistoryRow): Html => html`<tr>
<td data-name="${d.when}">${showTime(atMs, language)}</td>
<td data-name="${w.state}">${softwareWords[state][language]}</td>
<td data-name="${w.version}">${version ?? '―'}</td>
<td data-name="${d.reason}">${reason === undefined ? '' : withoutCommands(describe(reason.code, reason.detail)[language])}</td></tr>`;
  return html`<section aria-labelledby="history"><h2 id="history">${d.history}</h2>
${
  history.length === 0
    ? html`<p>${d.noHistory}</p>`
    : html`<p>${d.historyNote}</p>
<table class="history"><thead><tr><th scope="col">${d.when}</th><th scope="col">${w.state}</th><th scope="col">${w.version}</th><th scope="col">${d.reason}</th></tr></thead>
<tbody>${history.map(row)}</tbody></table>`
}
</section>
`;
}

function forTechnicians(entry: SoftwareSnapshot, { history, refusedNotice }: DetailTold, view: PageView): Html {
  const { language, operatorName } = view;
  const w = words[language];
  const d = detailWords[language];
  const now = entry.reason === undefined ? undefined : describe(entry.reason.code, entry.reason.detail);
  const coded = history.flatMap(({ atMs, reason }) => (reason === undefined ? [] : [{ atMs, ...describe(reason.code, reason.detail) }]));
  const actor = (who: keyof typeof whoLabels) =>
    who === 'operator' && operatorName !== undefined ? operatorName : whoLabels[who][language];
  return html`<dl>
${fact(d.names, entry.software)}
${fact(d.target, entry.target)}
${fact(w.code, now === undefined ? d.no : `${now.number} ${now.code}`)}
${now === undefined ? nothing : html`${fact(w.who, actor(now.who))}${fact(w.next, now.remedy[language])}`}
${coded.map(({ atMs, number, code }) => fact(showTime(atMs, language), `${number} ${code}`))}
</dl>
${
  refusedNotice === undefined
    ? nothing
    : html`<h3>${w.notUsedTitle}</h3>
<dl>${refusedNoticeFacts(refusedNotice, view)}</dl>`
}`;
}
