import { ProcrefError } from '@procref/core'
import { z } from 'zod'
import type { Results } from './results.ts'

/** The file is empty, is not JSON, or ends too early. */
export class ResultsNotReadableError extends ProcrefError {
  readonly path: string
  constructor(path: string, what: string, options?: { readonly cause?: unknown }) {
    super('PROCREF_RESULTS_NOT_READABLE', `${path} ${what}. Measure anew, or give another results.json.`, options)
    this.path = path
  }
}

/** It is JSON, and results of a form that this version does not know. */
export class ResultsFormatError extends ProcrefError {
  readonly path: string
  readonly format: unknown
  constructor(path: string, format: unknown) {
    const what = format === undefined ? 'has no "format"' : `has the format ${JSON.stringify(format)}`
    super(
      'PROCREF_RESULTS_FORMAT',
      `${path} ${what}, and this version reads format 1 only. Read it with the version that wrote it, or measure anew.`,
    )
    this.path = path
    this.format = format
  }
}

/** It says that it is of our format, and something in it is missing or of another type. */
export class ResultsInvalidError extends ProcrefError {
  readonly path: string
  constructor(path: string, problems: string) {
    super(
      'PROCREF_RESULTS_INVALID',
      `${path} is no complete results document:\n${problems}\nWas it changed by hand? Measure anew, or give another results.json.`,
    )
    this.path = path
  }
}

/**
 * The results in `text`, checked; what it has beyond the known fields stays in it. `path` is named in the errors, which are
 * `ResultsNotReadableError`, `ResultsFormatError` and `ResultsInvalidError`.
 */
export function readResults(text: string, path = 'The text'): Results {
  const document = parsed(text, path)
  const format = z.looseObject({ format: z.unknown() }).safeParse(document).data?.format
  if (format !== 1) throw new ResultsFormatError(path, format)
  const checked = RESULTS.safeParse(document)
  if (!checked.success) throw new ResultsInvalidError(path, z.prettifyError(checked.error))
  return checked.data
}

function parsed(text: string, path: string): unknown {
  if (text.trim() === '') throw new ResultsNotReadableError(path, 'is empty')
  try {
    return JSON.parse(text)
  } catch (cause) {
    if (!(cause instanceof SyntaxError)) throw cause
    throw new ResultsNotReadableError(path, endsTooEarly(text, cause) ? 'was cut short' : 'is not JSON', { cause })
  }
}

/** V8 says that the input ended, or names the place where it stopped: behind the last character, it had nothing to complain of before. */
function endsTooEarly(text: string, { message }: SyntaxError): boolean {
  const stoppedAt = /at position (\d+)/.exec(message)?.[1]
  const hasEnded = stoppedAt === undefined ? /end of JSON input/.test(message) : Number(stoppedAt) >= text.length
  return hasEnded && text.trimStart().startsWith('{')
}

const texts = z.record(z.string(), z.string())

const scale = z.enum(['guard', 'quick', 'full'])

const unit = z.enum(['ns', 'µs', 'ms', 's', 'MB', 'per second', 'ratio', 'count'])

const better = z.enum(['lower', 'higher'])

const machine = z.looseObject({
  cpus: z.string(),
  memoryGb: z.number(),
  kernel: z.string(),
  filesystem: z.string(),
  node: z.string(),
  virtualization: z.string(),
})

const noise = z.looseObject({
  loadBefore: z.number(),
  loadAfter: z.number(),
  steal: z.exactOptional(z.number()),
  spread: z.number(),
  priority: z.enum(['normal', 'real-time']),
})

const subject = z.looseObject({
  name: z.string(),
  title: z.string(),
  summary: z.string(),
  kind: z.string(),
  maxSlots: z.number(),
  betweenProcesses: z.boolean(),
  waits: z.string(),
  version: z.exactOptional(z.string()),
  unavailable: z.exactOptional(z.looseObject({ reason: z.string(), remedy: z.string() })),
})

const service = z.looseObject({
  name: z.string(),
  title: z.string(),
  summary: z.string(),
  kind: z.string(),
  version: z.exactOptional(z.string()),
  unavailable: z.exactOptional(z.looseObject({ reason: z.string(), remedy: z.string() })),
})

const point = z.looseObject({
  at: z.exactOptional(z.union([z.number(), z.string()])),
  n: z.number(),
  min: z.number(),
  p50: z.number(),
  p90: z.number(),
  p99: z.number(),
  max: z.number(),
  interval: z.tuple([z.number(), z.number()]),
  turns: z.exactOptional(z.array(z.number())),
  samples: z.array(z.number()).min(1),
})

const series = z.looseObject({
  subject: z.string(),
  variant: z.exactOptional(z.string()),
  points: z.array(point).min(1),
  exponent: z.exactOptional(z.looseObject({ value: z.number(), low: z.number(), high: z.number() })),
})

const scenario = z.looseObject({
  name: z.string(),
  title: z.string(),
  question: z.string(),
  method: z.string(),
  unit,
  better,
  axis: z.exactOptional(z.looseObject({ title: z.string(), scale: z.enum(['log', 'linear', 'category']) })),
  series: z.array(series),
  leftOut: z.array(z.looseObject({ subject: z.string(), reason: z.string() })),
  failed: z.array(z.looseObject({ subject: z.string(), message: z.string() })),
})

const experiment = z.looseObject({
  experiment: z.string(),
  title: z.string(),
  subject: z.string(),
  verdict: z.enum(['holds', 'breaks', 'not-applicable', 'unanswered']),
  finding: z.string(),
  evidence: z.string(),
  tookMs: z.exactOptional(z.number()),
})

const goal = z.looseObject({
  goal: z.string(),
  value: z.number(),
  limit: z.number(),
  unit,
  better,
  isMet: z.boolean(),
})

const RESULTS: z.ZodType<Results> = z.looseObject({
  format: z.literal(1),
  date: z.iso.datetime(),
  tookSeconds: z.number(),
  scale,
  machine,
  noise,
  versions: texts,
  subjects: z.array(subject),
  services: z.array(service),
  scenarios: z.array(scenario),
  experiments: z.array(experiment),
  goals: z.array(goal),
})
