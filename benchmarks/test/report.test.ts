import { createHash } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import { compare } from '../src/compare.ts'
import { reportHtml } from '../src/report/report.ts'
import type { Results } from '../src/results.ts'
import { HOSTILE, hostileReport } from './hostile.ts'
import { syntheticResults } from './synthetic-results.ts'

describe('the report', () => {
  const results = syntheticResults()
  const page = reportHtml(results, compare(results, results))

  test('is the same for the same results', () => {
    expect(reportHtml(structuredClone(results), compare(results, results)) === page).toBe(true)
  })

  test('allows its own style and nothing else, and keeps to it', () => {
    const [, style = ''] = /<style>([\s\S]*?)<\/style>/.exec(page) ?? []
    const hash = createHash('sha256').update(style).digest('base64')
    expect(page).toContain(
      `content="default-src 'none'; style-src 'sha256-${hash}'; base-uri 'none'; form-action 'none'"`,
    )
    expect(found(page, /<style/g)).toHaveLength(1)
    expect(found(page, /<[^>]* style=/g)).toEqual([])
    expect(found(page, /<(?:script|link|img|iframe|object|embed|base|form)\b/g)).toEqual([])
    // An attribute that loads is one with an address; ours are anchors of the page.
    expect(found(page, / (?:href|src)="(?!#)[^"]*"/g)).toEqual([])
    expect(found(page, /url\(|@import/g)).toEqual([])
  })

  test('names each place once, and every anchor and reference has its place', () => {
    const ids = [...page.matchAll(/ id="([^"]*)"/g)].map(([, id]) => id)
    expect(new Set(ids).size).toBe(ids.length)
    const asked = [...page.matchAll(/ (?:href="#|aria-labelledby="|aria-describedby=")([^"]*)"/g)].map(([, id]) => id)
    expect(asked.length).toBeGreaterThan(50)
    expect(asked.filter((id) => !ids.includes(id))).toEqual([])
  })

  test('names every subject, scenario, experiment and goal of its document', () => {
    const text = visibleText(page)
    for (const { title } of results.subjects) expect(text).toContain(title)
    for (const { title, question, method } of results.scenarios) {
      for (const said of [title, question, method]) expect(text).toContain(said)
    }
    for (const { goal } of results.goals) expect(text).toContain(goal)
    for (const { title, finding, evidence } of results.experiments) {
      for (const said of [title, finding, evidence]) expect(text).toContain(said)
    }
  })

  test('says what was not measured, why, and how to get it; what was left out, and what failed', () => {
    const text = visibleText(page)
    expect(text).toContain(
      'There is no Rust compiler (rustc) on the PATH. To have it measured: apt-get install rustc cargo',
    )
    expect(text).toContain('It works within one process only, and here are several.')
    expect(text).toContain('The 17th process gave up after 30 s: its folder was renewed by another one.')
    expect(text).toContain('There is no docker. To have it measured: apt install docker.io')
    expect(text).toContain('✗ missed')
  })

  test('has the numbers of every chart in a table', () => {
    const text = visibleText(page)
    for (const { series } of results.scenarios) {
      for (const { points } of series) {
        for (const { p50, n } of points) {
          expect(text).toContain(shortly(p50))
          expect(text).toContain(String(n))
        }
      }
    }
  })

  test('tells a machine that was uneven from one that was not', () => {
    expect(visibleText(page)).toContain('The machine was even during this run')
    const uneven: Results = { ...results, noise: { ...results.noise, spread: 1.8, steal: 0.1, loadBefore: 9 } }
    const text = visibleText(reportHtml(uneven))
    expect(text).toContain('cite no absolute time')
    expect(text).toContain('The hypervisor gave 10 %')
    expect(text).toContain('The machine was busy before the run began')
  })

  test('is a page, too, when nothing was measured or nothing is there', () => {
    const none: Results = { ...results, subjects: [], services: [], scenarios: [], experiments: [], goals: [] }
    expect(visibleText(reportHtml(none))).toContain('Machine and versions')
    const frames = results.scenarios.map((one) => ({ ...one, series: [] }))
    expect(visibleText(reportHtml({ ...results, scenarios: frames }))).toContain('Nothing was measured.')
  })

  test('draws medians of 0, a single value, and names that no subject has', () => {
    const point = { n: 1, min: 0, p50: 0, p90: 0, p99: 0, max: 0, interval: [0, 0] as const, samples: [0] }
    const [first] = results.scenarios
    if (first === undefined) throw new Error('there is a scenario')
    const page = reportHtml({ ...results, scenarios: [{ ...first, series: [{ subject: 'nobody', points: [point] }] }] })
    expect(found(page, /NaN|Infinity|undefined/g)).toEqual([])
    expect(visibleText(page)).toContain('nobody')
  })

  test('never shows a number that is none', () => {
    expect(found(page, /NaN|Infinity|undefined|\[object/g)).toEqual([])
  })
})

test('no text of the document becomes markup, wherever it stands', () => {
  const page = hostileReport()
  expect(page.split('&lt;/title&gt;').length).toBeGreaterThan(500)
  expect(found(page, /<(?:script|img)\b/g)).toEqual([])
  expect(found(page, /<\/style>/g)).toHaveLength(1)
  expect(found(page, /<\/title>/g)).toHaveLength(1 + (page.match(/<title id=/g)?.length ?? 0))
  expect(found(page, /<[^>]* (?:style|onerror)=/g)).toEqual([])
  expect(visibleText(page)).toContain(HOSTILE.replaceAll('`', ''))
})

/** Where something stands in the page, so that a failure does not show all of it. */
function found(page: string, what: RegExp): readonly string[] {
  return page.match(what) ?? []
}

/** Of what a reader sees, roughly: without tags, entities decoded. */
function visibleText(page: string): string {
  return page
    .replace(/<style>[\s\S]*?<\/style>/, '')
    .replace(/<[^>]+>/g, '')
    .replaceAll('&lt;', '<')
    .replaceAll('&gt;', '>')
    .replaceAll('&quot;', '"')
    .replaceAll('&#39;', "'")
    .replaceAll('&amp;', '&')
    .replaceAll('\u00a0', ' ')
}

/** As the tables show it. */
function shortly(value: number): string {
  const digits = new Intl.NumberFormat('en', { maximumFractionDigits: 0 })
  return value >= 1_000 ? digits.format(Number(value.toPrecision(3))) : value.toPrecision(3)
}
