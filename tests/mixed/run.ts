import { spawnSync } from 'node:child_process'
import { mkdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as after } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { slotFileName } from '@procref/core'
import { flock } from '@procref/flock'
import { isNativeCodeHere } from '@procref/native'
import { type Child, startProgram } from '@procref/testing'

/** Fewer than there are holders, so that they meet all the time. */
const SLOTS = 3
/** A random holder is killed, and replaced, so often … */
const KILL_EVERY_MS = 40
/** … but not before it has made so many claims: on a busy machine it would start for a second and claim for a moment, hundreds of times over. */
const CLAIMS_OF_A_LIFE = 20
const NATIVE = fileURLToPath(new URL('../../packages/native/', import.meta.url))
const here = (name: string): string => fileURLToPath(new URL(name, import.meta.url))

export interface MixedResult {
  /** Claims by kind of holder. */
  readonly claims: Readonly<Record<string, number>>
  /** Kills by kind of holder. */
  readonly kills: Readonly<Record<string, number>>
  /** So many of the killed had a slot at that moment, which the next holder found out. */
  readonly killedWithSlot: number
  readonly overlaps: readonly unknown[]
  /** Kinds that this machine does not have, and why. */
  readonly missing: readonly string[]
}

export interface MixedOptions {
  readonly dir: string
  /** Ends as soon as every kind has made so many claims … */
  readonly claimsOfEach: number
  /** … so many were killed … */
  readonly kills: number
  /** … so many of those had a slot … */
  readonly killedWithSlot: number
  /** … and it has run for so long. */
  readonly forMs: number
  /** Also a holder that takes slots without heeding locks: the detector has to find it out, and is given all the time that the test has. */
  readonly heedless?: boolean
}

interface Kind {
  readonly name: string
  start(slots: string, evidence: string): Child
  /** Several processes, which are a process group. */
  readonly isGroup?: boolean
}

/**
 * Every kind of holder in one directory: our backends, the original program (Rust's own file locks), Python, flock(1). They claim and
 * release without pause, one of them is killed now and then, and each looks for traces of another holder in its slot (evidence.mjs).
 */
export async function runMixed(options: MixedOptions): Promise<MixedResult> {
  const { dir, claimsOfEach, forMs, heedless = false } = options
  const logOf = (kind: Kind): string => join(evidence, `${kind.name}.log`)
  const evidence = join(dir, 'evidence')
  const slots = join(dir, 'slots')
  mkdirSync(evidence, { mode: 0o700 })
  await (await flock().open(slots, { slots: SLOTS })).close()
  const { kinds, missing } = findKinds(heedless)
  const overlaps: unknown[] = []
  const kills = Object.fromEntries(kinds.map(({ name }) => [name, 0]))
  const start = (kind: Kind) => ({ claimsBefore: sizeOf(logOf(kind)), child: kind.start(slots, evidence) })
  const running = kinds.map((kind) => ({ kind, ...start(kind) }))
  const read = (child: Child): void => void overlaps.push(...overlapsIn(child))
  try {
    const began = performance.now()
    for (;;) {
      await after(KILL_EVERY_MS)
      const claims = Object.fromEntries(kinds.map((kind) => [kind.name, sizeOf(logOf(kind))]))
      const killedWithSlot = sizeOf(join(evidence, 'killed.log'))
      const enough =
        Object.values(claims).every((count) => count >= claimsOfEach) &&
        Object.values(kills).reduce((sum, count) => sum + count, 0) >= options.kills &&
        killedWithSlot >= options.killedWithSlot &&
        performance.now() - began >= forMs &&
        (!heedless || overlaps.length > 0 || running.some(({ child }) => overlapsIn(child).length > 0))
      if (enough) return { claims, kills, killedWithSlot, overlaps, missing }
      const victim = running[Math.floor(Math.random() * running.length)]
      if (victim === undefined) throw new Error('there are no holders')
      // One that ended by itself has found something wrong, and says what.
      const ended = await Promise.race([victim.child.exited, undefined])
      if (ended !== undefined) throw new Error(`${victim.kind.name} ended with ${ended.code}: ${victim.child.stderr()}`)
      // There is one of each kind.
      if (sizeOf(logOf(victim.kind)) < victim.claimsBefore + CLAIMS_OF_A_LIFE) continue
      kill(victim)
      await victim.child.exited
      kills[victim.kind.name] = (kills[victim.kind.name] ?? 0) + 1
      read(victim.child)
      Object.assign(victim, start(victim.kind))
    }
  } finally {
    for (const holder of running) {
      kill(holder)
      await holder.child.exited
      read(holder.child)
    }
  }
}

