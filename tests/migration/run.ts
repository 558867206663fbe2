import { mkdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as after } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { type Child, startProgram } from '@procref/testing'

/** Fewer than there are holders, so that they meet all the time. */
const SLOTS = 4
const HOLDERS_OF_EACH = 10
/** A random holder is killed, and replaced, so often. */
const KILL_EVERY_MS = 150
const HOLDER = fileURLToPath(new URL('./holder.mjs', import.meta.url))

export interface NeighboursResult {
  /** Claims by part. */
  readonly claims: Readonly<Record<string, number>>
  readonly kills: number
  /** So many of the killed had a slot at that moment, which the next holder found out. */
  readonly killedWithSlot: number
  /** Two holders of one slot, and holders whom their neighbours do not see. */
  readonly faults: readonly unknown[]
}

export interface NeighboursOptions {
  readonly dir: string
  readonly from: string
  readonly to: string
  /** 0: plain `from`, 1 to 3: the phases, 4: plain `to`. */
  readonly parts: readonly [number, number]
  /** Ends as soon as both have made so many claims … */
  readonly claimsOfEach: number
  /** … so many were killed, one of them at least with a slot. */
  readonly kills: number
}

/**
 * Ten holders of each of two neighbouring parts of a migration in one directory. They claim and release without pause, one of them is killed now
 * and then, each looks for traces of another holder in its slots (../mixed/evidence.mjs), and whether the other part sees it.
 */
export async function runNeighbours(options: NeighboursOptions): Promise<NeighboursResult> {
  const { dir, from, to, parts, claimsOfEach } = options
  const evidence = join(dir, 'evidence')
  mkdirSync(evidence, { mode: 0o700 })
  const [one, other] = parts
  const start = (part: number): Child => {
    const neighbour = part === one ? other : one
    const args = [part, neighbour, from, to, join(dir, 'slots'), evidence, SLOTS].map(String)
    return startProgram(process.execPath, { args: [HOLDER, ...args] })
  }
  const running = parts.flatMap((part) => Array.from({ length: HOLDERS_OF_EACH }, () => ({ part, child: start(part) })))
  const faults: unknown[] = []
  const read = (child: Child): void => {
    for (const line of child.stdout().split('\n')) if (line.startsWith('{')) faults.push(JSON.parse(line))
  }
  let kills = 0
  try {
    for (;;) {
      await after(KILL_EVERY_MS)
      const claims = Object.fromEntries(parts.map((part) => [part, sizeOf(join(evidence, `part-${part}.log`))]))
      const killedWithSlot = sizeOf(join(evidence, 'killed.log'))
      const enough = Object.values(claims).every((count) => count >= claimsOfEach) && kills >= options.kills
      if (enough && killedWithSlot > 0) return { claims, kills, killedWithSlot, faults }
      const victim = running[Math.floor(Math.random() * running.length)]
      if (victim === undefined) throw new Error('there are no holders')
      const ended = await Promise.race([victim.child.exited, undefined])
      if (ended !== undefined) throw new Error(`a holder ended with ${ended.code}: ${victim.child.stderr()}`)
      // On a busy machine nobody would ever get beyond its start.
      if (!victim.child.stdout().startsWith('claimed')) continue
      victim.child.kill('SIGKILL')
      await victim.child.exited
      kills++
      read(victim.child)
      victim.child = start(victim.part)
    }
  } finally {
    for (const { child } of running) {
      child.kill('SIGKILL')
      await child.exited
      read(child)
    }
  }
}

function sizeOf(log: string): number {
  return statSync(log, { throwIfNoEntry: false })?.size ?? 0
}
