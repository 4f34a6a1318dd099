/** The page's style, as it stands in it: its hash is the only style that the page's policy allows. Readable on an old telephone and in the dark. */
export const pageStyle = `
:root{--ink:#1c2430;--soft:#53606f;--line:#d5dbe3;--paper:#fff;--ground:#f2f4f7;--link:#0b57a4;--good:#12662f;--good-bg:#e0f2e5;--busy:#0b4f8a;--busy-bg:#e1edf9;--attention:#8a3b00;--attention-bg:#fdecdc;--quiet:#46515e;--quiet-bg:#e9edf1}
@media(prefers-color-scheme:dark){:root{--ink:#e9edf2;--soft:#a9b4c0;--line:#3a444f;--paper:#1b2129;--ground:#12161b;--link:#8ec2ff;--good:#9fe0b2;--good-bg:#173822;--busy:#a8d0ff;--busy-bg:#152f4b;--attention:#ffc793;--attention-bg:#452708;--quiet:#c3ccd6;--quiet-bg:#2a323b}}
*{box-sizing:border-box}
body{margin:0;background:var(--ground);color:var(--ink);font:1rem/1.75 system-ui,"Hiragino Sans","Hiragino Kaku Gothic ProN","Noto Sans JP","Noto Sans CJK JP","Yu Gothic UI",Meiryo,sans-serif;overflow-wrap:anywhere;word-break:auto-phrase}
header,main,footer{max-width:60rem;margin:0 auto;padding:0 1rem}
header{padding-top:1rem}
h1{font-size:1.6rem;line-height:1.4;margin:.25rem 0}
h2{font-size:1.2rem;line-height:1.5;margin:0 0 .5rem}
p{margin:.5rem 0}
a{color:var(--link)}
a:focus-visible,summary:focus-visible{outline:3px solid var(--link);outline-offset:2px;border-radius:.25rem}
.language{text-align:right;margin:0}
.language a{display:inline-block;padding:.4rem .2rem}
dl{margin:.75rem 0;display:grid;gap:.25rem}
dl div{display:grid;grid-template-columns:9rem 1fr;gap:.75rem;padding:.25rem 0}
.facts{display:flex;flex-wrap:wrap;gap:.25rem 2.25rem;border-top:1px solid var(--line);border-bottom:1px solid var(--line);padding:.5rem 0}
.facts div{grid-template-columns:auto auto;gap:.75rem}.facts dd{white-space:nowrap}
dt{color:var(--soft)}
dd{margin:0}
.name{display:flex;flex-wrap:wrap;align-items:center;gap:.4rem 1rem}.name h2{margin:0}
article,section,.empty{background:var(--paper);border:1px solid var(--line);border-radius:.6rem;padding:1.1rem 1.25rem;margin:1rem 0}
.state{display:inline-block;font-weight:700;border-radius:2rem;padding:.15rem .9rem;margin:0}
.label{position:absolute;width:1px;height:1px;overflow:hidden;clip-path:inset(50%)}
.good{color:var(--good)}.state.good{background:var(--good-bg)}
.busy{color:var(--busy)}.state.busy{background:var(--busy-bg)}
.attention{color:var(--attention)}.state.attention{background:var(--attention-bg)}
.quiet{color:var(--quiet)}.state.quiet{background:var(--quiet-bg)}
.reason{border-left:4px solid var(--attention);padding:.1rem 0 .1rem .9rem}
.actions{display:flex;flex-wrap:wrap;align-items:center;gap:.5rem 1.25rem}.actions a:not(.open){padding:.5rem 0}
dl.wide div{grid-template-columns:13rem 1fr}
.history th,.history td:first-child{white-space:nowrap}
section>details:first-child{border-top:0}
h3{font-size:1rem;margin:1rem 0 .25rem}
.name h1{margin:0}
.open{display:inline-block;background:var(--link);color:var(--paper);text-decoration:none;font-weight:700;border-radius:.4rem;padding:.55rem 1.4rem}
details{border-top:1px solid var(--line)}
p+details{margin-top:1.1rem}
summary{padding:.6rem 0;cursor:pointer}
table{border-collapse:collapse;width:100%;margin:.5rem 0}
th,td{text-align:left;vertical-align:top;padding:.5rem .75rem .5rem 0;border-bottom:1px solid var(--line)}
th{color:var(--soft);font-weight:400}
.amount strong{font-size:1.6rem}
.amount span{color:var(--soft)}
meter{width:100%;height:1.1rem}
.empty{text-align:center;padding:2.5rem 1rem}
footer{color:var(--soft);padding-bottom:2rem;font-size:.9rem}
@media(max-width:34rem){.facts{flex-direction:column}article dl div,section dl div,dl.wide div{grid-template-columns:1fr;gap:0;padding:.35rem 0}thead{position:absolute;width:1px;height:1px;overflow:hidden;clip-path:inset(50%)}tr{display:block;border-bottom:1px solid var(--line);padding:.4rem 0}td{display:block;border:0;padding:.2rem 0}td:empty{display:none}td::before{content:attr(data-name);display:block;color:var(--soft);font-size:.9rem}.open{display:block;text-align:center}}
@media print{body{background:none}article,section{break-inside:avoid}}
`;
