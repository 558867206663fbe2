// The story of procref in about 20 seconds, told by real processes. Checks itself: exits with 1 if anything is not as told.
import { execFile } from 'node:child_process'
import {
  cpSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { connect as dial } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs, promisify } from 'node:util'
import { startServer } from './mcp-program.mjs'

const { values } = parseArgs({ options: { driver: { type: 'string', default: 'embedded' } }, allowPositionals: true })
if (values.driver !== 'binary' && values.driver !== 'embedded') {
  console.error(`There is no driver "${values.driver}": --driver embedded, or --driver binary`)
  process.exit(2)
}

const run = promisify(execFile)
const repository = fileURLToPath(new URL('../../../', import.meta.url))
const PROCREF = fileURLToPath(new URL('bin/procref.js', import.meta.resolve('procref/package.json')))
const LIMIT_MS = 30_000
const programs = new Set()
const home = mkdtempSync(join(realpathSync(tmpdir()), 'procref-demo-'))
const dir = join(home, 'gsc')
const project = join(home, 'project')
const began = performance.now()

function tell(what, how) {
  const seconds = ((performance.now() - began) / 1000).toFixed(1).padStart(5)
  console.log(`${seconds} s  ${what}${how === undefined ? '' : `\n         ${how}`}`)
}

async function start(who, kind) {
  const program = await startServer(who, kind, ['--dir', dir, '--driver', values.driver, '--linger-ms', '1500'])
  programs.add(program)
  return program
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

/** Writes a specification; what is acknowledged here has to be there at the end. */
async function specify(program, id, title) {
  await program.call('create_spec', { id, title, text: title })
  acknowledged.push(id)
}

async function kill(program) {
  await program.kill()
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

/** What `procref ps` says: who holds which slot, asked of the kernel. */
async function ps() {
  const { stdout } = await run(process.execPath, [PROCREF, 'ps', '--json', '--dir', dir])
  return JSON.parse(stdout)
}

/** As a person who edits a file of the project. */
function edit(file, from, to) {
  const text = readFileSync(join(project, file), 'utf8')
  must(text.includes(from), `${file} has ${from}`)
  writeFileSync(join(project, file), text.replace(from, to))
}

/** Starts to index a big folder and kills the program when a part of it is done. */
async function killWhileIndexing(program, folder) {
  const killed = new Promise((resolve, reject) => {
    const onprogress = ({ progress }) => {
      if (progress > 0) resolve(kill(program))
    }
    program.call('index_folder', { folder }, onprogress).then(
      () => reject(new Error('it was indexed before it could be killed')),
      () => {}, // The connection closes under the call.
    )
  })
  await killed
}

async function story() {
  cpSync(join(repository, 'packages/core/src'), project, { recursive: true })
  tell('Three MCP servers start at the same moment, in a directory where nothing is yet: two gcode and a gspec.', dir)
  const [ann, bob, gspec] = await Promise.all([
    start('gcode A', 'gcode'),
    start('gcode B', 'gcode'),
    start('gspec', 'gspec'),
  ])
  await Promise.all([ann.call('list_folders'), bob.call('list_folders'), gspec.call('list_specs')])
  const { server, holders } = await ps()
  must(holders.length === 3 && new Set(holders.map((h) => h.slot)).size === 3, 'three slots')
  const { port } = server
  tell(
    `All three are connected to ONE SurrealDB: pid ${server.pid}, port ${port}, started by guardian pid ${server.guardianPid}.`,
  )
  for (const program of [ann, bob, gspec]) {
    const holder = holders.find(({ pid }) => pid === program.pid)
    must(holder !== undefined, `${program.who} holds a slot`)
    tell(`  ${program.who} (pid ${program.pid}) holds slot ${holder.slot}`)
  }

  const indexed = await ann.call('index_folder', { folder: project })
  tell(`gcode A indexes procref's own core: ${indexed.files} files, ${indexed.symbols} symbols.`)
  await specify(gspec, 'claim', 'A claim never waits for a holder')
  const { link } = await gspec.call('link_symbol', { spec: 'claim', symbol: 'SlotPool.tryClaim' })
  must(link.state === 'current', 'gspec finds the symbol that gcode A wrote')
  const { definitions } = await bob.call('definition', { symbol: 'SlotPool.tryClaim' })
  must(definitions[0]?.specs.includes('claim'), 'gcode B shows the specification that gspec wrote')
  tell(
    'gspec links a specification to SlotPool.tryClaim, and gcode B shows it at the symbol: each sees what the others wrote.',
  )

  await gspec.subscribe('gspec://touched')
  edit('slot-backend.ts', 'tryClaim(): ', 'tryClaim(patiently?: boolean): ')
  await bob.call('index_folder', { folder: project })
  await gspec.heard('gspec://touched')
  const { touched } = await gspec.call('touched_specs')
  must(touched[0]?.spec.id === 'claim' && touched[0].links[0].state === 'stale', 'the specification is touched')
  tell('tryClaim is edited and indexed by gcode B; gspec hears it live: the specification "claim" is touched.')

  await killWhileIndexing(bob, join(repository, 'packages'))
  await specify(gspec, 'kill', 'Nobody notices the kill of another')
  await ann.call('find_symbols', { query: 'SlotPo' })
  await eventually('the slot is free', async () => (await ps()).holders.length === 2)
  tell(
    `gcode B (pid ${bob.pid}) is killed with -9 while it indexes. The kernel frees its slot; gcode A and gspec do not notice.`,
  )

  const current = record()
  process.kill(current.server.pid, 'SIGKILL')
  tell(`Now the server (pid ${current.server.pid}) is killed with -9, and gspec is asked to write at once.`)
  await specify(gspec, 'crash', 'A call outlives the server')
  const back = await ps()
  must(back.server.port === port && back.server.epoch === current.epoch + 1, 'the same port and the next epoch')
  const { specs } = await gspec.call('list_specs')
  must(
    specs.length === acknowledged.length && acknowledged.every((id) => specs.some((spec) => spec.id === id)),
    'every acknowledged row',
  )
  const { folders } = await ann.call('list_folders')
  must(
    folders.some(({ root, symbols }) => root === project && symbols === indexed.symbols),
    'the whole index',
  )
  tell(
    `It is back on port ${port} as pid ${back.server.pid}, epoch ${back.server.epoch}, with all ${acknowledged.length} acknowledged specifications and the index.`,
  )

  await Promise.all([ann, gspec].map(kill))
  tell('gcode A and gspec are killed with -9: nobody is left to say goodbye.')
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
