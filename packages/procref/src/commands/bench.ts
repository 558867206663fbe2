import { randomUUID } from 'node:crypto'
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import type { Results, Scale } from '@procref/bench'
import { EXIT_CODE, UsageError } from '../cli/exit-code.ts'
import { type Colors, colorsFor, note, print, printJson } from '../cli/output.ts'
import { createProgressLine } from '../cli/progress.ts'
import { formatTable } from '../cli/table.ts'
import { BenchNotInstalledError } from '../errors.ts'
import { isFailureOfOurs } from './failed-by-us.ts'

export interface BenchOptions {
  readonly json?: boolean
  readonly list?: boolean
  readonly scale: Scale
  readonly subjects?: readonly string[]
  readonly services?: readonly string[]
  readonly only?: readonly string[]
  readonly output: string
  readonly compare?: string
}

/** What `procref bench --json` prints: where everything is. The numbers are in the file `results`. */
export interface BenchOutcome {
  readonly results: string
  readonly report: string
  readonly failed: readonly { readonly scenario: string; readonly subject: string; readonly message: string }[]
}

type Bench = typeof import('@procref/bench')

/** Measures, writes a results file and a report into a folder, and prints the summary. */
export async function runBench(options: BenchOptions): Promise<void> {
  const bench = await loadBench()
  if (options.list === true) return list(bench, options)
  checkNames(bench, options)
  // Before an hour of measuring: what can be wrong with the names of files is wrong now.
  const before =
    options.compare === undefined ? undefined : bench.readResults(await readNamed(options.compare), options.compare)
  const folder = resolve(options.output)
  await mkdir(folder, { recursive: true })

  const results = await measure(bench, options)
  const comparison = before === undefined ? undefined : bench.compare(results, before)
  const name = results.date.replace(/[-:]/g, '').replace(/\.\d+Z$/, 'Z')
  const outcome: BenchOutcome = {
    results: join(folder, `${name}.json`),
    report: join(folder, `${name}.html`),
    failed: results.scenarios.flatMap(({ name: scenario, failed }) => failed.map((one) => ({ scenario, ...one }))),
  }
  await writeWhole(outcome.results, `${JSON.stringify(results)}\n`)
  await writeWhole(outcome.report, bench.reportHtml(results, comparison))

  if (outcome.failed.some(({ subject }) => isFailureOfOurs(results, subject))) process.exitCode = EXIT_CODE.failed
  if (options.json === true) return printJson(outcome)
  print(viewResults(bench, results, colorsFor(1)))
  if (comparison !== undefined) print(`\n${formatTable(bench.comparisonTable(comparison))}`)
  for (const { scenario, subject, message } of outcome.failed) {
    note(`${colorsFor(2).red('failed:')} ${subject} in ${scenario}: ${message}`)
  }
  print(`\nreport   ${outcome.report}\nresults  ${outcome.results}`)
}

async function loadBench(): Promise<Bench> {
  try {
    return await import('@procref/bench')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ERR_MODULE_NOT_FOUND') throw error
    throw new BenchNotInstalledError({ cause: error })
  }
}

function checkNames(bench: Bench, options: BenchOptions): void {
  try {
    bench.checkNames(options)
  } catch (error) {
    if (error instanceof bench.UnknownNameError) throw new UsageError(error.message)
    throw error
  }
}

async function measure(bench: Bench, options: BenchOptions): Promise<Results> {
  using interrupted = endOnSignal()
  using progress = showProgress()
  return await bench.runBenchmarks({
    scale: options.scale,
    ...(options.subjects === undefined ? {} : { subjects: options.subjects }),
    ...(options.services === undefined ? {} : { services: options.services }),
    ...(options.only === undefined ? {} : { only: options.only }),
    onProgress: progress.update,
    signal: interrupted.signal,
  })
}

/** The first Ctrl-C ends what was started, which takes some moments; the second one ends this process as it is. */
function endOnSignal(): { readonly signal: AbortSignal } & Disposable {
  const controller = new AbortController()
  const onSignal = (signal: NodeJS.Signals): void => {
    stopListening()
    note(`${signal}: ending what was started …`)
    controller.abort(new Error('Interrupted: nothing was written.'))
  }
  const stopListening = (): void => {
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.off(signal, onSignal)
  }
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, onSignal)
  return { signal: controller.signal, [Symbol.dispose]: stopListening }
}

/** On a terminal one changing line; in a log one line for each scenario. */
function showProgress(): {
  readonly update: NonNullable<Parameters<Bench['runBenchmarks']>[0]>['onProgress'] & {}
} & Disposable {
  const line = createProgressLine()
  const begun = new Set<string>()
  return {
    update: ({ done, of, title, message }) => {
      line.update(`${done + 1} of ${of}  ${title}: ${message}`)
      // Some go on at the same time.
      if (process.stderr.isTTY || begun.has(title)) return
      begun.add(title)
      note(`${done + 1} of ${of}  ${title}`)
    },
    [Symbol.dispose]: () => line[Symbol.dispose](),
  }
}

function viewResults(bench: Bench, results: Results, colors: Colors): string {
  const missing = [...missingBy(bench, [...results.subjects, ...results.services])].map(
    ([why, titles]) => `${colors.yellow('not measured:')} ${titles.join(', ')}. ${why}`,
  )
  const goals = results.goals.map(
    ({ goal, value, limit, unit, better, isMet }) =>
      `${isMet ? colors.green('met   ') : colors.red('missed')} ${goal}: ${bench.formatValue(value, unit)} ` +
      `(goal: ${better === 'lower' ? 'at most' : 'at least'} ${bench.formatValue(limit, unit)})`,
  )
  return [...bench.summaryTables(results).map((table) => `${formatTable(table)}\n`), ...missing, ...goals].join('\n')
}

/** The titles of what could not be measured, by why not and how to have it. */
function missingBy(bench: Bench, all: Results['services']): ReadonlyMap<string, readonly string[]> {
  const by = new Map<string, string[]>()
  for (const { title, unavailable } of all) {
    if (unavailable === undefined) continue
    const why = bench.howToHave(unavailable)
    by.set(why, [...(by.get(why) ?? []), title])
  }
  return by
}

async function list(bench: Bench, { json }: BenchOptions): Promise<void> {
  const known = await bench.listBenchmarks()
  if (json === true) return printJson(known)
  const described = ({ name, summary, unavailable }: (typeof known)['services'][number]): readonly string[] => [
    name,
    unavailable === undefined ? summary : `${summary} (not here: ${unavailable.reason}; ${unavailable.remedy})`,
  ]
  const benchmarks = known.benchmarks.map(({ name, title, scale }) => [name, `${title} (from --scale ${scale})`])
  print(
    [
      ...['Subjects:', indented(known.subjects.map(described)), ''],
      ...['Services:', indented(known.services.map(described)), ''],
      ...['Scenarios and experiments:', indented(benchmarks)],
    ].join('\n'),
  )
}

function indented(rows: readonly (readonly string[])[]): string {
  return formatTable(rows.map((row) => ['', ...row]))
}

async function readNamed(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8')
  } catch (error) {
    throw new UsageError(`The results to compare with cannot be read: ${(error as Error).message}`)
  }
}

/** Whole or not at all: a report cut short would be taken for one. */
async function writeWhole(path: string, text: string): Promise<void> {
  const unfinished = `${path}.${randomUUID()}`
  await writeFile(unfinished, text, { flag: 'wx' })
  await rename(unfinished, path)
}
