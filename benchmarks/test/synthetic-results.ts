import type { ExperimentResult, Results, ScenarioResult, Series, SubjectInfo } from '../src/results.ts'
import { fittedExponent, summarize } from '../src/statistics.ts'

/** Invented numbers of a believable size, the same each time: a document with everything in it that a report can meet. */
export function syntheticResults(): Results {
  made ??= make()
  return made
}

/** Once a process: the intervals take seconds. */
let made: Results | undefined

function make(): Results {
  const random = randomNumbers(1)
  const scenarios = scenarioResults(random)
  return {
    format: 1,
    date: '2026-03-01T09:30:00.000Z',
    tookSeconds: 3_240,
    scale: 'full',
    machine: {
      cpus: '8 x Example Processor 9000 @ 3.20GHz',
      memoryGb: 32,
      kernel: 'linux 6.18.0',
      filesystem: 'ext4',
      node: '24.4.0',
      virtualization: 'virtual machine',
    },
    noise: { loadBefore: 0.21, loadAfter: 3.4, steal: 0.004, spread: 1.07, priority: 'normal' },
    versions: { node: '24.4.0', procref: '0.1.0', surrealdb: '3.3.5' },
    services: [
      {
        name: 'embedded',
        title: 'procref, embedded server',
        summary: 'the engine within the guardian',
        kind: 'procref',
      },
      {
        ...{ name: 'reaper', title: 'a reaper', summary: 'a container that ends others', kind: 'peer' },
        unavailable: { reason: 'there is no docker', remedy: 'apt install docker.io' },
      },
    ],
    subjects: SUBJECTS,
    scenarios,
    experiments: experimentResults(),
    goals: [
      ['A claim of native(), against the same system calls in C', 1.38, 1.5, 'ratio', 'lower'],
      ['A claim in 10,000 permits against one in 100', 1.04, 1.2, 'ratio', 'lower'],
      ['A nearly full pool, against looking at every permit', 31.2, 20, 'ratio', 'higher'],
      ['From SIGKILL of the holder to the next claim, 99th percentile', 0.61, 1, 'ms', 'lower'],
      ['From the last holder’s death to the server’s stop, after the linger', 71.4, 50, 'ms', 'lower'],
      ['A warm connect, against the SDK alone', 1.12, 1.2, 'ratio', 'lower'],
      ['Memory of the guardian at rest, over a bare Node.js', 9.8, 12, 'MB', 'lower'],
    ].map(([goal, value, limit, unit, better]) => ({
      goal: String(goal),
      value: Number(value),
      limit: Number(limit),
      unit: unit as 'ratio',
      better: better as 'lower',
      isMet: better === 'lower' ? Number(value) <= Number(limit) : Number(value) >= Number(limit),
    })),
  }
}

const SUBJECTS: readonly SubjectInfo[] = [
  subject('c-floor', 'C floor', 'floor', 'The system calls of a claim, from a C program, and nothing else.', 10_000),
  subject(
    'native',
    'procref native()',
    'procref',
    'A lock of an open file description, one file a permit, from Rust.',
    10_000,
  ),
  subject('ofd-range', 'procref ofdRange()', 'procref', 'A lock on one byte of one file.', 1_000_000),
  subject(
    'hybrid',
    'procref hybrid()',
    'procref',
    'A lock of the kernel, found through a table in shared memory.',
    10_000,
  ),
  subject('robust-mutex', 'procref robustMutex()', 'procref', 'A robust mutex in shared memory.', 100_000),
  subject('sysv', 'procref sysv()', 'procref', 'A System V semaphore with SEM_UNDO.', 1),
  subject('flock', 'procref flock()', 'procref', 'flock(2) on one file a permit, through fs-ext.', 10_000),
  subject('lockfile', 'procref lockfile()', 'procref', 'A folder that exists, renewed by a timer.', 1_000),
  subject('fs-ext', 'fs-ext alone', 'library', 'flock(2) as fs-ext hands it out.', 10_000),
  subject('proper-lockfile', 'proper-lockfile', 'library', 'A folder that exists, renewed by a timer.', 1),
  subject('os-lock', 'os-lock', 'library', 'fcntl(2) on a file.', 1),
  subject(
    'async-mutex',
    'async-mutex',
    'in-process',
    'A queue of promises within one process: the lower bound.',
    100_000,
    false,
  ),
  subject(
    'redis-semaphore',
    'redis-semaphore with redis-server',
    'service',
    'A key of a Redis server that expires.',
    1_000,
  ),
  subject('postgres-advisory', 'PostgreSQL advisory locks', 'service', 'A session of a PostgreSQL server.', 100_000),
  subject('flock-1', 'flock(1)', 'program', 'flock(2), one program a claim.', 1),
  subject('procref-crate', 'crate procref 0.1.0', 'program', 'The Rust program of the seed.', 1_000),
  {
    ...subject(
      'cross-process-lock',
      'cross-process-lock',
      'library',
      'A file that exists, with a process id in it.',
      1,
    ),
    unavailable: { reason: 'It is not installed.', remedy: 'npm install cross-process-lock' },
  },
  {
    ...subject('rust-snippet', 'The Rust snippet of the first description', 'program', 'flock(2) from Rust.', 100),
    unavailable: { reason: 'There is no Rust compiler (rustc) on the PATH.', remedy: 'apt-get install rustc cargo' },
  },
]

