import { Actor } from './actor/actor.ts'
import type { PreparedSubject } from './subject.ts'

/** A pool of a subject. */
export interface Place {
  readonly prepared: PreparedSubject
  readonly dir: string
  readonly slots: number
}

export interface Processes {
  /** Starts so many more, at the same time; resolves once all have the pool open. */
  start(count: number): Promise<readonly Actor[]>
  /** Starts one more. */
  startOne(): Promise<Actor>
}

/**
 * Gives `use` processes that share the pool, and ends them all, those that it killed itself excepted. None may be waiting for a permit
 * when it resolves. They end in an orderly way: a last holder that is killed leaves behind what the kernel does not take back (the set of
 * `sysv()`, the semaphore of `hybrid()`), so after a failure one more process opens the pool, and ends.
 */
export async function withActors<T>(place: Place, use: (processes: Processes) => Promise<T>): Promise<T> {
  const actors: Actor[] = []
  const startOne = async (): Promise<Actor> => {
    const actor = await Actor.start(place.prepared, place.dir, place.slots)
    actors.push(actor)
    return actor
  }
  const start = async (count: number): Promise<readonly Actor[]> => {
    const started: Promise<Actor>[] = []
    // The first of all makes the pool.
    if (actors.length === 0) started.push(Promise.resolve(await startOne()))
    while (started.length < count) started.push(startOne())
    // All of them, also when one fails: each has to be known to be ended.
    await Promise.allSettled(started)
    return await Promise.all(started)
  }
  try {
    const result = await use({ start, startOne })
    await Promise.all(actors.map((actor) => actor.end()))
    return result
  } catch (error) {
    await Promise.all(actors.map((actor) => actor.kill()))
    await openAndEnd(place)
    throw error
  }
}

async function openAndEnd({ prepared, dir, slots }: Place): Promise<void> {
  try {
    await using actor = await Actor.start(prepared, dir, slots)
    await actor.end()
  } catch {
    // Whatever failed before is what has to be told.
  }
}
