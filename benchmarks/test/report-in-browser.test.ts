import { readFileSync } from 'node:fs'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { chromiumPath, eventually } from '@procref/testing'
import type { AxeResults } from 'axe-core'
import { type Browser, chromium, type Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { compare } from '../src/compare.ts'
import { reportHtml } from '../src/report/report.ts'
import { hostileReport } from './hostile.ts'
import { syntheticResults } from './synthetic-results.ts'

const executablePath = chromiumPath()

/** A whole browser starts, and axe looks at a long page, beside other tests. */
const HANGS_MS = 600_000
/** Of one request to the browser. */
const ANSWER_MS = 180_000

const WAYS = (['light', 'dark'] as const).flatMap((colorScheme) => [375, 1280].map((width) => ({ colorScheme, width })))

describe.skipIf(executablePath === undefined)('the report in Chromium', { timeout: HANGS_MS }, () => {
  let home: string
  let browser: Browser
  beforeAll(async () => {
    home = await mkdtemp(join(tmpdir(), 'procref-report-'))
    const results = syntheticResults()
    await writeFile(join(home, 'report.html'), reportHtml(results, compare(results, { ...results, scale: 'quick' })))
    await writeFile(join(home, 'hostile.html'), hostileReport())
    // As root, which tests in a container often are, there is no sandbox to be had; the pages are our own.
    browser = await chromium.launch({
      executablePath: executablePath ?? '',
      chromiumSandbox: process.getuid?.() !== 0,
      timeout: ANSWER_MS,
    })
  }, HANGS_MS)
  afterAll(async () => {
    await browser?.close()
    await rm(home, { recursive: true, force: true })
  })

  test.each(WAYS)(
    '$colorScheme, $width wide: nothing asked for, nothing complained of, nothing beyond the edge',
    async (way) => {
      await using shown = await show(browser, join(home, 'report.html'), way)
      const { page, complaints, requests } = shown
      expect(requests).toEqual([pathToFileURL(join(home, 'report.html')).href])
      expect(complaints).toEqual([])
      expect(await page.evaluate('document.documentElement.scrollWidth - document.documentElement.clientWidth')).toBe(0)
      expect(await page.evaluate('document.querySelectorAll("svg[role=img]").length')).toBeGreaterThan(40)
    },
  )

  // Each theme and each width once: contrast depends on the one, what is shown on the other.
  test.each([WAYS[0], WAYS[3]].filter((way) => way !== undefined))(
    '$colorScheme, $width wide: axe finds no violation, with every fold open',
    async (way) => {
      await using shown = await show(browser, join(home, 'report.html'), way)
      const { page } = shown
      await page.evaluate('for (const one of document.querySelectorAll("details")) one.open = true')
      await page.evaluate(readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8'))
      const { violations, passes } = await page.evaluate<AxeResults>('axe.run({ resultTypes: ["violations"] })')
      expect(violations.map(({ id, nodes }) => [id, nodes.slice(0, 3).map(({ html }) => html)])).toEqual([])
      expect(passes.length).toBeGreaterThan(20)
    },
  )

  test('the Tab key reaches every box that scrolls, first the link that skips to the results', async () => {
    await using shown = await show(browser, join(home, 'report.html'), { colorScheme: 'light', width: 375 })
    const { page } = shown
    await page.keyboard.press('Tab')
    expect(await page.evaluate('document.activeElement.textContent')).toBe('Skip to the results')
    await page.keyboard.press('Enter')
    expect(await page.evaluate('document.activeElement.id')).toBe('main')
    // Those in a closed fold are not there.
    const all = await page.evaluate<string[]>(`[...document.querySelectorAll('.scroll')]
      .filter((box) => box.checkVisibility()).map((box) => box.getAttribute('aria-labelledby'))`)
    expect(all.length).toBeGreaterThan(10)
    const reached = new Set<string>()
    const focusable = await page.evaluate<number>('document.querySelectorAll("a, summary, [tabindex]").length')
    for (let n = 0; n < focusable; n++) {
      await page.keyboard.press('Tab')
      const id = await page.evaluate<string | null>(`document.activeElement.getAttribute('aria-labelledby')`)
      if (id !== null) reached.add(id)
    }
    expect(all.filter((id) => !reached.has(id))).toEqual([])
  })

  test('a box that has the focus scrolls with the arrow keys', async () => {
    await using shown = await show(browser, join(home, 'report.html'), { colorScheme: 'light', width: 375 })
    const { page } = shown
    await page.evaluate(`document.querySelector('[aria-labelledby=summary-table]').focus()`)
    await page.keyboard.press('ArrowRight')
    // Not the page's own waiting: after its first look it is the page that evaluates, which its policy forbids.
    await eventually('it has scrolled', () =>
      page.evaluate<boolean>(`document.querySelector('[aria-labelledby=summary-table]').scrollLeft > 0`),
    )
  })

  test('hostile texts neither run nor load nor become elements', async () => {
    await using shown = await show(browser, join(home, 'hostile.html'), { colorScheme: 'light', width: 1280 })
    const { page, complaints, requests } = shown
    expect({ complaints, requests: requests.length }).toEqual({ complaints: [], requests: 1 })
    expect(await page.evaluate(`document.querySelectorAll('script, img, [onerror], [style]').length`)).toBe(0)
    expect(await page.title()).toContain('procref bench')
  })
})

interface Shown extends AsyncDisposable {
  readonly page: Page
  readonly complaints: readonly string[]
  readonly requests: readonly string[]
}

async function show(
  browser: Browser,
  path: string,
  { colorScheme, width }: { readonly colorScheme: 'light' | 'dark'; readonly width: number },
): Promise<Shown> {
  const context = await browser.newContext({ colorScheme, viewport: { width, height: 800 } })
  context.setDefaultTimeout(ANSWER_MS)
  const page = await context.newPage()
  const complaints: string[] = []
  const requests: string[] = []
  page.on('console', (message) => complaints.push(message.text()))
  page.on('pageerror', (error) => complaints.push(String(error)))
  page.on('request', (request) => requests.push(request.url()))
  await page.goto(pathToFileURL(path).href)
  return { page, complaints, requests, [Symbol.asyncDispose]: () => context.close() }
}
