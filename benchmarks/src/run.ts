import { setMaxListeners } from 'node:events'
import { mkdir, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { ProcrefError } from '@procref/core'
import { killAllProcesses } from './actor/json-process.ts'
import { saidBy } from './actor/said-by.ts'
import { eachAtOnce } from './each-at-once.ts'
import type { Experiment } from './experiment.ts'
import { EXPERIMENTS } from './experiments/index.ts'
import { goalsOf } from './goals.ts'
import { describeMachine } from './machine.ts'
import { NoiseMeter } from './noise.ts'
import type { Results, Scale, ScenarioResult, ServiceInfo, SubjectInfo } from './results.ts'
import type { Scenario, ScenarioContext, UsableService, UsableSubject } from './scenario.ts'
import { SCENARIOS } from './scenarios/index.ts'
import type { Service } from './service.ts'
import { SERVICES } from './services/index.ts'
import { CannotPrepareError, type PreparedSubject, type Subject, type Unavailable } from './subject.ts'
import { SUBJECTS } from './subjects/index.ts'

const SCALES: readonly Scale[] = ['guard', 'quick', 'full']
/** So often is the machine's pace taken before each scenario. */
const PACES = 5
/** They see what happens, and most of the time wait for it; how long it took is only told beside it. */
const EXPERIMENTS_AT_ONCE: Readonly<Record<Scale, number>> = { guard: 1, quick: 3, full: 1 }
/** A process that was just ended may still be writing. */
const REMOVE = { recursive: true, force: true, maxRetries: 10 } as const

let isRunning = false

export interface RunOptions {
  readonly scale?: Scale
  /** By name; left out: all. */
  readonly subjects?: readonly string[]
  /** By name; left out: all. */
  readonly services?: readonly string[]
  /** Scenarios and experiments, by name; left out: all of the scale. Named ones run whatever their own scale is. */
  readonly only?: readonly string[]
  readonly onProgress?: (progress: Progress) => void
  readonly signal?: AbortSignal
}

export interface Progress {
  readonly done: number
  readonly of: number
  /** What is being measured. */
  readonly title: string
  readonly message: string
}

/**
 * Measures, and leaves nothing behind: each scenario has a folder of its own under the system's temporary one, and every process is ended.
 * What fails is told in its place in the results, and the others go on. Throws `UnknownNameError`, and the signal's reason.
 */
export async function runBenchmarks(options: RunOptions = {}): Promise<Results> {
  const { scale = 'quick' } = options
  return await runChosen({
    scale,
    subjects: chooseNamed('subject', SUBJECTS, options.subjects),
    services: chooseNamed('service', SERVICES, options.services),
    benchmarks: chooseNamed('scenario or experiment', [...SCENARIOS, ...EXPERIMENTS], options.only).filter(
      (one) => works(one) && (options.only !== undefined || isIn(one, scale)),
    ),
    ...(options.onProgress === undefined ? {} : { onProgress: options.onProgress }),
    ...(options.signal === undefined ? {} : { signal: options.signal }),
  })
}

/** As `runBenchmarks`, with what the caller has chosen or made. */
export async function runChosen(
  chosen: Pick<RunOptions, 'onProgress' | 'signal'> & {
    readonly scale: Scale
    readonly subjects: readonly Subject[]
    readonly services: readonly Service[]
    readonly benchmarks: readonly (Scenario | Experiment)[]
  },
): Promise<Results> {
  const { scale, onProgress, benchmarks } = chosen
  const signal = AbortSignal.any(chosen.signal === undefined ? [] : [chosen.signal])
  // As many listen as are measured at the same time.
  setMaxListeners(0, signal)
  if (isRunning)
    throw new Error('A run is going on in this process, and two at once would measure each other: await the first one.')
  isRunning = true
  const onAbort = (): void => void killAllProcesses()
  signal.addEventListener('abort', onAbort, { once: true })
  const began = new Date()
  const noise = new NoiseMeter()
  const home = await mkdtemp(join(tmpdir(), 'procref-bench-'))
  const prepared: PreparedSubject[] = []
  try {
    const { usable, infos } = await prepareAll(chosen.subjects, { home, signal, onProgress, all: prepared })
    const offered = await offer(chosen.services, home)
    /** Each has a folder of its own; all that was left in them is removed when the last one has ended. */
    const runAll = async <B extends Scenario | Experiment, R>(
      all: readonly B[],
      atOnce: number,
      runOne: (one: B, context: ScenarioContext) => Promise<R>,
    ): Promise<readonly R[]> => {
      try {
        return await eachAtOnce(all, atOnce, async (one) => {
          signal.throwIfAborted()
          for (let n = 0; n < PACES; n++) noise.sample()
          const own = join(home, one.name)
          await mkdir(own, { mode: 0o700 })
          const done = benchmarks.indexOf(one)
          const say = (message: string): void =>
            onProgress?.({ done, of: benchmarks.length, title: one.title, message })
          return await runOne(one, { home: own, scale, subjects: usable, services: offered.usable, signal, say })
        })
      } finally {
        for (const subject of prepared) await subject.sweep?.()
        for (const { name } of all) await rm(join(home, name), REMOVE)
      }
    }
    const scenarios: ScenarioResult[] = []
    for (const one of benchmarks.filter((any) => 'measure' in any)) {
      scenarios.push(...(await runAll([one], 1, measured)).flat())
    }
    const watched = benchmarks.filter((any) => 'observe' in any)
    const experiments = await runAll(watched, EXPERIMENTS_AT_ONCE[scale], (one, context) => one.observe(context))
    signal.throwIfAborted()
    return {
      format: 1,
      date: began.toISOString(),
      tookSeconds: Math.round((Date.now() - began.getTime()) / 1_000),
      scale,
      machine: describeMachine(home),
      noise: noise.end(),
      versions: { node: process.versions.node },
      subjects: infos,
      services: offered.infos,
      scenarios,
      experiments: experiments.flat(),
      goals: goalsOf(scenarios),
    }
  } finally {
    signal.removeEventListener('abort', onAbort)
    isRunning = false
    for (const subject of prepared.reverse()) await disposed(subject)
    await rm(home, REMOVE)
  }
}

/** What one subject leaves behind is told, and takes no results with it. */
async function disposed(subject: PreparedSubject): Promise<void> {
  try {
    await subject[Symbol.asyncDispose]()
  } catch (error) {
    process.emitWarning(`Something of the benchmark may be left: ${error instanceof Error ? error.message : error}`)
  }
}

/** All that can be measured here. */
export async function listBenchmarks(): Promise<{
  readonly subjects: readonly SubjectInfo[]
  readonly services: readonly ServiceInfo[]
  readonly benchmarks: readonly { readonly name: string; readonly title: string; readonly scale: Scale }[]
}> {
  const home = await mkdtemp(join(tmpdir(), 'procref-bench-'))
  try {
    const subjects: SubjectInfo[] = []
    for (const subject of SUBJECTS) subjects.push(infoOf(subject, undefined, await subject.unavailable(home)))
    const benchmarks = [...SCENARIOS, ...EXPERIMENTS]
      .filter(works)
      .map(({ name, title, scale }) => ({ name, title, scale }))
    const { infos: services } = await offer(SERVICES, home)
    return { subjects, services, benchmarks }
  } finally {
    await rm(home, REMOVE)
  }
}

/** Throws `UnknownNameError` when something is named that does not exist; measures nothing. */
export function checkNames({ subjects, services, only }: Pick<RunOptions, 'subjects' | 'services' | 'only'>): void {
  chooseNamed('subject', SUBJECTS, subjects)
  chooseNamed('service', SERVICES, services)
  chooseNamed('scenario or experiment', [...SCENARIOS, ...EXPERIMENTS], only)
}

/** One scenario that fails as a whole does not take the results of the others with it. */
async function measured(scenario: Scenario, context: ScenarioContext): Promise<readonly ScenarioResult[]> {
  try {
    const results = [await scenario.measure(context)].flat()
    return results.map((result) => ({
      ...result,
      failed: result.failed.map((one) => withoutFolder(one, context.home)),
    }))
  } catch (error) {
    context.signal.throwIfAborted()
    const message = saidBy(error)
    const { name, title } = scenario
    const nothing = { question: '', method: '', unit: 'count', better: 'lower', series: [], leftOut: [] } as const
    return [{ name, title, ...nothing, failed: [{ subject: 'all', message }] }]
  }
}

/** Where the run had its files says nothing to who reads its results. */
function withoutFolder<F extends { readonly message: string }>(failure: F, folder: string): F {
  return { ...failure, message: failure.message.replaceAll(`${folder}/`, '') }
}

async function prepareAll(
  chosen: readonly Subject[],
  {
    home,
    signal,
    onProgress,
    all,
  }: {
    readonly home: string
    readonly signal: AbortSignal
    readonly onProgress: RunOptions['onProgress']
    /** Gets each as soon as it has something to be ended. */
    readonly all: PreparedSubject[]
  },
): Promise<{ readonly usable: readonly UsableSubject[]; readonly infos: readonly SubjectInfo[] }> {
  const usable: UsableSubject[] = []
  const infos: SubjectInfo[] = []
  for (const [done, subject] of chosen.entries()) {
    signal.throwIfAborted()
    onProgress?.({ done, of: chosen.length, title: 'Preparing', message: subject.title })
    const got = (await subject.unavailable(home)) ?? (await prepareOrSay(subject, home))
    if ('command' in got) {
      all.push(got)
      usable.push({ subject, prepared: got })
      infos.push(infoOf(subject, got.version, undefined))
    } else {
      const { reason, remedy } = got
      infos.push(infoOf(subject, undefined, { reason, remedy }))
    }
  }
  return { usable, infos }
}

async function prepareOrSay(subject: Subject, home: string): Promise<PreparedSubject | Unavailable> {
  try {
    return await subject.prepare(home)
  } catch (error) {
    if (error instanceof CannotPrepareError) return error
    throw error
  }
}

/** Nothing has to be started for services here: each scenario starts what it measures. */
async function offer(
  chosen: readonly Service[],
  home: string,
): Promise<{ readonly usable: readonly UsableService[]; readonly infos: readonly ServiceInfo[] }> {
  const usable: UsableService[] = []
  const infos: ServiceInfo[] = []
  for (const service of chosen) {
    const { name, title, summary, kind } = service
    const unavailable = await service.unavailable(home)
    const version = unavailable === undefined ? await service.version() : undefined
    if (version !== undefined) usable.push({ service, version })
    infos.push({
      ...{ name, title, summary, kind },
      ...(version === undefined ? {} : { version }),
      ...(unavailable === undefined ? {} : { unavailable }),
    })
  }
  return { usable, infos }
}

function infoOf(subject: Subject, version: string | undefined, unavailable: Unavailable | undefined): SubjectInfo {
  const { name, title, summary, kind, maxSlots, betweenProcesses, waits } = subject
  return {
    ...{ name, title, summary, kind, maxSlots, betweenProcesses, waits },
    ...(version === undefined ? {} : { version }),
    ...(unavailable === undefined ? {} : { unavailable }),
  }
}

function isIn(one: Scenario | Experiment, scale: Scale): boolean {
  return SCALES.indexOf(one.scale) <= SCALES.indexOf(scale)
}

function works(one: Scenario | Experiment): boolean {
  return one.needsLinux !== true || process.platform === 'linux'
}

function chooseNamed<T extends { readonly name: string }>(
  what: string,
  all: readonly T[],
  names: readonly string[] | undefined,
): readonly T[] {
  if (names === undefined) return all
  const unknown = names.find((name) => !all.some((one) => one.name === name))
  if (unknown !== undefined) throw new UnknownNameError(what, unknown, all)
  return all.filter(({ name }) => names.includes(name))
}

/** A subject, service, scenario or experiment was asked for that does not exist. */
export class UnknownNameError extends ProcrefError {
  static readonly code = 'PROCREF_UNKNOWN_NAME'
  constructor(what: string, name: string, all: readonly { readonly name: string }[]) {
    super(
      UnknownNameError.code,
      `There is no ${what} ${JSON.stringify(name)}. There are: ${all.map((one) => one.name).join(', ')}.`,
    )
  }
}