/** A line that is not there in full yet does not count. */
function overlapsIn(child: Child): readonly unknown[] {
  const lines = child.stdout().split('\n').slice(0, -1)
  return lines.filter((line) => line.startsWith('{')).map((line) => JSON.parse(line))
}

function kill({ kind, child }: { readonly kind: Kind; readonly child: Child }): void {
  if (kind.isGroup !== true) {
    child.kill('SIGKILL')
    return
  }
  try {
    process.kill(-child.pid, 'SIGKILL')
  } catch (error) {
    // It has ended by itself, and what it said is told apart.
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error
  }
}

function sizeOf(log: string): number {
  return statSync(log, { throwIfNoEntry: false })?.size ?? 0
}

function findKinds(heedless: boolean): { readonly kinds: readonly Kind[]; readonly missing: readonly string[] } {
  const ours = (name: string): Kind => ({
    name,
    start: (slots, evidence) =>
      startProgram(process.execPath, { args: [here('holder.mjs'), name, slots, evidence, String(SLOTS)] }),
  })
  const kinds: Kind[] = [ours('flock')]
  const missing: string[] = []
  if (isNativeCodeHere()) kinds.push(ours('native'))
  else missing.push('native: its native code is not built')
  const seed = buildSeedHolder()
  if (seed === undefined) missing.push('the original program and flock(1): there is no Rust to build their helper with')
  else kinds.push(...kindsOfSeed(seed, heedless))
  if (has('python3')) {
    const start: Kind['start'] = (slots, evidence) =>
      startProgram('python3', { args: [here('holder.py'), slots, evidence, String(SLOTS)] })
    kinds.push({ name: 'python', start })
  } else missing.push('python: there is no python3')
  return { kinds, missing }
}

function kindsOfSeed(seed: string, heedless: boolean): readonly Kind[] {
  const churn = (name: string, mode: string): Kind => ({
    name,
    start: (slots, evidence) => startProgram(seed, { args: [mode, slots, evidence, String(SLOTS), name] }),
  })
  // flock(1) becomes the program (`--no-fork`), so the holder is one process and its death is the end of the lock. It dies with the
  // shell that goes on starting it.
  const script = `while kill -0 "$PPID"; do flock --no-fork -xn "$1/$3" "$4" hold "$2" "$5" flock1; done`
  const flock1: Kind = {
    name: 'flock1',
    isGroup: true,
    start: (slots, evidence) => {
      const slot = Math.floor(Math.random() * SLOTS)
      const args = ['-c', script, 'sh', slots, evidence, slotFileName(slot), seed, String(slot)]
      return startProgram('sh', { args, detached: true })
    },
  }
  return [churn('seed', 'churn'), flock1, ...(heedless ? [churn('heedless', 'heedless')] : [])]
}

function buildSeedHolder(): string | undefined {
  if (!has('cargo')) return undefined
  const { status, stderr } = spawnSync('cargo', ['build', '--release', '--locked', '-p', 'seed-holder'], {
    cwd: NATIVE,
    encoding: 'utf8',
  })
  if (status !== 0) throw new Error(`the seed's holder cannot be built: ${stderr}`)
  return join(NATIVE, 'target/release/seed-holder')
}

function has(program: string): boolean {
  return spawnSync(program, ['--version'], { stdio: 'ignore' }).status === 0
}
