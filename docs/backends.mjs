// Makes docs/backends.md from the code (guarantees, the claims that the conformance suite checks of each backend) and from docs/backends.json,
// what a run of that suite found.
//   node docs/backends.mjs                      writes the page
//   node docs/backends.mjs --record REPORT...   takes the results from vitest JSON reports first
//   node docs/backends.mjs --check [REPORT]     changes nothing: is the page up to date, and does the report say the same?
import { readFileSync, writeFileSync } from 'node:fs'
import { behaviours } from '../packages/conformance/dist/index.js'
import { locksAreInheritable } from '../packages/core/dist/index.js'
import { KNOWN_BACKENDS } from '../packages/procref/dist/backends.js'

const page = new URL('./backends.md', import.meta.url)
const results = new URL('./backends.json', import.meta.url)

/** How each one locks, and the row of the seed's table that it is. */
const MECHANISMS = {
  native: { how: '`flock(2)`, on Windows `LockFileEx`, from Rust', seed: 'flock/fcntl (file locks)' },
  flock: { how: '`flock(2)` through fs-ext', seed: 'flock/fcntl (file locks)' },
  'ofd-range': { how: '`fcntl(2)` locks of open file descriptions, one byte a slot', seed: 'flock/fcntl (file locks)' },
  hybrid: { how: 'a POSIX semaphore, a registry of processes, a watchdog', seed: 'POSIX semaphores' },
  sysv: { how: 'a SysV semaphore set with `SEM_UNDO`', seed: 'SysV semaphores + SEM_UNDO' },
  'robust-mutex': { how: 'robust mutexes in a shared file', seed: 'Robust pthread mutex' },
  lockfile: { how: 'files with heartbeats, through proper-lockfile; no native code', seed: undefined },
}
/** What the seed's table says of a primitive; it has no row for the last one. */
const SEED_TABLE = {
  'flock/fcntl (file locks)': ['yes', 'Unix, Windows', 'no'],
  'POSIX semaphores': ['no', 'yes', 'yes'],
  'SysV semaphores + SEM_UNDO': ['yes', 'Unix only', 'yes'],
  'Robust pthread mutex': ['yes', 'partial', 'no'],
}
const RELEASED = { kernel: 'by the kernel', watchdog: 'by a watchdog', 'stale-timeout': 'when its lease has run out' }
const REACH = {
  host: 'the host',
  'network-namespace': 'one network namespace',
  'ipc-namespace': 'one IPC namespace; others are refused',
  'pid-namespace': 'one pid namespace; others are refused',
  cluster: 'several hosts',
}
const SYSTEMS = {
  linux: 'Linux',
  darwin: 'macOS',
  freebsd: 'FreeBSD',
  openbsd: 'OpenBSD',
  win32: 'Windows',
  aix: 'AIX',
  sunos: 'illumos',
}

await main(process.argv.slice(2))

async function main([flag, ...reports]) {
  const backends = await Promise.all(KNOWN_BACKENDS.map(async (known) => ({ ...known, made: await known.load() })))
  if (flag === '--record') writeFileSync(results, `${JSON.stringify(recorded(backends, reports), null, 2)}\n`)
  const seen = JSON.parse(readFileSync(results, 'utf8'))
  const problems = missing(backends, seen)
  const text = render(backends, seen)
  if (flag !== '--check') writeFileSync(page, text)
  else {
    if (readFileSync(page, 'utf8') !== text)
      problems.push('docs/backends.md is not what the code and docs/backends.json say')
    if (reports.length > 0) problems.push(...differences(seen, recorded(backends, reports)))
  }
  for (const problem of problems) console.error(problem)
  if (problems.length === 0) return
  console.error(
    'Run the conformance tests with `--reporter=json --outputFile=REPORT`, then `node docs/backends.mjs --record REPORT`.',
  )
  process.exitCode = 1
}

/** Per backend and behaviour, the claims with what became of them. */
function recorded(backends, reports) {
  const tests = reports
    .flatMap((report) => JSON.parse(readFileSync(report, 'utf8')).testResults)
    .flatMap(({ assertionResults }) => assertionResults)
  const found = {}
  for (const { name } of backends) {
    const suite = `${name} does what every backend does`
    found[name] = {}
    for (const behaviour of behaviours) {
      const own = tests.filter(
        ({ ancestorTitles: titles }) => titles.at(-2) === suite && titles.at(-1) === behaviour.name,
      )
      found[name][behaviour.name] = Object.fromEntries(own.map(({ title, status }) => [title, status]))
    }
  }
  return { node: process.version, platform: `${process.platform} ${process.arch}`, backends: found }
}

/** Claims that the suite would check of a backend and that have no passed test. */
function missing(backends, seen) {
  return backends.flatMap(({ name, made }) =>
    behaviours.flatMap((behaviour) =>
      behaviour.claims(made).flatMap(({ title }) => {
        const status = seen.backends[name]?.[behaviour.name]?.[title]
        return status === 'passed'
          ? []
          : [`docs/backends.json: ${name}, ${behaviour.name}: "${title}" is ${status ?? 'not there'}`]
      }),
    ),
  )
}

