/** The style sheet of the report. The page's policy allows this text and no other style, so no element has a style of its own. */
export const STYLE = `
:root {
  color-scheme: light dark;
  --paper: #ffffff; --raised: #f5f6f8; --text: #1c2127; --muted: #57606b; --faint: #e8ebee; --line: #cdd2d9; --ghost: #b9c0c9;
  --link: #0b5cad; --good: #00694d; --bad: #a8321a;
  --procref: #0072b2; --floor: #1c2127; --library: #bf4d00; --service: #007d5c; --program: #a3437a; --other: #6a737d;
}
@media (prefers-color-scheme: dark) {
  :root {
    --paper: #14171b; --raised: #1d2127; --text: #e7eaee; --muted: #a3acb7; --faint: #262b32; --line: #3a424c; --ghost: #525d6a;
    --link: #7cbcf5; --good: #4fd0a8; --bad: #ff9b85;
    --procref: #56b4e9; --floor: #e7eaee; --library: #f0a03c; --service: #35cda0; --program: #e79cc8; --other: #98a2ae;
  }
}
* { box-sizing: border-box; }
html { font: 100%/1.55 system-ui, -apple-system, "Segoe UI", Roboto, "Liberation Sans", sans-serif; scroll-padding-top: 1rem; -webkit-text-size-adjust: 100%; }
body { margin: 0; background: var(--paper); color: var(--text); }
.page { display: grid; grid-template-columns: minmax(0, 1fr); max-width: 56rem; margin: 0 auto; padding: 0 1rem 4rem; }
h1, h2, h3 { line-height: 1.25; text-wrap: balance; }
h1 { font-size: 1.9rem; letter-spacing: -0.015em; margin: 0.1rem 0 0.4rem; }
h2 { font-size: 1.45rem; letter-spacing: -0.01em; margin: 3.5rem 0 0.75rem; padding-top: 0.9rem; border-top: 2px solid var(--text); }
h3 { font-size: 1.15rem; margin: 2.75rem 0 0.5rem; }
h2 + h3 { margin-top: 1.25rem; }
main > section:first-child h2 { margin-top: 1rem; }
p, ul, dl, ol { margin: 0.6rem 0; }
p, li, dd { overflow-wrap: anywhere; }
main p, main > section > ul { max-width: 44rem; }
a { color: var(--link); text-underline-offset: 0.15em; text-decoration-thickness: 1px; }
code { font: 0.9em ui-monospace, "SF Mono", Menlo, Consolas, "Liberation Mono", monospace; background: var(--raised); padding: 0.1em 0.3em; border-radius: 3px; }
:focus-visible { outline: 3px solid var(--link); outline-offset: 2px; border-radius: 2px; }
main:focus { outline: none; }
header { padding: 2.5rem 0 1.25rem; }
.brand { margin: 0; color: var(--muted); font-weight: 600; font-size: 0.9rem; }
.when { margin: 0; color: var(--muted); font-size: 0.95rem; }
nav { font-size: 0.9rem; line-height: 1.4; }
nav > ol { columns: 2; }
nav ol { list-style: none; padding: 0; margin: 0; }
nav ol ol { display: none; padding-left: 0.9rem; border-left: 1px solid var(--line); margin: 0.35rem 0 0.35rem 0.1rem; }
nav li { padding: 0.2rem 0; }
nav a { color: var(--text); text-decoration: none; }
nav a:hover { text-decoration: underline; }
nav ol ol a { color: var(--muted); }
.inside { font-size: 0.95rem; }
.lead { font-size: 1.1rem; }
.key-points { padding-left: 1.1rem; }
.key-points li { margin: 0.35rem 0; }
.question { font-size: 1.02rem; color: var(--muted); font-style: italic; margin-top: 0; }
.finding { font-weight: 500; }
figcaption { margin-top: 0.6rem; }
.method, figcaption { color: var(--muted); font-size: 0.9rem; max-width: 44rem; }
.method b { color: var(--text); font-weight: 600; }

.scroll { position: relative; overflow-x: auto; margin: 1.75rem 0; border-bottom: 1px solid var(--line); }
table { border-collapse: collapse; width: 100%; font-size: 0.9rem; line-height: 1.4; font-variant-numeric: tabular-nums; }
caption span { position: sticky; left: 0; display: inline-block; max-width: min(56rem, calc(100vw - 2rem)); }
caption { text-align: left; font-weight: 600; padding: 0 0 0.4rem; font-size: 0.95rem; }
th, td { padding: 0.4rem 0.7rem; text-align: left; vertical-align: top; border-top: 1px solid var(--faint); }
tbody th { padding-left: 0; font-weight: 500; min-width: 8rem; }
thead th { vertical-align: bottom; font-weight: 600; color: var(--muted); border-top: 1px solid var(--line); border-bottom: 1px solid var(--line); }
thead th:first-child { padding-left: 0; }
thead a { color: inherit; text-decoration-color: var(--line); }
thead a:hover { text-decoration-color: currentColor; }
.numbers td, .numbers thead th:not(:first-child) { text-align: right; }
.second-is-text thead th:nth-child(2), .second-is-text td:nth-child(2) { text-align: left; }
.numbers td { white-space: nowrap; }
.numbers td.text { white-space: normal; min-width: 10rem; }
td.key { font-weight: 600; }
.at { display: block; font-weight: 400; color: var(--muted); font-size: 0.85em; }
.summary thead th { min-width: 7rem; font-size: 0.9em; }
.summary tbody th { min-width: 11rem; }
.verdicts thead th, .verdicts td { min-width: 9.5rem; }
.verdicts thead th { font-size: 0.92em; }
.texts td { min-width: 6rem; }
.texts td:nth-of-type(1), .texts td:nth-of-type(4) { min-width: 14rem; }
.holds .mark, td.holds, dt .holds { color: var(--good); }
.breaks .mark, td.breaks, dt .breaks { color: var(--bad); }
.verdicts td.holds, .verdicts td.breaks { color: inherit; }
td.breaks, td.holds { font-weight: 500; }
.verdicts td { font-weight: 400; }
.verdicts td.breaks { background: color-mix(in srgb, var(--bad) 9%, transparent); }
.mark { font-weight: 700; margin-right: 0.35em; }
td.number { text-align: right; }
td.none, td.missing, td.unanswered, td.not-applicable, dt .unanswered, dt .not-applicable { color: var(--muted); font-weight: 400; }
@media (max-width: 40rem) {
  table { font-size: 0.85rem; }
  th, td { padding-left: 0.35rem; padding-right: 0.35rem; }
  tbody th { min-width: 6.5rem; }
  .summary tbody th { min-width: 9rem; }
}
@media (min-width: 40rem) {
  .scroll tbody th, .scroll thead th:first-child { position: sticky; left: 0; background: var(--paper); z-index: 1; }
}

details { margin: 0.6rem 0; }
details + details { margin-top: -0.3rem; }
summary { cursor: pointer; color: var(--link); padding: 0.25rem 0; font-size: 0.95rem; }
dt { font-weight: 600; }
dt span { font-weight: 500; font-size: 0.9em; margin-left: 0.3em; }
dd { margin: 0 0 0.7rem; max-width: 44rem; }
.facts { display: grid; gap: 0 2rem; grid-template-columns: repeat(auto-fill, minmax(min(100%, 20rem), 1fr)); font-size: 0.95rem; }
.facts > div { border-top: 1px solid var(--faint); padding: 0.35rem 0; display: grid; grid-template-columns: 9.5rem minmax(0, 1fr); gap: 0.75rem; }
.facts dt { color: var(--muted); font-weight: 400; }
.facts dd { margin: 0; }
.failed { border-left: 4px solid var(--bad); padding-left: 0.9rem; }
.left-out { font-size: 0.9rem; color: var(--muted); }
.left-out p, .failed p { margin-bottom: 0.2rem; }
.left-out ul, .failed ul { margin-top: 0; padding-left: 1.1rem; }

figure { margin: 1.25rem 0; }
svg { display: block; width: 100%; height: auto; overflow: visible; font-family: inherit; font-variant-numeric: tabular-nums; }
.narrow { max-width: 30rem; }
.wide { display: none; }
@media (min-width: 48rem) {
  .wide { display: block; }
  .narrow { display: none; }
}
.legend { list-style: none; padding: 0; display: flex; flex-wrap: wrap; gap: 0.3rem 1.4rem; font-size: 0.9rem; }
.legend li { display: flex; align-items: center; gap: 0.45rem; }
.legend svg { width: 1rem; height: 1rem; }
.panels { list-style: none; padding: 0; margin: 0; display: grid; gap: 1.4rem 1.5rem; grid-template-columns: repeat(auto-fill, minmax(min(100%, 15.5rem), 1fr)); max-width: none; }
.panels li { display: grid; grid-template-rows: subgrid; grid-row: span 3; row-gap: 0; }
.panel-title { font-weight: 600; font-size: 0.95rem; line-height: 1.3; margin: 0; }
.panel-note { color: var(--muted); font-size: 0.85rem; margin: 0; }
.panel-note sup { line-height: 0; }
footer { margin-top: 4rem; border-top: 1px solid var(--line); color: var(--muted); font-size: 0.9rem; }

@media (min-width: 75rem) {
  .page { grid-template-columns: 15rem minmax(0, 56rem); column-gap: 3rem; max-width: 76rem; }
  header, footer, main { grid-column: 2; }
  nav { grid-column: 1; grid-row: 1 / 4; position: sticky; top: 0; align-self: start; max-height: 100vh; overflow-y: auto; padding: 2.5rem 0; }
  nav > ol { columns: auto; }
  nav ol ol { display: block; }
  .inside { display: none; }
}

.skip { position: absolute; left: -100vw; }
.skip:focus { left: 1rem; top: 0.5rem; background: var(--paper); padding: 0.4rem 0.8rem; border: 2px solid var(--link); z-index: 3; }
.unseen { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); white-space: nowrap; }
@media (forced-colors: active) { .verdicts td.breaks { outline: 1px solid; } }
@media (prefers-reduced-motion: no-preference) { html { scroll-behavior: smooth; } }
@media print {
  :root {
    color-scheme: light;
    --paper: #ffffff; --raised: #ffffff; --text: #000000; --muted: #444444; --faint: #dddddd; --line: #aaaaaa; --ghost: #b9c0c9; --link: #000000;
    --good: #00694d; --bad: #a8321a;
    --procref: #0072b2; --floor: #000000; --library: #bf4d00; --service: #007d5c; --program: #a3437a; --other: #6a737d;
  }
  html { font-size: 9.5pt; }
  .page { display: block; max-width: none; padding: 0; }
  nav, .skip { display: none; }
  h2 { break-after: avoid; } h3 { break-after: avoid; }
  figure svg, tr, .panels li, .facts > div { break-inside: avoid; }
  .scroll { overflow: visible; }
  .scroll tbody th, .scroll thead th:first-child { position: static; }
  .numbers td { white-space: normal; }
  th, td { padding: 0.2rem 0.35rem; }
  .summary thead th, .summary tbody th, .verdicts thead th, .verdicts td, .texts td, tbody th { min-width: 0; }
  details::details-content { content-visibility: visible; display: block; }
  summary { list-style: none; color: var(--text); font-weight: 600; }
}
`
