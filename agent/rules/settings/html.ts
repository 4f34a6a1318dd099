import { describe } from '../../../protocol/errors.ts';
import { timeInJapan } from '../choices.ts';
import { withoutCommands } from '../page/history.ts';
import { documentOf, type Html, html, languageLink, nothing, showMegabytes } from '../page/markup.ts';
import type { Language } from '../page/words.ts';
import { passwordLength } from './password.ts';
import { settingsStyle } from './style.ts';
import type { SettingsView } from './view.ts';
import { type Said, settingsWords } from './words.ts';

export type Shown = {
  language: Language;
  listUrl: string | undefined;
  /** Proves that a form came from this page of this session. */
  token: string;
  /** What the last form led to. */
  said: { kind: 'word'; said: Said; values?: Readonly<Record<string, string | number>> } | { kind: 'text'; text: string } | undefined;
};

/** No password was chosen yet: the only thing that can be done here. */
export function renderSetup(shown: Shown): string {
  const w = settingsWords[shown.language];
  return page(
    shown,
    html`<section><h2>${w.setupTitle}</h2><p>${w.setupLead}</p>
${form(
  shown,
  'setup',
  html`${field(w.password, 'password', 'new-password')}<p>${rule(shown)}</p>${field(w.again, 'again', 'new-password')}
<p><button>${w.set}</button></p>`,
)}</section>`,
  );
}

export function renderLogin(shown: Shown): string {
  const w = settingsWords[shown.language];
  return page(
    shown,
    html`<section><h2>${w.loginTitle}</h2>
${form(shown, 'login', html`${field(w.password, 'password', 'current-password')}<p><button>${w.login}</button></p>`)}
<p>${w.forgotten}</p></section>`,
  );
}

/** What was kept of the password cannot be read: nobody is let in, and nobody may choose another. */
export function renderLocked(shown: Shown): string {
  return page(shown, html`<p class="said attention" role="status">${settingsWords[shown.language].locked}</p>`);
}

export function renderSettings(view: SettingsView, shown: Shown): string {
  const w = settingsWords[shown.language];
  return page(
    shown,
    html`${updates(view, shown)}
<section><h2>${w.equipment}</h2><p>${w.equipmentLead}</p>${equipment(view, shown)}</section>
<section><h2>${w.diagnostics}</h2>${diagnostics(view, shown)}</section>
<section><h2>${w.resync}</h2><p>${w.resyncLead}</p>${askForm(shown, { kind: 'resync' }, html`<button>${w.resyncDo}</button>`)}</section>
<section><details><summary>${w.changeTitle}</summary>${changePassword(shown)}</details></section>`,
    form(shown, 'logout', html`<button class="second">${w.logout}</button>`),
  );
}

function page(shown: Shown, content: Html, corner: Html = nothing): string {
  const { language, listUrl, said } = shown;
  const w = settingsWords[language];
  const body = html`<header>
${languageLink(language, '/')}
${listUrl === undefined ? nothing : html`<p><a href="${listUrl}${language === 'en' ? '?lang=en' : ''}">← ${w.backToList}</a></p>`}
<div class="top"><h1>${w.title}</h1>${corner}</div>
<p>${w.lead}</p>
</header>
<main>
${said === undefined ? nothing : html`<p class="said ${said.kind === 'text' || isBad(said.said) ? 'attention' : ''}" role="status">${said.kind === 'text' ? said.text : fill(w.said[said.said], said.values)}</p>`}
${content}
</main>`;
  return documentOf({ title: w.title, style: settingsStyle, language, body });
}

const good: ReadonlySet<Said> = new Set(['set', 'changed', 'out', 'resync', 'confirm', 'consent', 'install-now', 'postpone']);
function isBad(said: Said): boolean {
  return !good.has(said);
}