function subject(
  name: string,
  title: string,
  kind: string,
  summary: string,
  maxSlots: number,
  betweenProcesses = true,
): SubjectInfo {
  return { name, title, summary, kind, maxSlots, betweenProcesses, waits: 'woken by the kernel', version: '1.0.0' }
}

/** µs for a claim and its release. */
const COSTS: Readonly<Record<string, number>> = {
  ...{ 'c-floor': 2.9, native: 4.1, 'ofd-range': 3.3, hybrid: 4.4, 'robust-mutex': 0.9, sysv: 1.4, flock: 9.7 },
  ...{ lockfile: 410, 'fs-ext': 21, 'proper-lockfile': 620, 'os-lock': 14, 'async-mutex': 0.21 },
  ...{ 'redis-semaphore': 188, 'postgres-advisory': 240, 'flock-1': 2_900, 'procref-crate': 6.2 },
}

function scenarioResults(random: () => number): readonly ScenarioResult[] {
  const names = Object.keys(COSTS)
  const cost = (name: string): number => COSTS[name] ?? 1
  const one = (
    name: string,
    title: string,
    unit: ScenarioResult['unit'],
    of: (subject: string) => number,
  ): ScenarioResult => ({
    ...frame(name, title, unit),
    series: names.map((subject) => ({ subject, points: [summarize(around(of(subject), 60, random))] })),
  })
  return [
    {
      ...one('uncontended', 'A claim and its release, nobody else there', 'µs', cost),
      leftOut: [{ subject: 'rust-snippet', reason: 'It is not installed.' }],
    },
    {
      ...growing(
        'contended',
        'A claim and its release, while others do the same',
        'µs',
        'Processes',
        [2, 8, 32],
        names,
        random,
        (name, at) => cost(name) * at ** 1.1,
      ),
      leftOut: [{ subject: 'async-mutex', reason: 'It works within one process only, and here are several.' }],
      failed: [
        { subject: 'lockfile', message: 'The 17th process gave up after 30 s: its folder was renewed by another one.' },
      ],
    },
    {
      ...growing(
        'fullness',
        'A claim, the fuller the pool is',
        'µs',
        'Pool',
        ['1 %', '50 %', '99 %'],
        names.slice(0, 9),
        random,
        (name, at) => cost(name) * (at === '99 %' ? 9 : 1),
      ),
      axis: { title: 'Share of the pool that is held', scale: 'category' },
    },
    growing(
      'slots',
      'A claim, the larger the pool is',
      'µs',
      'Permits',
      [100, 1_000, 10_000, 100_000],
      names.slice(0, 14),
      random,
      (name, at) => cost(name) * (['fs-ext', 'lockfile', 'procref-crate'].includes(name) ? at / 100 : 1),
    ),
    one('crash-to-claim', 'From SIGKILL of the holder to the next claim', 'ms', (name) =>
      name === 'lockfile' || name === 'proper-lockfile' ? 10_200 : 0.2 + cost(name) / 1_000,
    ),
    {
      ...frame('last-holder', 'From the last holder’s death to the server’s stop', 'ms'),
      series: ['native', 'flock', 'ofd-range'].map((subject, n) => ({
        subject,
        points: [summarize(around(40 + 9 * n, 30, random, 0.05))],
      })),
    },
    {
      ...frame('connect', 'A connection to the shared server', 'ms'),
      series: [
        ...['cold', 'warm'].flatMap((variant) =>
          ['embedded', 'binary'].map((subject) => ({
            subject,
            variant,
            points: [summarize(around(variant === 'cold' ? 210 : 9.1, 40, random))],
          })),
        ),
        { subject: 'bare SDK', points: [summarize(around(8.2, 40, random))] },
      ],
    },
    growing(
      'simultaneous',
      'Many first connections at once, until all are served',
      'ms',
      'Clients',
      [1, 10, 50, 200],
      ['embedded', 'binary'],
      random,
      (_, at) => 180 + 3 * at,
    ),
    {
      ...frame('at-rest', 'The guardian at rest: voluntary context switches', 'per second'),
      series: ['native', 'flock'].map((subject, n) => ({ subject, points: [summarize([0.4 + n, 0.5 + n, 0.4 + n])] })),
    },
    {
      ...growing(
        'throughput',
        'Queries a second, the more clients there are',
        'per second',
        'Clients',
        [1, 4, 16, 64],
        ['in-process engine', 'embedded', 'binary'],
        random,
        (_, at) => 2_000 * at ** 0.3,
      ),
      better: 'higher',
    },
    growing(
      'database-size',
      'A query, the larger the database is',
      'ms',
      'Database, MB',
      [1, 10, 100, 1_000],
      ['embedded', 'binary'],
      random,
      (_, at) => 0.4 * at ** 0.12,
    ),
  ]
}

