import { formatDate, formatNumber, formatValue } from './format.ts'
import { markdownTable } from './markdown-table.ts'
import { circumstances } from './pages.ts'
import { type PointName, pointOf } from './point-of.ts'
import type { Point, Results, Unit } from './results.ts'

/** tests/soak/results/load.json, as far as it is needed here. */
export interface Load {
  readonly date: string
  readonly embedded: readonly Burden[]
  readonly real: readonly Burden[]
}

interface Burden {
  readonly burden: string
  readonly outcome: { readonly connections?: number }
  readonly rssMb: { readonly before: number; readonly peak: number }
}

/** tests/soak/results/dump.json, as far as it is needed here. */
export interface Dumps {
  readonly date: string
  readonly results: readonly Dump[]
}

interface Dump {
  readonly server: 'embedded' | 'real'
  readonly storage: string
  readonly rows: number
  readonly length: number
  readonly megabytes: number
  readonly export: { readonly tookMs: number }
  readonly import: { readonly tookMs: number }
}

/** The two kinds of server, by their names in the results of the benchmarks and of the soaks. */
const KINDS = [
  { title: '`surreal`', service: 'procref-executable-native', server: 'real' },
  { title: 'embedded', service: 'procref-embedded-native', server: 'embedded' },
] as const
type Kind = (typeof KINDS)[number]

/** What is asked of a machine is planned with half of what it can: at the end of the curve everybody waits for everybody. */
const PLANNED_SHARE = 0.5
const QUESTIONS_A_SECOND = [1, 10, 100]

/** The measured parts of docs/scaling.md, by the names of their places. Throws, naming it, where a number was not measured. */
export function scalingSections(results: Results, load: Load, dumps: Dumps): Readonly<Record<string, string>> {
  const facts = KINDS.map((kind) => factsOf(results, load, kind))
  return {
    machine: `Medians of one run on one virtual machine: ${circumstances(results)}. Clients and server share its processors. Connections that do nothing: ${formatDate(load.date)} UTC; exports and imports: ${formatDate(dumps.date)} UTC.`,
    measured: measuredTable(facts),
    queries: queriesTable(facts),
    memory: memoryText(results, facts),
    data: dataText(facts),
    move: moveTable(dumps),
  }
}

interface Facts {
  readonly kind: Kind
  /** By the number of clients. */
  readonly crowds: readonly Crowd[]
  readonly processorUs: number
  readonly idleConnections: number
  readonly idleMb: number
  /** The smallest and the largest database. */
  readonly databases: readonly [Database, Database]
}

interface Crowd {
  readonly clients: number
  readonly rate: number
  readonly waitMs: Point
  readonly serverMb: number
}

interface Database {
  readonly mb: number
  readonly startMs: number
  readonly lookupMs: number
  readonly serverMb: number
}

function factsOf(results: Results, load: Load, kind: Kind): Facts {
  const subject = kind.service
  const at = (scenario: string, where?: number): Point =>
    measured(results, { scenario, subject, ...(where !== undefined && { at: where }) })
  const places = (scenario: string): readonly number[] =>
    (
      results.scenarios.find(({ name }) => name === scenario)?.series.find((one) => one.subject === subject)?.points ??
      []
    )
      .map((point) => point.at)
      .filter((place) => typeof place === 'number')
  const crowds = places('growing-clients').map((clients) => ({
    clients,
    rate: at('growing-clients-rate', clients).p50,
    waitMs: at('growing-clients', clients),
    serverMb: at('growing-clients-memory', clients).p50,
  }))
  const databases = places('growing-database').map((mb) => ({
    mb,
    startMs: at('growing-database', mb).p50,
    lookupMs: at('growing-database-lookup', mb).p50,
    serverMb: at('growing-database-memory', mb).p50,
  }))
  const [small, large] = [databases[0], databases.at(-1)]
  if (crowds.length < 2 || small === undefined || large === undefined || small === large) {
    throw new Error(`results/full.json has no curve of growing clients and databases for ${subject}`)
  }
  const processor = results.scenarios
    .find(({ name }) => name === 'small-queries-processor')
    ?.series.find((one) => one.subject === subject)
    ?.points.at(-1)
  if (processor === undefined) throw new Error(`results/full.json has no small-queries-processor for ${subject}`)
  const idle = load[kind.server].find(({ burden }) => burden === 'idle connections')
  const connections = idle?.outcome.connections
  if (idle === undefined || connections === undefined)
    throw new Error(`load.json has no idle connections of ${kind.server}`)
  return {
    kind,
    crowds,
    processorUs: processor.p50,
    idleConnections: connections,
    idleMb: (idle.rssMb.peak - idle.rssMb.before) / connections,
    databases: [small, large],
  }
}

function measured(results: Results, name: PointName): Point {
  const point = pointOf(results.scenarios, name)
  if (point === undefined) throw new Error(`results/full.json does not have ${JSON.stringify(name)}`)
  return point
}