function updates({ pending }: SettingsView, shown: Shown): Html {
  const { language } = shown;
  const w = settingsWords[language];
  const gap = language === 'ja' ? '' : ' ';
  const rows = pending.map(({ software, title, from, to, reason, mayPostponeUntilMs }) => {
    const put = mayPostponeUntilMs === null ? w.postponeOver : fill(w.postponeUntil, { until: timeInJapan(mayPostponeUntilMs)[language] });
    return html`<div class="waits"><h3>${title[language]}</h3>
<p>${fill(from === null ? w.firstInstall : w.toVersion, { from: from ?? '', to })}${gap}${reason === null ? w.waiting : withoutCommands(describe(reason.code, reason.detail)[language])}</p>
${from === null ? nothing : html`<p>${put}${gap}${w.disrupts}</p>`}
${askForm(shown, { kind: 'install-now', software }, html`<button>${w.installNow}</button>`)}
${from === null || mayPostponeUntilMs === null ? nothing : askForm(shown, { kind: 'postpone', software }, html`<button class="second">${w.postpone}</button>`)}</div>`;
  });
  return html`<section><h2>${w.updates}</h2>${rows.length === 0 ? html`<p>${w.noUpdates}</p>` : rows}</section>`;
}

function equipment({ confirmations }: SettingsView, shown: Shown): Html {
  const { language } = shown;
  const w = settingsWords[language];
  const last = confirmations.find(({ item }) => item === 'office-equipment');
  const names = { no: w.equipmentNo, yes: w.equipmentYes } as const;
  const choice = (value: 'no' | 'yes') =>
    html`<label class="choice"><input type="radio" name="value" value="${value}" required> ${names[value]}</label>`;
  const known = last && fill(w.recorded, { value: names[last.value as 'no' | 'yes'], at: timeInJapan(Date.parse(last.at))[language] });
  return html`${known === undefined ? nothing : html`<p>${known}</p>`}
${askForm(shown, { kind: 'confirm', item: 'office-equipment' }, html`${choice('no')}${choice('yes')}<p><button>${w.record}</button></p>`)}`;
}

function diagnostics({ requests }: SettingsView, shown: Shown): Html {
  const { language } = shown;
  const w = settingsWords[language];
  if (requests.length === 0) return html`<p>${w.noRequests}</p>`;
  const rows = requests.map(({ id, expiresMs, maxBytes, consent }) => {
    const known =
      consent === null
        ? nothing
        : html`<p>${consent.isGiven ? fill(w.agreed, { until: timeInJapan(Date.parse(consent.until))[language] }) : w.refused}</p>`;
    return html`<div class="waits"><p>${fill(w.request, { size: showMegabytes(maxBytes) })}<br>${fill(w.requestUntil, { until: timeInJapan(expiresMs)[language] })}</p>${known}
${askForm(
  shown,
  { kind: 'consent', request: id },
  html`<label class="choice"><input type="checkbox" name="output" value="yes"> ${w.withOutput}</label>
<button name="given" value="yes">${w.agree}</button><button class="second" name="given" value="no">${w.refuse}</button>`,
)}</div>`;
  });
  return html`${rows}`;
}

function changePassword(shown: Shown): Html {
  const w = settingsWords[shown.language];
  return form(
    shown,
    'password',
    html`${field(w.current, 'current', 'current-password')}${field(w.fresh, 'password', 'new-password')}<p>${rule(shown)}</p>${field(w.again, 'again', 'new-password')}
<p><button>${w.change}</button></p>`,
  );
}

function askForm(shown: Shown, fields: Readonly<Record<string, string>>, content: Html): Html {
  const hidden = Object.entries(fields).map(([name, value]) => html`<input type="hidden" name="${name}" value="${value}">`);
  return form(shown, 'ask', html`${hidden}${content}`);
}

function form({ token, language }: Shown, action: string, content: Html): Html {
  return html`<form method="post" action="/${action}${language === 'en' ? '?lang=en' : ''}"><input type="hidden" name="token" value="${token}">${content}</form>`;
}

function field(label: string, name: string, autocomplete: 'current-password' | 'new-password'): Html {
  const bounds = autocomplete === 'new-password' ? html` minlength="${passwordLength.min}"` : nothing;
  return html`<label for="${name}">${label}</label><input type="password" id="${name}" name="${name}" autocomplete="${autocomplete}"${bounds} maxlength="${passwordLength.max}" required>`;
}

function rule({ language }: Shown): string {
  return fill(settingsWords[language].rule, passwordLength);
}

function fill(sentence: string, values: Readonly<Record<string, string | number>> = passwordLength): string {
  return sentence.replace(/\{(\w+)\}/g, (_, name: string) => String(values[name] ?? ''));
}

/** For an address that shows nothing: one sentence, in both languages. */
export function renderSettingsRefusal(why: keyof (typeof settingsWords)['ja']['refusal']): string {
  return `${settingsWords.ja.refusal[why]}\n${settingsWords.en.refusal[why]}\n`;
}
