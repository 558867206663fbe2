// Makes the measured parts of docs/embedded-performance.md from results/throughput.json and throughput-profile.json, and from the soak's
// load.json and dump.json. With `--check` it only says whether they are up to date.
import { readFileSync, writeFileSync } from 'node:fs'

const page = new URL('../../docs/embedded-performance.md', import.meta.url)
const throughput = read('../results/throughput.json')
const profile = read('../results/throughput-profile.json')
const load = read('../../tests/soak/results/load.json')
const dump = read('../../tests/soak/results/dump.json')

const sections = {
  throughput: `| | one client, one in flight | eight clients, eight in flight each |
|---|---|---|
${throughputRow('the engine alone, in one process', ({ queriesPerSecond }) => queriesPerSecond.engine, 'a second')}
${throughputRow('embedded server', ({ queriesPerSecond }) => queriesPerSecond.embedded, 'a second')}
${throughputRow('real server', ({ queriesPerSecond }) => queriesPerSecond.real, 'a second')}
${throughputRow('**embedded to real**', ({ embeddedToReal }) => embeddedToReal, 'times')}
${throughputRow('processor, a query: the engine alone', ({ cpuUs }) => cpuUs.engine, 'µs')}
${throughputRow('processor, a query: the engine alone, with our settings', ({ cpuUs }) => cpuUs.engineAsServed, 'µs')}
${throughputRow('processor, a query: embedded server', ({ cpuUs }) => cpuUs.embedded, 'µs')}
${throughputRow('processor, a query: real server', ({ cpuUs }) => cpuUs.real, 'µs')}
${throughputRow('processor, a query: embedded server and its clients', ({ withClientsCpuUs }) => withClientsCpuUs.embedded, 'µs')}
${throughputRow('processor, a query: real server and its clients', ({ withClientsCpuUs }) => withClientsCpuUs.real, 'µs')}
${throughputRow('**embedded server to the engine alone, processor**', ({ cpuToEngine }) => cpuToEngine, 'times')}

${conditions(throughput)} ${throughput.turns} turns, medians.`,

  profile: `| share of the embedded server's processor time | |
|---|---|
| the engine | ${profile.shares.engine} % |
| the engine's use of the C library, most of it memory | ${profile.shares.engineMemory} % |
| the kernel for the engine's threads | ${profile.shares.engineKernel} % |
| Node, \`ws\` and this package | ${profile.shares.javascript} % |
| the kernel for them, as far as it is told apart | ${profile.shares.javascriptKernel} % |

| a call of the engine alone | processor |
|---|---|
| \`ping\`: in and out, no query | ${profile.engineCallUs.ping} µs |
| a query that is no SurrealQL | ${profile.engineCallUs.notParsed} µs |
| an empty query | ${profile.engineCallUs.emptyQuery} µs |
| \`RETURN 1\` | ${profile.engineCallUs.oneStatement} µs |
| ten times \`RETURN 1;\` in one query | ${profile.engineCallUs.tenStatements} µs |

${conditions(profile)}`,

  load: `| burden | server | it took | memory before / at most / after, MB | others' p50 without / with it, ms | others' p99 without / with it, ms | longest, ms |
|---|---|---|---|---|---|---|
${load.embedded
  .flatMap((result, index) => [
    loadRow('embedded', result),
    ...(load.real?.[index] ? [loadRow('real', load.real[index])] : []),
  ])
  .join('\n')}

${load.machine.cores} cores shared with the clients and with others' work, Node ${load.machine.node}; ${load.date.slice(0, 10)}.`,

  dump: `| rows | dump | storage | server | export: it took | memory before / at most / after, MB | import: it took | memory before / at most / after, MB |
|---|---|---|---|---|---|---|---|
${dump.results.map(dumpRow).join('\n')}
${['embedded', 'real']
  .filter((server) => dump.oneInsert[server])
  .map((server) => oneInsertRow(server, dump.oneInsert))
  .join('\n')}

${dump.machine.cores} cores shared with the client, load ${dump.load} at the end, Node ${dump.machine.node}; ${dump.date.slice(0, 10)}.`,
}

function throughputRow(title, value, unit) {
  const { oneByOne, eightTimesEight } = throughput.loads
  return `| ${title} | ${value(oneByOne)} ${unit} | ${value(eightTimesEight)} ${unit} |`
}

function oneInsertRow(server, { rows, length, ...steps }) {
  const { tookMs, rssMb } = steps[server]
  return `| ${rows} of ${length} characters, one INSERT | ${Math.round((rows * length) / 1024 / 1024)} MB | rocksdb | ${server} | | | ${seconds(tookMs)} s | ${memory(rssMb)} |`
}

function dumpRow({ server, storage, rows, length, megabytes, ...steps }) {
  const step = ({ tookMs, rssMb }) => `${seconds(tookMs)} s | ${memory(rssMb)}`
  return `| ${rows} of ${length} characters | ${Math.round(megabytes)} MB | ${storage} | ${server} | ${step(steps.export)} | ${step(steps.import)} |`
}

function loadRow(server, { burden, tookMs, rssMb, latencyMs, outcome }) {
  const { without, with: during } = latencyMs
  const refused = outcome.refused === undefined ? '' : ` (refused: ${outcome.refused.slice(0, 60)})`
  return `| ${burden}${refused} | ${server} | ${seconds(tookMs)} s | ${memory(rssMb)} | ${without.p50} / ${during.p50} | ${without.p99} / ${during.p99} | ${during.max} |`
}

function memory({ before, peak, after }) {
  return [before, peak, after].map(Math.round).join(' / ')
}

function seconds(ms) {
  return Math.round(ms / 100) / 10
}

function conditions({ date, cpus, node, load, priority }) {
  return `${cpus}, Node ${node}, load ${load} from others' work at the end, ${priority} priority; ${date}.`
}

function read(path) {
  return JSON.parse(readFileSync(new URL(path, import.meta.url), 'utf8'))
}

const before = readFileSync(page, 'utf8')
let after = before
for (const [name, text] of Object.entries(sections)) {
  const begin = `<!-- measured ${name}: made by benchmarks/src/embedded-page.mjs -->`
  const end = `<!-- /measured ${name} -->`
  const [from, to] = [after.indexOf(begin), after.indexOf(end)]
  if (from === -1 || to === -1)
    throw new Error(`docs/embedded-performance.md has no section between ${begin} and ${end}`)
  after = `${after.slice(0, from)}${begin}\n${text}\n${after.slice(to)}`
}
if (!process.argv.includes('--check')) writeFileSync(page, after)
else if (after !== before) {
  console.error('docs/embedded-performance.md is not what was measured: run node benchmarks/src/embedded-page.mjs')
  process.exitCode = 1
}
