import { createHash } from 'node:crypto'
import type { Comparison } from '../compare.ts'
import { formatAt, formatDate } from '../format.ts'
import type { Results, ServiceInfo, SubjectInfo } from '../results.ts'
import { comparisonSection } from './comparison-section.ts'
import { correctnessSection } from './correctness-section.ts'
import { type Content, html, Markup } from './html.ts'
import { kindLegend } from './kinds.ts'
import { machineSection } from './machine-section.ts'
import { prose, sentence } from './prose.ts'
import { scenarioId, scenarioSection } from './scenario-section.ts'
import { STYLE } from './style.ts'
import { summarySection } from './summary-section.ts'
import { tableMarkup } from './table.ts'

interface Section {
  readonly id: string
  readonly title: string
  readonly content: Content
  readonly inside?: readonly Anchor[]
}

interface Anchor {
  readonly id: string
  readonly title: string
}

/**
 * One HTML page that says what a run found: it needs no network, no script and no other file, and its policy allows none. The same
 * `results` give the same page. Every text of them is escaped.
 */
export function reportHtml(results: Results, compared?: Comparison): string {
  const sections = sectionsOf(results, compared)
  const title = `procref bench, ${formatDate(results.date)} UTC`
  const page = html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'sha256-${STYLE_HASH}'; base-uri 'none'; form-action 'none'">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="referrer" content="no-referrer">
<title>${title}</title>
<style>${new Markup(STYLE)}</style>
</head>
<body>
<a class="skip" href="#main">Skip to the results</a>
<div class="page">
<header><p class="brand">procref bench</p><h1>Sharing permits between processes: the comparison</h1>
<p class="when"><time datetime="${results.date}">${formatDate(results.date)} UTC</time> · ${results.scale} · ${results.machine.cpus}</p></header>
<nav aria-label="Contents">${contents(sections)}</nav>
<main id="main" tabindex="-1">
${sections.map(
  ({ id, title, content }) => html`<section aria-labelledby="${id}"><h2 id="${id}">${title}</h2>
${content}</section>
`,
)}</main>
<footer><p>Made by <code>procref bench</code> from one results document.</p></footer>
</div>
</body>
</html>
`
  return page.text
}

const STYLE_HASH = createHash('sha256').update(STYLE).digest('base64')

function sectionsOf(results: Results, compared: Comparison | undefined): readonly Section[] {
  const missing = [...results.subjects, ...results.services].filter(({ unavailable }) => unavailable !== undefined)
  const sections: Section[] = [{ id: 'summary', title: 'Summary', content: summarySection(results) }]
  if (compared !== undefined) {
    sections.push({
      id: 'compared',
      title: 'Compared with an earlier run',
      content: comparisonSection(results, compared),
    })
  }
  if (results.experiments.length > 0) {
    sections.push({ id: 'correctness', title: 'Correctness', content: correctnessSection(results) })
  }
  if (results.scenarios.length > 0) {
    const inside = results.scenarios.map((scenario) => ({ id: scenarioId(scenario), title: scenario.title }))
    const content = results.scenarios.map((scenario) => scenarioSection(results, scenario))
    sections.push({
      id: 'measurements',
      title: 'Measurements',
      content: [html`<div class="inside">${anchors(inside)}</div>`, kindLegend(results), content],
      inside,
    })
  }
  sections.push({
    id: 'subjects',
    title: 'What was compared',
    content: [
      subjectsTable(results.subjects),
      results.services.length === 0 ? undefined : servicesTable(results.services),
    ],
  })
  if (missing.length > 0) sections.push({ id: 'missing', title: 'Not measured here', content: missingList(missing) })
  sections.push({ id: 'machine', title: 'Machine, noise and method', content: machineSection(results) })
  return sections
}

function contents(sections: readonly Section[]): Markup {
  return html`<ol>
${sections.map(
  (section) => html`<li>${link(section)}${section.inside === undefined ? undefined : anchors(section.inside)}</li>
`,
)}</ol>`
}

/** In the contents of a wide page, and in the section itself on a narrow one. */
function anchors(inside: readonly Anchor[]): Markup {
  return html`<ol>${inside.map((one) => html`<li>${link(one)}</li>`)}</ol>`
}

function link({ id, title }: Anchor): Markup {
  return html`<a href="#${id}">${title}</a>`
}

function subjectsTable(subjects: readonly SubjectInfo[]): Markup {
  return tableMarkup({
    id: 'subjects-table',
    caption: 'Ways to share permits',
    heading: ['Subject', 'A permit is held by', 'Kind', 'Permits', 'Waits', 'Version'],
    look: 'texts',
    rows: subjects.map(({ title, summary, kind, maxSlots, waits, version, unavailable }) => [
      title,
      sentence(summary),
      kind,
      { content: formatAt(maxSlots), look: 'number' },
      sentence(waits),
      unavailable === undefined ? (version ?? '–') : 'not measured',
    ]),
  })
}

function servicesTable(services: readonly ServiceInfo[]): Markup {
  return tableMarkup({
    id: 'services-table',
    caption: 'Ways to come to a database',
    heading: ['Service', 'What it is', 'Kind', 'Version'],
    look: 'texts',
    rows: services.map(({ title, summary, kind, version, unavailable }) => [
      title,
      sentence(summary),
      kind,
      unavailable === undefined ? (version ?? '–') : 'not measured',
    ]),
  })
}

function missingList(missing: readonly (SubjectInfo | ServiceInfo)[]): Markup {
  return html`<dl>
${missing.map(
  ({
    title,
    unavailable,
  }) => html`<div><dt>${title}</dt><dd>${sentence(unavailable?.reason ?? '')} To have it measured: ${prose(unavailable?.remedy ?? '')}</dd></div>
`,
)}</dl>`
}
