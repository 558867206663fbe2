// Makes the tables of docs/reliability.md on power cuts from what the soak measured, tests/soak/results/power-cut.json.
//   node docs/power-cut.mjs             writes them
//   node docs/power-cut.mjs --check     changes nothing: do they say what was measured?
import { readFileSync, writeFileSync } from 'node:fs'

const BEGIN = '<!-- made by docs/power-cut.mjs -->'
const END = '<!-- /made by docs/power-cut.mjs -->'

const page = new URL('./reliability.md', import.meta.url)
const measured = JSON.parse(readFileSync(new URL('../tests/soak/results/power-cut.json', import.meta.url), 'utf8'))

const before = readFileSync(page, 'utf8')
const [from, to] = [before.indexOf(BEGIN), before.indexOf(END)]
if (from === -1 || to < from) throw new Error(`docs/reliability.md has no place between ${BEGIN} and ${END}`)
const text = `${before.slice(0, from)}${BEGIN}\n${section(measured)}\n${before.slice(to)}`

if (process.argv[2] !== '--check') writeFileSync(page, text)
else if (text !== before) {
  console.error(
    'docs/reliability.md does not say what tests/soak/results/power-cut.json does: run node docs/power-cut.mjs',
  )
  process.exitCode = 1
}

function section({ results }) {
  const under = (when) => results.filter((one) => one.when === when)
  const cuts = results.reduce((sum, one) => sum + one.cuts, 0)
  const parts = [
    ['While two processes write:', 'writing'],
    ['Right after the server has stopped in order, because its last client had left:', 'stopped'],
    ['At a random moment of a first start, after which a client connects and writes a row:', 'first start'],
  ]
  return [
    `${cuts} cuts: ${[...new Set(results.map(circumstances))].sort().join('; ')}.`,
    ...parts.flatMap(([what, when]) => (under(when).length === 0 ? [] : ['', what, '', table(under(when))])),
  ].join('\n')
}

function circumstances({ date, machine }) {
  return `${date.slice(0, 10)}, Linux ${machine.kernel.split('-')[0]}, Node ${machine.node.slice(1)}, ${machine.cores} cores`
}

function table(results) {
  const drivers = [...new Set(results.map(({ driver }) => driver))].sort()
  const names = { binary: 'a `surreal` executable', embedded: 'the embedded engine' }
  const kinds = [...new Map(results.map(({ storage, sync }) => [`${storage} ${sync}`, { storage, sync }])).values()]
  const rows = kinds.map(({ storage, sync }) => {
    const cells = drivers.map((driver) =>
      cell(results.find((one) => one.driver === driver && one.storage === storage && one.sync === sync)),
    )
    return [storage, `\`${sync}\``, ...cells]
  })
  const lines = [
    ['storage', '`sync`', ...drivers.map((driver) => names[driver])],
    ['---', '---', ...drivers.map(() => '---')],
    ...rows,
  ]
  return lines.map((line) => `| ${line.join(' | ')} |`).join('\n')
}

/** How many of the cuts lost how much: in the middle, and at most. */
function cell(one) {
  if (one === undefined) return 'not measured'
  const { cuts, cutsThatLost, lostMs, lostRows, gaps } = one
  const lost =
    cutsThatLost === 0
      ? `${cuts} cuts: nothing lost`
      : `${cutsThatLost} of ${cuts} cuts: the last ${duration(lostMs.median)} (${rows(lostRows.median)}), at most ${duration(lostMs.max)} (${rows(lostRows.max)})`
  return [lost, ...(gaps > 0 ? [`${rows(gaps)} missing among others`] : []), ...refused(one)].join('; ')
}

function refused(one) {
  return Object.keys(one.refused).length === 0 ? [] : [`does not start: ${refusals(one)}`]
}

function refusals(one) {
  return Object.entries(one.refused)
    .map(([code, count]) => `\`${code}\` ${count} of ${one.cuts} times`)
    .join(', ')
}

function duration(ms) {
  return ms < 1000 ? `${ms} ms` : `${(ms / 1000).toFixed(1)} s`
}

function rows(count) {
  return `${count.toLocaleString('en')} ${count === 1 ? 'row' : 'rows'}`
}
