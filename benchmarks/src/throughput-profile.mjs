// Where the processor time of a small query through the embedded server goes: by thread and library (`perf`, eight clients with eight in
// flight), and what calls of different kinds cost in the engine alone. Linux. Prints one JSON document; `--save` also writes
// results/throughput-profile.json, from which `embedded-page.mjs` makes its part of docs/embedded-performance.md.
import { execFileSync, spawn } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { embeddedSurreal } from '@procref/embedded'
import { machine } from './machine.mjs'
import { startProgram } from './program.mjs'
import { rounded } from './statistics.mjs'

const CLIENTS = 8
const IN_FLIGHT = 8
const WARM_MS = 2_000
const FOR_MS = 8_000
const LOGIN = ['root', 'not-secret']
const program = (name) => fileURLToPath(new URL(name, import.meta.url))

const environment = embeddedSurreal().guardianEnvironment
const home = mkdtempSync(join(tmpdir(), 'procref-bench-'))
try {
  const result = { ...machine(), engineCallUs: await engineCalls(), shares: await shares() }
  const text = `${JSON.stringify(result, rounded, 2)}\n`
  if (process.argv.includes('--save')) {
    writeFileSync(new URL('../results/throughput-profile.json', import.meta.url), text)
  }
  process.stdout.write(text)
} finally {
  rmSync(home, { recursive: true, force: true })
}

async function engineCalls() {
  const engine = startProgram(process.execPath, [program('throughput-engine.mjs'), 'as-served'], environment)
  try {
    await engine.answer('connected')
    engine.send('calls')
    const [json] = await engine.answer('costs')
    return JSON.parse(json)
  } finally {
    await engine.end()
  }
}

/** In percent of the server's processor time. */
async function shares() {
  const port = await freePort()
  const login = [String(port), ...LOGIN]
  const server = startProgram(process.execPath, [program('throughput-server.mjs'), ...login], environment)
  const clients = []
  try {
    await server.answer('ready')
    for (let n = 0; n < CLIENTS; n++) {
      clients.push(startProgram(process.execPath, [program('throughput-client.mjs'), ...login]))
      await clients[n].answer('connected')
    }
    const run = async (ms) => {
      for (const client of clients) client.send(`run ${IN_FLIGHT} ${ms}`)
      for (const client of clients) await client.answer('ran')
    }
    await run(WARM_MS)
    const file = join(home, 'perf.data')
    const seconds = String(FOR_MS / 1000)
    const perf = spawn('perf', ['record', '-q', '-F', '499', '-p', String(server.pid), '-o', file, 'sleep', seconds])
    const recorded = new Promise((resolve) => perf.once('exit', resolve))
    await run(FOR_MS)
    await recorded
    return sharesIn(
      execFileSync('perf', ['report', '-i', file, '--stdio', '-q', '--sort', 'comm,dso'], { encoding: 'utf8' }),
    )
  } finally {
    for (const client of clients) await client.end()
    await server.end()
  }
}

/** Lines like ` 51.38%  tokio-runtime-w  surrealdb-node.linux-x64-gnu.node`. */
function sharesIn(report) {
  const sums = { engine: 0, engineMemory: 0, engineKernel: 0, javascript: 0, javascriptKernel: 0 }
  for (const [, percent, thread, library] of report.matchAll(/^ +([\d.]+)% +(\S+) +(\S+)/gm)) {
    const isEngine = thread.startsWith('tokio') || library.startsWith('surrealdb')
    const isKernel = library.startsWith('[kernel')
    if (isEngine && library.startsWith('libc')) sums.engineMemory += Number(percent)
    else if (isEngine) sums[isKernel ? 'engineKernel' : 'engine'] += Number(percent)
    else sums[isKernel ? 'javascriptKernel' : 'javascript'] += Number(percent)
  }
  return sums
}

async function freePort() {
  const probe = createServer()
  await new Promise((resolve) => probe.listen({ host: '127.0.0.1', port: 0 }, resolve))
  const { port } = probe.address()
  await new Promise((resolve) => probe.close(resolve))
  return port
}
