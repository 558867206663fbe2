// Makes docs/benchmarks.md, and the README's section of measured numbers, from results/full.json (`procref bench --scale full`) and
// results/bounds.json and results/wake.json (`node benchmarks/dist/bounds-profile.js --save`, `…/wake-profile.js --save`).
// With `--check` it only says whether both are up to date. Nothing on them is typed by hand.
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { readResults } from './dist/index.js'
import { benchmarksPage, readmeSection } from './dist/pages.js'

const BEGIN = '<!-- measured: made by benchmarks/pages.mjs -->'
const END = '<!-- /measured -->'

const source = new URL('results/full.json', import.meta.url)
const results = readResults(readFileSync(source, 'utf8'), 'benchmarks/results/full.json')
const readme = new URL('../README.md', import.meta.url)
const page = new URL('../docs/benchmarks.md', import.meta.url)

update(readme, between(readFileSync(readme, 'utf8'), readmeSection(results)))
update(page, benchmarksPage(results, { bounds: profile('bounds'), wake: profile('wake') }))

function profile(name) {
  const file = new URL(`results/${name}.json`, import.meta.url)
  return existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')) : undefined
}

function between(text, section) {
  const [from, to] = [text.indexOf(BEGIN), text.indexOf(END)]
  if (from === -1 || to === -1) throw new Error(`README.md has no section between ${BEGIN} and ${END}`)
  return `${text.slice(0, from)}${BEGIN}\n${section}\n${text.slice(to)}`
}

function update(file, text) {
  const before = (() => {
    try {
      return readFileSync(file, 'utf8')
    } catch (error) {
      if (error.code === 'ENOENT') return undefined
      throw error
    }
  })()
  if (before === text) return
  if (!process.argv.includes('--check')) return writeFileSync(file, text)
  console.error(`${file.pathname} does not show benchmarks/results: run node benchmarks/pages.mjs`)
  process.exitCode = 1
}