function frame(name: string, title: string, unit: ScenarioResult['unit']): Omit<ScenarioResult, 'series'> {
  return {
    ...{ name, title, unit, better: 'lower', leftOut: [], failed: [] },
    question: 'What does this cost a program, and how does it depend on what else goes on?',
    method:
      'A process of its own does it for two seconds, five times, each time in a new folder; each sample is the mean of a batch that is long enough for the clock.',
  }
}

function growing(
  name: string,
  title: string,
  unit: ScenarioResult['unit'],
  axis: string,
  ats: readonly (number | string)[],
  subjects: readonly string[],
  random: () => number,
  of: (subject: string, at: never) => number,
): ScenarioResult {
  const series = subjects.map((subject): Series => {
    const points = ats.map((at) => summarize(around(of(subject, at as never), 40, random), at))
    return { subject, points, ...(typeof ats[0] === 'number' ? { exponent: fittedExponent(points) ?? never() } : {}) }
  })
  return { ...frame(name, title, unit), axis: { title: axis, scale: 'log' }, series }
}

function never(): never {
  throw new Error('a fit of several points has an exponent')
}

const EXPERIMENTS = {
  kill: 'A holder is killed with SIGKILL while another process waits',
  stop: 'A holder stands still (SIGSTOP, a debugger): is its permit taken away?',
  fork: 'A copy of a holder, made by fork() without exec, outlives it: is the permit lost?',
  child: 'A program that a holder started outlives it: is the permit stuck?',
  deleted: "The pool's files, or its folder, are deleted while a permit is held: does a second holder get in?",
  full: 'All permits are held: who asks for one more?',
  'pid-reuse': 'The holder dies, and an unrelated process gets its PID',
  herd: 'Many processes wait for the only permit, and it is released once',
  platforms: 'Which platforms does it declare, and does it work on this one?',
  stale: 'A holder was killed; what does a process that comes afterwards find?',
  maximum: 'How many permits can a pool have?',
}

function experimentResults(): readonly ExperimentResult[] {
  const verdicts = ['holds', 'holds', 'holds', 'breaks', 'holds', 'not-applicable', 'holds', 'unanswered'] as const
  const findings = {
    holds: 'free after 0.4 ms',
    breaks: 'kept for ever by a dead process',
    'not-applicable': 'has no files',
    unanswered: 'no outcome in 30 s',
  }
  return Object.entries(EXPERIMENTS).flatMap(([experiment, title], e) =>
    SUBJECTS.filter(({ unavailable }) => unavailable === undefined).map(({ name }, s) => {
      const verdict = verdicts[(e * 5 + s * 3) % verdicts.length] ?? 'holds'
      const evidence =
        'A claimed a permit, was killed with SIGKILL and waited for; B, which had waited since before, was asked when it had it.'
      return { experiment, title, subject: name, verdict, finding: findings[verdict], evidence, tookMs: 120 }
    }),
  )
}

/** Skewed to the right, as times are. */
function around(median: number, count: number, random: () => number, spread = 0.12): readonly number[] {
  return Array.from({ length: count }, () => {
    const normal = Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random())
    return median * Math.exp(spread * normal) * (random() < 0.02 ? 1.5 + 2 * random() : 1)
  })
}

/** Numbers from 0 to 1, the same for the same seed. (Park and Miller.) */
export function randomNumbers(seed: number): () => number {
  let state = seed
  return () => {
    state = (state * 48_271) % 2_147_483_647
    return state / 2_147_483_647
  }
}
