import { join } from 'node:path'
import type { Guarantees, OpenPoolOptions, Slot, SlotBackend, SlotPool } from '@procref/core'
import { type Actor, type ActorOptions, startActor } from './actor.ts'
import { eventually, HANGS_MS, makeTempDir, type NotYet } from './harness/index.ts'

/** What the check of one claim works with. Everything made through it is ended and removed when the check is over. */
export interface Context {
  readonly backend: SlotBackend
  readonly guarantees: Guarantees
  /** How many claims the stress behaviour makes in total. */
  readonly stressClaims: number
  /** The path of a directory for a pool, which does not exist yet. */
  poolDir(): string
  /** The path of a fresh, empty directory. */
  freshDir(options?: Parameters<typeof makeTempDir>[0]): string
  open(dir: string, options?: OpenPoolOptions): Promise<SlotPool>
  /** A process of its own with a pool open on `dir`. */
  actor(dir: string, options?: ActorOptions): Promise<Actor>
  /** Disposes `thing` at the end. */
  use<T extends AsyncDisposable>(thing: T): T
  /** Calls `act` at the end. */
  atEnd(act: () => unknown): void
  /** `eventually`, for what a backend may take `maxRecoveryMs` to do after a process died. */
  recovered<T>(what: string, look: () => T | NotYet | Promise<T | NotYet>): Promise<T>
  /** Says in the suite's output what could not be checked here, or was checked more weakly, and why. */
  note(text: string): void
}

export interface ContextParts {
  readonly backend: SlotBackend
  readonly stressClaims: number
  readonly note: (text: string) => void
}

/** Makes the context of one claim, hands it to `check`, and cleans up whatever the check made, also when that fails. */
export async function withContext({ backend, stressClaims, note }: ContextParts, check: Claim): Promise<void> {
  const ends: (() => unknown)[] = []
  const starting = new Set<Promise<unknown>>()
  const made = <T extends AsyncDisposable>(coming: Promise<T>): Promise<T> => {
    const registered = coming.then((thing) => context.use(thing))
    starting.add(registered)
    return registered
  }
  const context: Context = {
    backend,
    guarantees: backend.guarantees,
    stressClaims,
    note,
    freshDir: (options) => context.use(makeTempDir(options)).path,
    poolDir: () => join(context.freshDir(), 'slots'),
    open: (dir, options) => made(backend.open(dir, options)),
    actor: (dir, options) => made(startActor(backend, dir, options)),
    use: (thing) => {
      ends.push(() => thing[Symbol.asyncDispose]())
      return thing
    },
    atEnd: (act) => ends.push(act),
    recovered: (what, look) => eventually(what, look, backend.guarantees.maxRecoveryMs + HANGS_MS),
  }
  const failures: unknown[] = []
  try {
    await check(context)
  } catch (error) {
    failures.push(error)
  }
  // A check that starts several things at once fails with the first of them: the others are still to come, and to be ended.
  await Promise.allSettled(starting)
  for (const end of ends.reverse()) {
    try {
      await end()
    } catch (error) {
      failures.push(error)
    }
  }
  // A failing cleanup does not hide the first error.
  if (failures.length > 0) throw failures[0]
}

type Claim = (context: Context) => Promise<void>

/** The slot, or an error: for checks in which a refused claim means that the check itself failed. */
export async function claimOne(pool: SlotPool): Promise<Slot> {
  const slot = await pool.tryClaim()
  if (slot === undefined) throw new Error(`no slot of ${pool.dir} could be claimed, and one had to be free`)
  return slot
}
