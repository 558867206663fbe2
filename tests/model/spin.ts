import { execFile } from 'node:child_process'
import { copyFileSync, existsSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { promisify } from 'node:util'
import { freshDir } from '@procref/testing'

const run = promisify(execFile)

export const MODEL = resolve(import.meta.dirname, '../../docs/model/procref.pml')
/** Deeper than any path of the model: reaching it fails the search, it does not cut it short in silence. */
const MAX_DEPTH = 100_000
const OUTPUT_BYTES = 256 * 1024 * 1024

/** Parameters of the model, each becoming a -D of the preprocessor; `true` defines a name without a value. */
export type Defines = Readonly<Record<string, number | true>>

export interface Search {
  readonly defines: Defines
  /** `states`: assertions in every state that can be reached. `cycles`: no fair run goes on for ever. */
  readonly looksFor: 'states' | 'cycles'
  readonly memoryMb: number
  /** The hash table has 2 to this power places, 8 bytes each; fewer than there are states makes the search slow. */
  readonly hashBits: number
  /** Compiling with -O2 takes longer than a small search. */
  readonly optimize: '-O1' | '-O2'
}

export interface Found {
  readonly states: number
  readonly transitions: number
  readonly depth: number
  readonly memoryMb: number
  readonly seconds: number
  /** The invariant that does not hold, or what else was wrong. */
  readonly violated?: string
  /** Lines of the model that no path came to, with what stands there; empty when something is violated. */
  readonly neverReached: readonly string[]
  /** What was done until then, a step a line. */
  readonly trail: readonly string[]
}

/** The programs that are not installed here, of the two that a search needs. */
export async function missingPrograms(): Promise<readonly string[]> {
  const missing: string[] = []
  for (const [program, flag] of [
    ['spin', '-V'],
    ['gcc', '--version'],
  ] as const) {
    await run(program, [flag]).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'ENOENT') throw error
      missing.push(program)
    })
  }
  return missing
}

/**
 * Searches every state of the model that can be reached, none left out. Throws when the search could not be completed: a model
 * that does not compile, a path too deep, memory used up.
 */
export async function searchModel({ defines, looksFor, memoryMb, hashBits, optimize }: Search): Promise<Found> {
  const cwd = freshDir()
  copyFileSync(MODEL, join(cwd, 'procref.pml'))
  const parameters = Object.entries(defines).map(([name, value]) =>
    value === true ? `-D${name}` : `-D${name}=${value}`,
  )
  await run('spin', [...parameters, '-a', 'procref.pml'], { cwd })
  // No -DCOLLAPSE: nearly all of a state is in global variables, of which it makes one piece, so it saves nothing.
  // NFAIR: fairness keeps a counter of each process, in words of some processes each.
  const kind = looksFor === 'states' ? ['-DSAFETY'] : ['-DNP', '-DNFAIR=3']
  await run('gcc', [optimize, '-w', ...kind, `-DMEMLIM=${memoryMb}`, '-o', 'pan', 'pan.c'], { cwd })
  // A cycle counts only if every process that can always go on does so (-f).
  const options = [`-m${MAX_DEPTH}`, `-w${hashBits}`, ...(looksFor === 'cycles' ? ['-l', '-f'] : [])]
  const { stdout } = await run(join(cwd, 'pan'), options, { cwd, maxBuffer: OUTPUT_BYTES })
  const facts = {
    states: figure(stdout, /^\s*([\d.e+]+) states, stored/m),
    transitions: figure(stdout, /^\s*([\d.e+]+) transitions/m),
    depth: figure(stdout, /depth reached (\d+)/),
    memoryMb: figure(stdout, /^\s*([\d.]+)\s+total actual memory usage/m),
    seconds: figure(stdout, /elapsed time ([\d.e+]+) seconds/),
  }
  if (!existsSync(join(cwd, 'procref.pml.trail'))) {
    const complete =
      /errors: 0$/m.test(stdout) && !/Search not completed|search depth too small|out of memory/.test(stdout)
    if (!complete) throw new Error(`the search was not completed:\n${stdout}`)
    // Loops without an end do not come to their end.
    const unreached = stdout.matchAll(/^\s+(procref\.pml:\d+), state \d+, "(?!-end-)(.*)"$/gm)
    return { ...facts, neverReached: [...unreached].map(([, line, text]) => `${line}: ${text}`), trail: [] }
  }
  const replay = await run('spin', [...parameters, '-t', '-q', '-B', 'procref.pml'], { cwd, maxBuffer: OUTPUT_BYTES })
  const trail = replay.stdout.split('\n').map((line) => line.trim().replace(/\s{2,}/g, ' '))
  const violated = trail.find((line) => line.startsWith('VIOLATED: '))?.slice('VIOLATED: '.length)
  return {
    ...facts,
    neverReached: [],
    trail,
    violated: violated ?? /^pan:1: (.+?) \(at depth/m.exec(stdout)?.[1] ?? stdout,
  }
}

function figure(output: string, pattern: RegExp): number {
  const text = pattern.exec(output)?.[1]
  if (text === undefined) throw new Error(`the search said nothing of ${pattern}:\n${output}`)
  return Number(text)
}
