/** The invoice on paper: one HTML file that prints on A4, without script and without anything from elsewhere. */
import { type Html, html, nothing } from '../../protocol/html.ts';
import { chargeRules } from './billing-lines.ts';
import type { Invoice, NumberedLine } from './invoice.ts';
import { invoiceStyle } from './invoice-style.ts';
import { classLabel } from './invoice-tables.ts';

export function invoiceHtml(invoice: Invoice): string {
  const { number, recipient, issuer, from, to, issuedOn, totalYen, isQualified } = invoice;
  const page = html`<!DOCTYPE html>
<html lang="ja">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>請求書 ${number}</title>
<style>${{ markup: invoiceStyle }}</style>
</head>
<body>
<main>
<header>
<h1>${isQualified ? '請求書' : '請求書（適格請求書ではありません）'}</h1>
<dl class="marks">
${fact('請求書番号', number)}
${fact('発行日', showDay(issuedOn))}
${fact('取引期間', `${showDay(from)} ～ ${showDay(to)}`)}
</dl>
</header>
<section class="parties">
<div class="recipient">
<p class="name">${recipient.name} <span class="honorific">御中</span></p>
<p class="quiet">事業者ID ${recipient.provider}</p>
</div>
<div class="issuer">
<p class="name">${issuer.name}</p>
${issuer.registrationNumber === null ? nothing : html`<p>登録番号 ${issuer.registrationNumber}</p>`}
${issuer.address === null ? nothing : html`<p>${issuer.address}</p>`}
${issuer.contact === null ? nothing : html`<p>${issuer.contact}</p>`}
</div>
</section>
<p class="lead">フレッツ・ジョイント利用料金等を、次のとおりご請求します。</p>
<p class="total"><span>ご請求金額（税込）</span> <strong>${showYen(totalYen)}</strong></p>
${taxTable(invoice)}
${lineTable(invoice)}
${notes(invoice)}
</main>
<footer><p>エミュレーション環境です。NTT東日本が提供するものではありません。</p></footer>
</body>
</html>
`;
  return page.markup;
}

function taxTable({ taxes, totalYen, taxYen }: Invoice): Html {
  return html`<table class="taxes">
<thead><tr><th scope="col">税率</th><th scope="col" class="yen">合計金額（税込）</th><th scope="col" class="yen">うち消費税額等</th></tr></thead>
<tbody>
${taxes.map(
  (
    rate,
  ) => html`<tr><td>${rate.taxPercent}％対象</td><td class="yen">${showYen(rate.totalYen)}</td><td class="yen">${showYen(rate.taxYen)}</td></tr>
`,
)}</tbody>
<tfoot><tr><th scope="row">合計</th><td class="yen">${showYen(totalYen)}</td><td class="yen">${showYen(taxYen)}</td></tr></tfoot>
</table>`;
}

function lineTable({ lines, totalYen }: Invoice): Html {
  return html`<table class="lines">
<thead><tr><th scope="col" class="no">行</th><th scope="col" class="text">項目</th><th scope="col">測定値・登録日時</th><th scope="col" class="yen">数量</th><th scope="col" class="yen">単価</th><th scope="col" class="yen">金額（税込）</th></tr></thead>
<tbody>
${lines.map(lineRow)}</tbody>
<tfoot><tr><th scope="row" colspan="5">合計（税込）</th><td class="yen">${showYen(totalYen)}</td></tr></tfoot>
</table>`;
}

function lineRow(line: NumberedLine): Html {
  const label = classLabel(line);
  return html`<tr>
<td class="no">${line.no}</td>
<td><span class="item">${chargeRules[line.rule].ja}</span>${label === '' ? nothing : html` <span class="class">${label}</span>`}
<span class="of">${line.software ?? (line.workOrder === null ? '拠点のソフトウェア全体' : `工事 ${line.workOrder}`)}</span></td>
<td class="why">${measured(line)}<span>${times(line)}</span></td>
<td class="yen">${grouped(line.quantity)}</td>
<td class="yen">${showYen(line.unitYen)}</td>
<td class="yen">${showYen(line.amountYen)}</td>
</tr>
`;
}

function measured({ measuredBytes, unit, flags }: NumberedLine): Html {
  if (measuredBytes === null) return nothing;
  return html`<span>${grouped(measuredBytes)} バイト（M = ${unit === 'MiB' ? '1,048,576' : '1,000,000'}）${flags.length > 0 ? '※' : ''}</span> `;
}

function times({ registeredFrom, registeredTo, workOrder }: NumberedLine): string {
  const what = workOrder === null ? '登録' : '完了';
  const [first, last] = [showTime(registeredFrom), showTime(registeredTo)];
  return first === last ? `${first} ${what}` : `${first} ～ ${last} ${what}`;
}

function notes({ lines, targets, number, isQualified }: Invoice): Html {
  const isGrey = lines.some(({ flags }) => flags.length > 0);
  return html`<section class="notes">
<h2>備考</h2>
<ul>
<li>金額はすべて税込（内税）です。消費税額等は、税率ごとの合計から一度だけ計算しています（1円未満切り捨て）。</li>
<li>月額料金は登録月の翌月から月単位です（日割り計算は行いません）。区分は対象月の初めのもの、日時は日本時間です。</li>
${targets === 0 ? nothing : html`<li>配信対象ごとの内訳（${grouped(targets)}件）は、添付の明細「${number}-targets.csv」のとおりです。</li>\n`}${
  isGrey ? html`<li>※ 1Mを1,000,000バイトとするか1,048,576バイトとするかで区分が変わるサイズです（SIZE_UNIT_GREY）。</li>\n` : nothing
}${isQualified ? nothing : html`<li>発行者は適格請求書発行事業者の登録を受けていないため、この書類は適格請求書（インボイス）ではありません。</li>\n`}</ul>
</section>`;
}

function fact(name: string, value: string): Html {
  return html`<div><dt>${name}</dt><dd>${value}</dd></div>`;
}

function showYen(yen: number): string {
  return `¥${grouped(yen)}`;
}

/** `2026-05-01` as 2026年5月1日. */
function showDay(day: string): string {
  const [year, month, date] = day.split('-').map(Number);
  return `${year}年${month}月${date}日`;
}

/** `2026-04-01T00:00:00.000+09:00` as 2026-04-01 00:00:00. */
function showTime(time: string): string {
  return time.slice(0, 19).replace('T', ' ');
}

/** By threes, whatever the machine's language data say. */
function grouped(count: number): string {
  return String(count).replace(/\B(?=(\d{3})+$)/g, ',');
}
