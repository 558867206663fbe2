// Makes docs/benchmarks.md, the README's section of measured numbers and those of docs/scaling.md, from results/full.json (`procref bench
// --scale full`), results/bounds.json and results/wake.json (`node benchmarks/dist/bounds-profile.js --save`, `…/wake-profile.js --save`), and
// for docs/scaling.md the soak's load.json and dump.json. With `--check` it only says whether they are up to date. No number on them is typed
// by hand.
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { readResults } from './dist/index.js'
import { benchmarksPage, readmeSection } from './dist/pages.js'
import { scalingSections } from './dist/scaling-sections.js'

const source = new URL('results/full.json', import.meta.url)
const results = readResults(readFileSync(source, 'utf8'), 'benchmarks/results/full.json')
const readme = new URL('../README.md', import.meta.url)
const page = new URL('../docs/benchmarks.md', import.meta.url)
const scaling = new URL('../docs/scaling.md', import.meta.url)

update(readme, between(readme, readFileSync(readme, 'utf8'), 'measured', readmeSection(results)))
update(
  scaling,
  Object.entries(scalingSections(results, soak('load'), soak('dump'))).reduce(
    (text, [name, section]) => between(scaling, text, `measured ${name}`, section),
    readFileSync(scaling, 'utf8'),
  ),
)
update(page, benchmarksPage(results, { bounds: profile('bounds'), wake: profile('wake') }))

function profile(name) {
  const file = new URL(`results/${name}.json`, import.meta.url)
  return existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')) : undefined
}

function soak(name) {
  return JSON.parse(readFileSync(new URL(`../tests/soak/results/${name}.json`, import.meta.url), 'utf8'))
}

function between(file, text, name, section) {
  const [begin, end] = [`<!-- ${name}: made by benchmarks/pages.mjs -->`, `<!-- /${name} -->`]
  const [from, to] = [text.indexOf(begin), text.indexOf(end)]
  if (from === -1 || to === -1) throw new Error(`${file.pathname} has no section between ${begin} and ${end}`)
  return `${text.slice(0, from)}${begin}\n${section}\n${text.slice(to)}`
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
  console.error(`${file.pathname} does not show what was measured: run node benchmarks/pages.mjs`)
  process.exitCode = 1
}