function measuredTable(facts: readonly Facts[]): string {
  const row = (title: string, unit: Unit, value: (of: Facts) => number): readonly string[] => [
    title,
    ...facts.map((of) => formatValue(value(of), unit)),
  ]
  const [any] = facts
  if (any === undefined) throw new Error('no kind of server')
  const [small, large] = any.databases
  const most = lastCrowd(any).clients
  return markdownTable([
    ['', ...facts.map(({ kind }) => kind.title)],
    row('small queries, one client, one after the other', 'per second', ({ crowds }) => crowds[0]?.rate ?? Number.NaN),
    row('small queries of all together, at best', 'per second', ({ crowds }) =>
      Math.max(...crowds.map(({ rate }) => rate)),
    ),
    row(`small queries of ${most} clients together`, 'per second', (of) => lastCrowd(of).rate),
    row('an answer, one client: median', 'ms', ({ crowds }) => crowds[0]?.waitMs.p50 ?? Number.NaN),
    row(`an answer, ${most} clients that all ask all the time: median`, 'ms', (of) => lastCrowd(of).waitMs.p50),
    row(`an answer, ${most} clients that all ask all the time: 99 of 100`, 'ms', (of) => lastCrowd(of).waitMs.p99),
    row('processor time of the server for a small query, when many ask', 'µs', ({ processorUs }) => processorUs),
    row('memory of the server, one client', 'MB', ({ crowds }) => crowds[0]?.serverMb ?? Number.NaN),
    row(`memory of the server, ${most} clients that all ask all the time`, 'MB', (of) => lastCrowd(of).serverMb),
    row(
      `memory for a connection that does nothing (of ${formatNumber(any.idleConnections)})`,
      'MB',
      ({ idleMb }) => idleMb,
    ),
    row(
      `a row by its id, ${formatNumber(small.mb)} MB in the database: median`,
      'ms',
      ({ databases }) => databases[0].lookupMs,
    ),
    row(`a row by its id, ${formatNumber(large.mb)} MB`, 'ms', ({ databases }) => databases[1].lookupMs),
    row(`memory of the server, ${formatNumber(small.mb)} MB`, 'MB', ({ databases }) => databases[0].serverMb),
    row(`memory of the server, ${formatNumber(large.mb)} MB`, 'MB', ({ databases }) => databases[1].serverMb),
    row(`the first connect, ${formatNumber(small.mb)} MB`, 'ms', ({ databases }) => databases[0].startMs),
    row(`the first connect, ${formatNumber(large.mb)} MB`, 'ms', ({ databases }) => databases[1].startMs),
  ])
}

function queriesTable(facts: readonly Facts[]): string {
  return markdownTable([
    ['small queries that each client asks', ...facts.map(({ kind }) => kind.title)],
    ...QUESTIONS_A_SECOND.map((each) => [
      `${formatNumber(each)} a second`,
      ...facts.map((of) => {
        const clients = Math.floor((lastCrowd(of).rate * PLANNED_SHARE) / each)
        return `${formatNumber(clients)} clients`
      }),
    ]),
  ])
}

/** A program that does nothing is counted as the Node process that stood beside the guardians at rest. */
function memoryText(results: Results, facts: readonly Facts[]): string {
  const guardian = { scenario: 'at-rest-memory', subject: KINDS[0].service }
  const beyond = measured(results, { ...guardian, variant: 'beyond a bare Node process' })
  const program = measured(results, guardian).p50 - beyond.p50
  const { memoryGb } = results.machine
  const rows = facts.map((of) => {
    const first = of.crowds[0]?.serverMb ?? Number.NaN
    const last = lastCrowd(of)
    const each = Math.max(of.idleMb, (last.serverMb - first) / (last.clients - 1))
    const clients = Math.floor((memoryGb * 1024 - first) / (program + each))
    return [of.kind.title, ...[first, each, program].map((mb) => formatValue(mb, 'MB')), formatNumber(clients)]
  })
  const table = markdownTable([
    [
      '',
      'the server with one client',
      'each further client in the server',
      'the client itself, a Node process that does nothing',
      `clients in ${memoryGb} GB`,
    ],
    ...rows,
  ])
  const slots = (name: string): string => {
    const subject = results.subjects.find((one) => one.name === name)
    if (subject === undefined) throw new Error(`results/full.json has no subject ${name}`)
    return formatNumber(subject.maxSlots)
  }
  return `${table}\n\nThere are 100 slots unless \`slots\` asks for more: up to ${slots('native')} of \`native()\` and \`flock()\`, ${slots('ofd-range')} of \`ofdRange()\`.`
}

function dataText(facts: readonly Facts[]): string {
  const rows = facts.map(({ kind, databases: [small, large] }) => {
    const times = formatValue(large.lookupMs / small.lookupMs, 'ratio')
    const memory = formatValue(large.serverMb / small.serverMb, 'ratio')
    return `With ${kind.title} ${formatNumber(large.mb / small.mb)} times the data (${formatNumber(small.mb)} MB, then ${formatNumber(large.mb)} MB) made a lookup take ${times} the time, and the server ${memory} the memory.`
  })
  return rows.join(' ')
}

/** Small rows cost by the row, large ones by the byte: all sizes that both kinds of server were measured with. */
function moveTable(dumps: Dumps): string {
  const rocksdb = dumps.results.filter(({ storage }) => storage === 'rocksdb')
  const sizes = rocksdb.filter(({ server }) => server === KINDS[0].server)
  const took = ({ rows, length }: Dump, kind: Kind): readonly string[] => {
    const dump = rocksdb.find((one) => one.server === kind.server && one.rows === rows && one.length === length)
    if (dump === undefined) throw new Error(`dump.json has no ${rows} rows of ${length} characters of ${kind.server}`)
    return [dump.export, dump.import].map(({ tookMs }) => formatValue(tookMs, 'ms'))
  }
  return markdownTable([
    ['', ...KINDS.flatMap(({ title }) => [`${title}: export`, 'import'])],
    ...sizes.map((size) => [
      `${formatNumber(size.rows)} rows of ${formatNumber(size.length)} characters, ${formatValue(size.megabytes, 'MB')}`,
      ...KINDS.flatMap((kind) => took(size, kind)),
    ]),
  ])
}

function lastCrowd({ crowds }: Facts): Crowd {
  const last = crowds.at(-1)
  if (last === undefined) throw new Error('no crowd was measured')
  return last
}