function differences(seen, now) {
  return JSON.stringify(seen.backends) === JSON.stringify(now.backends)
    ? []
    : Object.entries(now.backends)
        .filter(([name, found]) => JSON.stringify(found) !== JSON.stringify(seen.backends[name]))
        .map(([name]) => `this run of the conformance suite says something else of ${name} than docs/backends.json`)
}

function render(backends, seen) {
  return `<!-- Made by docs/backends.mjs from the code and docs/backends.json; do not edit. -->

# Backends

One that suits is chosen by itself: the first of ${list(KNOWN_BACKENDS.filter(({ byDefault }) => byDefault).map(({ name }) => `\`${name}\``))} that works on the machine and in the directory. A
directory that is in use keeps its protocol. \`procref status\` says which one it is and why; \`--backend\`, \`PROCREF_BACKEND\` or the option \`backend\` choose another one, best
before the directory is used for the first time. What is promised below is what the conformance suite checked: ${seen.node}, ${seen.platform}.

## What they promise

${table(
  ['', ...backends.map(({ name }) => `\`${name}\``)],
  [
    ['how', ...backends.map(({ name }) => mechanism(name).how)],
    row(backends, 'the slots of a dead process come back', (g) => RELEASED[g.crashRelease]),
    row(backends, 'within, on an idle machine', (g) => `${g.maxRecoveryMs / 1000} s`),
    row(backends, 'excludes processes of', (g) => REACH[g.scope]),
    row(backends, 'a child that inherits a slot keeps it', (g) => yes(g.inheritableByChild)),
    row(backends, 'a server can inherit its lock, so that an orphan is seen', (g) => yes(locksAreInheritable(g))),
    row(backends, 'shares `slot_NN.lock` with the original Rust program, `flock(1)`, Python', (g) =>
      yes(g.interoperatesWithSeed),
    ),
    row(backends, 'systems', (g) => g.platforms.map((platform) => SYSTEMS[platform] ?? platform).join(', ')),
    ['protocol in `protocol.json`', ...backends.map(({ protocol }) => `\`${protocol}\``)],
    ['chosen by itself for a new directory', ...backends.map(({ byDefault }) => yes(byDefault === true))],
  ],
)}

## The table of primitives that this project began with

The original design compared four primitives from what their manuals say. Each has a backend here; the right half is what was promised and passed.

${table(
  [
    'primitive',
    'released on crash',
    'cross-platform',
    'many slots',
    'backend',
    'released on crash',
    'systems',
    'many slots',
  ],
  backends.map(({ name, made }) => {
    const { seed } = mechanism(name)
    return [
      seed ?? '(none)',
      ...(SEED_TABLE[seed] ?? ['', '', '']),
      `\`${name}\``,
      passed(seen, name, 'crash-release') ? RELEASED[made.guarantees.crashRelease] : 'not shown',
      made.guarantees.platforms.map((platform) => SYSTEMS[platform] ?? platform).join(', '),
      yes(passed(seen, name, 'exclusion') && passed(seen, name, 'pool-size')),
    ]
  }),
)}

## What was checked

How many claims of each behaviour passed; ○ marks a behaviour of which a part is not promised, and where the weaker claim was checked instead (below).

${table(
  ['', ...backends.map(({ name }) => `\`${name}\``)],
  behaviours.map((behaviour) => [
    behaviour.name,
    ...backends.map(({ name, made }) => {
      const statuses = Object.values(seen.backends[name]?.[behaviour.name] ?? {})
      const good = statuses.filter((status) => status === 'passed').length
      const count = good === statuses.length ? `${good}` : `${good} of ${statuses.length}`
      return behaviour.claims(made).some(({ insteadOf }) => insteadOf !== undefined) ? `${count} ○` : count
    }),
  ]),
)}

${backends.map(weaker).filter(Boolean).join('\n\n')}
`
}

function weaker({ name, made }) {
  const lines = behaviours.flatMap((behaviour) =>
    behaviour
      .claims(made)
      .filter(({ insteadOf }) => insteadOf !== undefined)
      .map(({ title, insteadOf }) => `- ${behaviour.name}: not promised: ${insteadOf}. Checked instead: ${title}.`),
  )
  return lines.length === 0 ? '' : `**\`${name}\`**\n\n${[...new Set(lines)].join('\n')}`
}

function mechanism(name) {
  const known = MECHANISMS[name]
  if (known === undefined) throw new Error(`docs/backends.mjs does not say how ${name} locks`)
  return known
}

function row(backends, title, cell) {
  return [title, ...backends.map(({ made }) => cell(made.guarantees))]
}

function passed(seen, name, behaviour) {
  const statuses = Object.values(seen.backends[name]?.[behaviour] ?? {})
  return statuses.length > 0 && statuses.every((status) => status === 'passed')
}

function yes(value) {
  return value ? 'yes' : 'no'
}

function list(words) {
  return words.length < 2 ? words.join('') : `${words.slice(0, -1).join(', ')} and ${words.at(-1)}`
}

function table(head, rows) {
  return [head, head.map(() => '---'), ...rows].map((cells) => `| ${cells.join(' | ')} |`).join('\n')
}
