// Makes the README's section of measured numbers from results/*.json. With `--check` it only says whether it is up to date.
import { readFileSync, writeFileSync } from 'node:fs'
import { round } from './statistics.mjs'

const BEGIN = '<!-- measured: made by benchmarks/src/readme.mjs -->'
const END = '<!-- /measured -->'
const readme = new URL('../../README.md', import.meta.url)

const lifecycle = read('lifecycle')
const claim = read('claim')
const wake = read('wake')
const section = `${BEGIN}
| measured, each line in one run | |
|---|---|
| cold connect: nothing runs, guardian and server are started | ${lifecycle.coldConnectMs} ms |
| warm connect: the server runs | ${lifecycle.warmConnectMs} ms, ${lifecycle.warmToBare} times the bare SDK's connect |
| memory of the guardian / of the server | ${lifecycle.guardianRssMb} MB / ${lifecycle.serverRssMb} MB |
| wake-ups of the idle guardian, all its threads | ${lifecycle.guardianWakeUpsPerSecond} a second |
| a slot claimed and released: \`native()\` / \`flock()\` | ${claim.ratioToFloor.native} / ${claim.ratioToFloor.flock} times the same system calls in C (${claim.microseconds.floor} µs); fs-ext alone, without a pool: ${claim.ratioToFloor['fs-ext']} |
| holder killed → a waiting claim of \`native()\` has its slot | ${ms(wake.wakeUs.native.p50)} ms, 99 % within ${ms(wake.wakeUs.native.p99)} ms (in C ${ms(wake.wakeUs.floor.p50)} and ${ms(wake.wakeUs.floor.p99)}) |
| the same in a full pool of a hundred slots / with \`flock()\`, which has to look now and then | ${ms(wake.wakeUs.nativeOf100.p50)} ms / ${ms(wake.wakeUs.flock.p50)} ms |
| a slot handed from waiter to waiter: 25 wait / 200 wait | ${ms(wake.herd.sizes[25].usPerHandover)} ms / ${ms(wake.herd.sizes[200].usPerHandover)} ms each |

${lifecycle.machine}, SurrealDB ${lifecycle.server} (rocksdb), medians; ${dates(lifecycle, claim, wake)}.
${END}`

function read(name) {
  return JSON.parse(readFileSync(new URL(`../results/${name}.json`, import.meta.url), 'utf8'))
}

function ms(microseconds) {
  return round(microseconds / 1000)
}

function dates(...results) {
  return [...new Set(results.map(({ date }) => date))].join(', ')
}

const before = readFileSync(readme, 'utf8')
const from = before.indexOf(BEGIN)
const to = before.indexOf(END)
if (from === -1 || to === -1) throw new Error(`README.md has no section between ${BEGIN} and ${END}`)
const after = before.slice(0, from) + section + before.slice(to + END.length)
if (!process.argv.includes('--check')) writeFileSync(readme, after)
else if (after !== before) {
  console.error('The numbers in README.md are not those of benchmarks/results: run node benchmarks/src/readme.mjs')
  process.exitCode = 1
}
