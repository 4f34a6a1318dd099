/** How the invoice looks, on a screen and on A4 paper. Page numbers stand where the browser knows margin boxes (CSS Paged Media 3, §5). */
export const invoiceStyle = `
@page {
  size: A4;
  margin: 15mm 15mm 17mm;
  @bottom-right { content: counter(page) " / " counter(pages); color: #4a5058; font: 8pt sans-serif; }
}
* { box-sizing: border-box; }
body { margin: 0; background: #e9ebee; color: #1c1f23; font: 10pt/1.55 "Noto Sans JP", "Noto Sans CJK JP", "Hiragino Sans", "Yu Gothic", "Meiryo", sans-serif; }
main, footer { max-width: 180mm; margin: 0 auto; }
main { margin-top: 8mm; padding: 14mm 15mm; background: #fff; max-width: 210mm; min-height: 255mm; }
footer { padding: 3mm 0 8mm; color: #4a5058; font-size: 8.5pt; text-align: center; }
p, dl, dd, h1, h2, ul { margin: 0; padding: 0; }
header { display: flex; justify-content: space-between; align-items: flex-end; gap: 10mm; padding-bottom: 3mm; border-bottom: 0.6mm solid #1d3a5f; }
h1 { color: #1d3a5f; font-size: 19pt; font-weight: 700; letter-spacing: 0.25em; line-height: 1.25; }
.marks { font-size: 8.5pt; }
.marks div { display: flex; justify-content: flex-end; gap: 3mm; }
.marks dt { color: #4a5058; }
.marks dd { min-width: 44mm; text-align: right; font-variant-numeric: tabular-nums; }
.parties { display: flex; justify-content: space-between; gap: 10mm; margin-top: 6mm; }
.parties > div { flex: 1 1 0; min-width: 0; overflow-wrap: anywhere; }
.recipient .name { padding-bottom: 1mm; border-bottom: 0.2mm solid #7a828c; font-size: 13pt; font-weight: 700; }
.honorific { margin-left: 0.5em; font-size: 10.5pt; font-weight: 400; }
.issuer { font-size: 9pt; text-align: right; }
.issuer .name { font-size: 10.5pt; font-weight: 700; }
.quiet { margin-top: 1mm; color: #4a5058; font-size: 8.5pt; }
.lead { margin-top: 5mm; }
.total { display: flex; justify-content: space-between; align-items: baseline; margin-top: 3mm; padding: 2mm 5mm; background: #eef3f9; border: 0.3mm solid #1d3a5f; }
.total strong { font-size: 17pt; font-variant-numeric: tabular-nums; }
table { width: 100%; border-collapse: collapse; margin-top: 5mm; font-size: 9pt; line-height: 1.4; }
th, td { padding: 1mm 2mm; border-bottom: 0.2mm solid #c3c9d0; text-align: left; vertical-align: top; overflow-wrap: anywhere; }
thead { display: table-header-group; }
tfoot { display: table-row-group; }
thead th { background: #1d3a5f; color: #fff; font-size: 8.5pt; font-weight: 600; white-space: nowrap; }
thead th.yen { text-align: right; }
tfoot th, tfoot td { border-top: 0.4mm solid #1d3a5f; border-bottom: 0; font-weight: 700; }
tfoot th { text-align: right; }
tr { break-inside: avoid; }
.taxes { width: 60%; margin-left: auto; }
.yen { text-align: right; white-space: nowrap; font-variant-numeric: tabular-nums; }
.no { width: 9mm; text-align: right; white-space: nowrap; font-variant-numeric: tabular-nums; }
td.no { color: #4a5058; }
.item { font-weight: 600; white-space: nowrap; }
.class { white-space: nowrap; }
.lines .text { width: 36%; }
.why span { white-space: nowrap; }
.of, .why span { display: block; color: #4a5058; font-size: 8pt; font-variant-numeric: tabular-nums; }
.notes { margin-top: 5mm; break-inside: avoid; font-size: 8pt; line-height: 1.45; }
.notes h2 { font-size: 9pt; }
.notes ul { padding-left: 1.4em; }
@media print {
  body { background: #fff; -webkit-print-color-adjust: exact; print-color-adjust: exact; }
  main { max-width: none; min-height: 0; margin: 0; padding: 0; }
  footer { max-width: none; padding: 2mm 0 0; font-size: 8pt; }
}
`;
