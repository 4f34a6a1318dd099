/** How the invoice looks, on a screen and on A4 paper. */
export const invoiceStyle = `
@page { size: A4; margin: 16mm 15mm 18mm; }
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
.parties { display: flex; justify-content: space-between; gap: 10mm; margin-top: 8mm; }
.parties > div { flex: 1 1 0; min-width: 0; overflow-wrap: anywhere; }
.recipient .name { padding-bottom: 1mm; border-bottom: 0.2mm solid #7a828c; font-size: 13pt; font-weight: 700; }
.honorific { margin-left: 0.5em; font-size: 10.5pt; font-weight: 400; }
.issuer { font-size: 9pt; text-align: right; white-space: pre-line; }
.issuer .name { font-size: 10.5pt; font-weight: 700; }
.quiet { margin-top: 1mm; color: #4a5058; font-size: 8.5pt; }
.lead { margin-top: 8mm; }
.total { display: flex; justify-content: space-between; align-items: baseline; margin-top: 3mm; padding: 3mm 5mm; background: #eef3f9; border: 0.3mm solid #1d3a5f; }
.total strong { font-size: 17pt; font-variant-numeric: tabular-nums; }
table { width: 100%; border-collapse: collapse; margin-top: 6mm; font-size: 9pt; }
th, td { padding: 1.3mm 2mm; border-bottom: 0.2mm solid #c3c9d0; text-align: left; vertical-align: top; overflow-wrap: anywhere; }
thead { display: table-header-group; }
tfoot { display: table-row-group; }
thead th { background: #1d3a5f; color: #fff; font-size: 8.5pt; font-weight: 600; white-space: nowrap; }
tfoot th, tfoot td { border-top: 0.4mm solid #1d3a5f; border-bottom: 0; font-weight: 700; }
tfoot th { text-align: right; }
tr { break-inside: avoid; }
.taxes { width: 60%; margin-left: auto; }
.yen { text-align: right; white-space: nowrap; font-variant-numeric: tabular-nums; }
.no { width: 9mm; text-align: right; color: #4a5058; font-variant-numeric: tabular-nums; }
.item { font-weight: 600; white-space: nowrap; }
.class { white-space: nowrap; }
.of, .why span { display: block; color: #4a5058; font-size: 8pt; font-variant-numeric: tabular-nums; }
.notes { margin-top: 7mm; break-inside: avoid; font-size: 8.5pt; }
.notes h2 { font-size: 9pt; }
.notes ul { padding-left: 1.4em; }
@media print {
  body { background: #fff; -webkit-print-color-adjust: exact; print-color-adjust: exact; }
  main { max-width: none; min-height: 0; margin: 0; padding: 0; }
  footer { position: fixed; right: 0; bottom: -11mm; left: 0; max-width: none; padding: 0; }
}
`;
