// The story of procref in about 20 seconds, told by real processes. Checks itself: exits with 1 if anything is not as told.
import { spawn } from 'node:child_process'
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { connect as dial } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'

const { values } = parseArgs({ options: { driver: { type: 'string', default: 'embedded' } }, allowPositionals: true })
if (values.driver !== 'binary' && values.driver !== 'embedded') {
  console.error(`There is no driver "${values.driver}": --driver embedded, or --driver binary`)
  process.exit(2)
}

const LIMIT_MS = 30_000
const programs = new Set()
const home = mkdtempSync(join(tmpdir(), 'procref-demo-'))
const dir = join(home, 'shared')
const began = performance.now()

function tell(what, how) {
  const seconds = ((performance.now() - began) / 1000).toFixed(1).padStart(5)
  console.log(`${seconds} s  ${what}${how === undefined ? '' : `\n         ${how}`}`)
}

function start(name) {
  const child = spawn(
    process.execPath,
    [fileURLToPath(new URL('./program.mjs', import.meta.url)), dir, name, values.driver],
    {
      stdio: ['pipe', 'pipe', 'inherit'],
    },
  )
  const program = {
    name,
    child,
    events: [],
    waiting: new Set(),
    exited: new Promise((done) => child.once('exit', done)),
  }
  let text = ''
  child.stdout.setEncoding('utf8').on('data', (chunk) => {
    text += chunk
    const lines = text.split('\n')
    text = lines.pop()
    for (const line of lines) program.events.push(JSON.parse(line))
    for (const look of program.waiting) look()
  })
  child.stdin.on('error', () => {}) // A program that was killed reads no more; its end is awaited elsewhere.
  programs.add(program)
  return program
}

function event(program, matches, what) {
  return new Promise((resolve, reject) => {
    const look = () => {
      const found = program.events.find(matches)
      if (found === undefined) return
      clearTimeout(timer)
      program.waiting.delete(look)
      resolve(found)
    }
    const timer = setTimeout(() => reject(new Error(`${program.name}: ${what} was not seen`)), LIMIT_MS)
    program.waiting.add(look)
    program.exited.then(() => {
      clearTimeout(timer)
      reject(new Error(`${program.name} ended before ${what}`))
    })
    look()
  })
}

async function eventually(what, check) {
  const deadline = performance.now() + LIMIT_MS
  while (!(await check())) {
    if (performance.now() > deadline) throw new Error(`${what}: not seen`)
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
}

function must(condition, what) {
  if (!condition) throw new Error(`not as told: ${what}`)
}

async function write(program, text) {
  program.child.stdin.write(`${text}\n`)
  await event(program, (e) => e.event === 'wrote' && e.text === text, `the acknowledgement of "${text}"`)
  acknowledged.push(text)
}

async function kill(program) {
  program.child.kill('SIGKILL')
  await program.exited
  programs.delete(program)
}

const listens = (port) =>
  new Promise((resolve) => {
    const socket = dial({ host: '127.0.0.1', port })
    socket.once('connect', () => resolve(true) || socket.destroy())
    socket.once('error', () => resolve(false))
  })

const record = () => JSON.parse(readFileSync(join(dir, 'server.json'), 'utf8'))
const acknowledged = []

async function story() {
  tell('Three programs start at the same moment, in a directory where nothing is yet.', dir)
  const [ann, bob, cleo] = ['ann', 'bob', 'cleo'].map(start)
  const all = await Promise.all([ann, bob, cleo].map((p) => event(p, (e) => e.event === 'connected', 'its connection')))
  must(new Set(all.map((e) => e.server)).size === 1, 'one server')
  must(new Set(all.map((e) => e.slot)).size === 3, 'three slots')
  const { server, guardian, port } = all[0]
  tell(`All three are connected to ONE SurrealDB: pid ${server}, port ${port}, started by guardian pid ${guardian}.`)
  for (const { name, slot } of all) tell(`  ${name} holds the lock on ${slot}`)

  await write(ann, 'hello from ann')
  await Promise.all([bob, cleo].map((p) => event(p, (e) => e.event === 'saw' && e.by === 'ann', "ann's row")))
  tell('ann writes a row; bob and cleo see it live.')

  await kill(cleo)
  await write(bob, 'cleo is gone')
  await event(ann, (e) => e.event === 'saw' && e.by === 'bob', "bob's row")
  tell(`cleo (pid ${cleo.child.pid}) is killed with -9. The kernel frees its slot; ann and bob do not notice.`)

  const current = record()
  process.kill(current.server.pid, 'SIGKILL')
  tell(`Now the server (pid ${current.server.pid}) is killed with -9.`)
  const back = await Promise.all([ann, bob].map((p) => event(p, (e) => e.event === 'reconnected', 'the reconnection')))
  must(
    back.every((e) => e.port === port && e.epoch === current.epoch + 1),
    'the same port and the next epoch',
  )
  await write(ann, 'written after the crash')
  bob.child.stdin.write('count\n')
  const { texts } = await event(bob, (e) => e.event === 'counted', 'the rows')
  must(
    acknowledged.every((text) => texts.includes(text)),
    'every acknowledged row',
  )
  tell(
    `It is back on port ${port} as pid ${back[0].server}, epoch ${back[0].epoch}, with all ${acknowledged.length} acknowledged rows.`,
  )

  await Promise.all([ann, bob].map(kill))
  tell('ann and bob are killed with -9: nobody is left to say goodbye.')
  await eventually('the server stops by itself', () => record().state === 'stopped')
  await eventually(`port ${port} is closed`, async () => !(await listens(port)))
  await eventually('the guardian has left', () => !existsSync(`/proc/${record().guardian.pid}`))
  tell(`The slots are free, so the guardian has stopped the server and left: port ${port} is closed.`)
  const why = readFileSync(join(dir, 'journal.ndjson'), 'utf8')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line))
  must(
    why.some((e) => e.event === 'server-stopping' && e.reason === 'slots-empty'),
    'the journal says why',
  )
  must(
    readdirSync(dir).every((name) => !/tmp|spare/.test(name)),
    'no temporary file is left',
  )
  tell(`The journal says why: ${why.map((e) => `${e.event} (${e.reason})`).join(', ')}.`)
}

async function clean() {
  await Promise.all([...programs].map(kill))
  // With its programs gone the guardian ends by itself, after its linger.
  if (existsSync(join(dir, 'server.json'))) {
    await eventually('the guardian has left', () => !existsSync(`/proc/${record().guardian.pid}`)).catch((error) =>
      console.error(error.message),
    )
  }
  rmSync(home, { recursive: true, force: true })
}

for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => clean().then(() => process.exit(130)))
try {
  await story()
  console.log('Everything was as told.')
} catch (error) {
  console.error(`\n${error.message}`)
  process.exitCode = 1
} finally {
  await clean()
}
