import { pageStyle } from '../page/style.ts';

/** The page's style with forms. */
export const settingsStyle = `${pageStyle}
form{margin:.75rem 0}
label{display:block;margin:.75rem 0 .25rem}
label.choice{display:flex;gap:.6rem;align-items:center;margin:.35rem 0;min-height:2rem}
input[type=password]{font:inherit;width:100%;max-width:24rem;padding:.55rem .7rem;border:1px solid var(--soft);border-radius:.4rem;background:var(--paper);color:var(--ink)}
input[type=radio],input[type=checkbox]{width:1.25rem;height:1.25rem;margin:0;flex:none}
button{font:inherit;font-weight:700;border-radius:.4rem;padding:.55rem 1.4rem;border:2px solid var(--link);background:var(--link);color:var(--paper);cursor:pointer;margin:.4rem .6rem .4rem 0}
button.second{background:var(--paper);color:var(--link)}
button:focus-visible,input:focus-visible{outline:3px solid var(--link);outline-offset:2px}
.said{background:var(--busy-bg);color:var(--busy);border-radius:.6rem;padding:.75rem 1.25rem;font-weight:700}
.said.attention{background:var(--attention-bg);color:var(--attention)}
.waits{border-top:1px solid var(--line);padding:.75rem 0}
.waits h3{margin:0;font-size:1.05rem}
.waits form{display:inline}
.top{display:flex;flex-wrap:wrap;justify-content:space-between;align-items:center;gap:.5rem}
.top form{margin:0}
`;
