// Makes the README's section of measured numbers from results/lifecycle.json. With `--check` it only says whether it is up to date.
import { readFileSync, writeFileSync } from 'node:fs'

const BEGIN = '<!-- measured: made by benchmarks/src/readme.mjs -->'
const END = '<!-- /measured -->'
const readme = new URL('../../README.md', import.meta.url)

const result = JSON.parse(readFileSync(new URL('../results/lifecycle.json', import.meta.url), 'utf8'))
const section = `${BEGIN}
| measured in one run | |
|---|---|
| cold connect: nothing runs, guardian and server are started | ${result.coldConnectMs} ms |
| warm connect: the server runs | ${result.warmConnectMs} ms, ${result.warmToBare} times the bare SDK's connect |
| memory of the guardian / of the server | ${result.guardianRssMb} MB / ${result.serverRssMb} MB |
| wake-ups of the idle guardian, all its threads | ${result.guardianWakeUpsPerSecond} a second |

${result.date}, ${result.machine}, SurrealDB ${result.server} (rocksdb), medians.
${END}`

const before = readFileSync(readme, 'utf8')
const from = before.indexOf(BEGIN)
const to = before.indexOf(END)
if (from === -1 || to === -1) throw new Error(`README.md has no section between ${BEGIN} and ${END}`)
const after = before.slice(0, from) + section + before.slice(to + END.length)
if (!process.argv.includes('--check')) writeFileSync(readme, after)
else if (after !== before) {
  console.error(
    'The numbers in README.md are not those of benchmarks/results/lifecycle.json: run node benchmarks/src/readme.mjs',
  )
  process.exitCode = 1
}
