// Small queries (`RETURN $x + 1`, in memory) through the embedded server, the real server (PROCREF_SURREAL_BIN), and the engine alone in one
// process: queries a second, and the processor time of one. One run measures all, in turns, so that whatever else the machine does meets
// all: compare the ratios of one run, never numbers of two. Linux. Prints one JSON document; `--save` also writes results/throughput.json,
// from which `embedded.mjs` makes docs/embedded-performance.md.
import { spawn } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { setTimeout as after } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { embeddedSurreal } from '@procref/embedded'
import { machine } from './machine.mjs'
import { startProgram } from './program.mjs'
import { median, rounded } from './statistics.mjs'

const TURNS = 10
const FOR_MS = 300
/** After each: with real-time priority (`chrt -r 1 node …`) nobody else on the machine gets on meanwhile. */
const PAUSE_MS = 600
const LOADS = [
  { name: 'oneByOne', processes: 1, inFlight: 1 },
  { name: 'eightTimesEight', processes: 8, inFlight: 8 },
]
const USER = 'root'
const PASSWORD = 'not-secret'
const HANGS_MS = 30_000
const program = (name) => fileURLToPath(new URL(name, import.meta.url))

const binary = process.env.PROCREF_SURREAL_BIN
if (binary === undefined) throw new Error('PROCREF_SURREAL_BIN has to name a real surreal executable to compare with')
/** Of the process that serves, as the lifecycle starts it. */
const environment = embeddedSurreal().guardianEnvironment
const ends = []
try {
  const engine = await startEngine('plain', {})
  const engineAsServed = await startEngine('as-served', environment)
  const subjects = { embedded: await withClients(await startEmbedded()), real: await withClients(await startReal()) }
  const turns = []
  for (let turn = -1; turn < TURNS; turn++) {
    const measured = {}
    for (const load of LOADS) {
      measured[load.name] = {
        engine: await measureEngine(engine, load.processes * load.inFlight),
        engineAsServed: await measureEngine(engineAsServed, load.processes * load.inFlight),
        embedded: await measure(subjects.embedded, load),
        real: await measure(subjects.real, load),
      }
    }
    // The first one warms all up.
    if (turn >= 0) turns.push(measured)
  }
  const result = { ...machine(), turns: TURNS, msEach: FOR_MS, loads: {} }
  for (const { name, processes, inFlight } of LOADS) {
    // Turn by turn, then the median: both sides of a ratio met the same seconds.
    const of = (value) => median(turns.map((turn) => value(turn[name])))
    const ofEach = (names, key) => Object.fromEntries(names.map((each) => [each, of((turn) => turn[each][key])]))
    const all = ['engine', 'engineAsServed', 'embedded', 'real']
    result.loads[name] = {
      clients: processes,
      inFlightOfEach: inFlight,
      queriesPerSecond: ofEach(all, 'rate'),
      cpuUs: ofEach(all, 'cpu'),
      withClientsCpuUs: ofEach(['embedded', 'real'], 'all'),
      embeddedToReal: of(({ embedded, real }) => embedded.rate / real.rate),
      embeddedToEngine: of(({ embedded, engine }) => embedded.rate / engine.rate),
      cpuToEngine: of(({ embedded, engine }) => embedded.cpu / engine.cpu),
      cpuToEngineAsServed: of(({ embedded, engineAsServed }) => embedded.cpu / engineAsServed.cpu),
    }
  }
  const text = `${JSON.stringify(result, rounded, 2)}\n`
  if (process.argv.includes('--save')) writeFileSync(new URL('../results/throughput.json', import.meta.url), text)
  process.stdout.write(text)
} finally {
  for (const end of ends.reverse()) await end()
}

async function startEngine(how, env) {
  const engine = startProgram(process.execPath, [program('throughput-engine.mjs'), how], env)
  ends.push(() => engine.end())
  await engine.answer('connected')
  return engine
}

async function startEmbedded() {
  const port = await freePort()
  const args = [program('throughput-server.mjs'), String(port), USER, PASSWORD]
  const server = startProgram(process.execPath, args, environment)
  ends.push(() => server.end())
  await server.answer('ready')
  return { port, pid: server.pid }
}

async function startReal() {
  const port = await freePort()
  const child = spawn(binary, ['start', '--no-banner', '--bind', `127.0.0.1:${port}`, 'memory'], {
    stdio: ['ignore', 'ignore', 'inherit'],
    env: { ...process.env, SURREAL_USER: USER, SURREAL_PASS: PASSWORD, SURREAL_LOG: 'error' },
  })
  ends.push(async () => {
    const ended = new Promise((resolve) => child.once('exit', resolve))
    child.kill()
    await ended
  })
  for (const deadline = performance.now() + HANGS_MS; ; await after(20)) {
    const answer = await fetch(`http://127.0.0.1:${port}/ready`).catch(() => undefined)
    if (answer?.ok) return { port, pid: child.pid }
    if (performance.now() > deadline) throw new Error(`${binary} does not become ready`)
  }
}

async function withClients({ port, pid }) {
  const count = Math.max(...LOADS.map(({ processes }) => processes))
  const clients = Array.from({ length: count }, () =>
    startProgram(process.execPath, [program('throughput-client.mjs'), String(port), USER, PASSWORD]),
  )
  for (const client of clients) {
    ends.push(() => client.end())
    await client.answer('connected')
  }
  return { pid, clients }
}

async function measure({ pid, clients }, { processes, inFlight }) {
  await after(PAUSE_MS)
  const taking = clients.slice(0, processes)
  const before = cpuUs(pid)
  for (const client of taking) client.send(`run ${inFlight} ${FOR_MS}`)
  const said = []
  for (const client of taking) said.push((await client.answer('ran')).map(Number))
  const server = cpuUs(pid) - before
  const sum = (index) => said.reduce((total, numbers) => total + numbers[index], 0)
  const rate = said.reduce((total, [queries, ms]) => total + (queries * 1000) / ms, 0)
  return { rate, cpu: server / sum(0), all: (server + sum(2)) / sum(0) }
}

async function measureEngine(engine, inFlight) {
  await after(PAUSE_MS)
  engine.send(`run ${inFlight} ${FOR_MS}`)
  const [queries, ms, cpu] = (await engine.answer('ran')).map(Number)
  return { rate: (queries * 1000) / ms, cpu: cpu / queries }
}

/** The processor time of a process so far, all its threads, in microseconds. Counted in hundredths of a second. */
function cpuUs(pid) {
  const fields = readFileSync(`/proc/${pid}/stat`, 'latin1')
    .replace(/^.*\) /, '')
    .split(' ')
  return (Number(fields[11]) + Number(fields[12])) * 10_000
}

async function freePort() {
  const probe = createServer()
  await new Promise((resolve) => probe.listen({ host: '127.0.0.1', port: 0 }, resolve))
  const { port } = probe.address()
  await new Promise((resolve) => probe.close(resolve))
  return port
}
