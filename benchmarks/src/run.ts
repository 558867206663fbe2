import { mkdir, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Experiment } from './experiment.ts'
import { EXPERIMENTS } from './experiments/index.ts'
import { goalsOf } from './goals.ts'
import { describeMachine } from './machine.ts'
import { NoiseMeter } from './noise.ts'
import type { ExperimentResult, Results, Scale, ScenarioResult, ServiceInfo, SubjectInfo } from './results.ts'
import type { Scenario, UsableService, UsableSubject } from './scenario.ts'
import { SCENARIOS } from './scenarios/index.ts'
import type { Service } from './service.ts'
import { SERVICES } from './services/index.ts'
import type { PreparedSubject, Subject, Unavailable } from './subject.ts'
import { SUBJECTS } from './subjects/index.ts'

const SCALES: readonly Scale[] = ['guard', 'quick', 'full']
/** So often is the machine's pace taken before each scenario. */
const PACES = 5

export interface RunOptions {
  readonly scale?: Scale
  /** By name; left out: all. */
  readonly subjects?: readonly string[]
  readonly services?: readonly string[]
  readonly scenarios?: readonly string[]
  readonly experiments?: readonly string[]
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
 * A subject that fails in one scenario is told there, and the others go on. Throws `UnknownNameError`, and the signal's reason.
 */
export async function runBenchmarks(options: RunOptions = {}): Promise<Results> {
  const { scale = 'quick', onProgress, signal = new AbortController().signal } = options
  const chosen = chooseNamed('subject', SUBJECTS, options.subjects)
  const services = chooseNamed('service', SERVICES, options.services)
  const scenarios = chooseNamed('scenario', SCENARIOS, options.scenarios).filter((scenario) => isIn(scenario, scale))
  const experiments = chooseNamed('experiment', EXPERIMENTS, options.experiments).filter((one) => isIn(one, scale))
  const began = new Date()
  const noise = new NoiseMeter()
  const home = await mkdtemp(join(tmpdir(), 'procref-bench-'))
  const prepared: PreparedSubject[] = []
  const run = async (): Promise<Results> => {
    const { usable, infos } = await prepareAll(chosen, home, prepared)
    const offered = await offer(services, home)
    const total = scenarios.length + experiments.length
    const measured: ScenarioResult[] = []
    const observed: ExperimentResult[] = []
    for (const [done, one] of [...scenarios, ...experiments].entries()) {
      signal.throwIfAborted()
      for (let n = 0; n < PACES; n++) noise.sample()
      const own = join(home, one.name)
      await mkdir(own, { mode: 0o700 })
      const say = (message: string): void => onProgress?.({ done, of: total, title: one.title, message })
      const context = { home: own, scale, subjects: usable, services: offered.usable, signal, say }
      if ('measure' in one) measured.push(...[await one.measure(context)].flat())
      else observed.push(...(await one.observe(context)))
      await rm(own, { recursive: true, force: true })
    }
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
      scenarios: measured,
      experiments: observed,
      goals: goalsOf(measured),
    }
  }
  try {
    return await run()
  } finally {
    for (const subject of prepared.reverse()) await subject[Symbol.asyncDispose]()
    await rm(home, { recursive: true, force: true })
  }
}

async function prepareAll(
  chosen: readonly Subject[],
  home: string,
  /** Gets each as soon as it has something to be ended. */
  all: PreparedSubject[],
): Promise<{ readonly usable: readonly UsableSubject[]; readonly infos: readonly SubjectInfo[] }> {
  const usable: UsableSubject[] = []
  const infos: SubjectInfo[] = []
  for (const subject of chosen) {
    const missing = await subject.unavailable(home)
    const prepared = missing === undefined ? await subject.prepare(home) : undefined
    if (prepared !== undefined) {
      all.push(prepared)
      usable.push({ subject, prepared })
    }
    infos.push(infoOf(subject, prepared?.version, missing))
  }
  return { usable, infos }
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
  return SCALES.indexOf(one.scale) <= SCALES.indexOf(scale) && (one.needsLinux !== true || process.platform === 'linux')
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
export class UnknownNameError extends Error {
  readonly code = 'UNKNOWN_NAME'
  constructor(what: string, name: string, all: readonly { readonly name: string }[]) {
    super(`There is no ${what} "${name}". There are: ${all.map((one) => one.name).join(', ')}.`)
    this.name = 'UnknownNameError'
  }
}
