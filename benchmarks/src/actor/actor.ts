import type { PreparedSubject } from '../subject.ts'
import { JsonProcess } from './json-process.ts'
import type { Answers, Claimed, Verb, Waiting } from './protocol.ts'

export { UnsupportedByNature } from './json-process.ts'

/** A process of its own with one pool of a subject. Killed, if it still lives, when disposed. */
export class Actor extends JsonProcess {
  /** Resolves once its pool is open. */
  static async start(subject: PreparedSubject, dir: string, slots: number): Promise<Actor> {
    const actor = new Actor(subject.command(dir, slots))
    try {
      await actor.next('ready')
      return actor
    } catch (error) {
      await actor.kill()
      throw error
    }
  }

  /** Throws for an error and for what the subject cannot do (`UnsupportedByNature`). */
  async ask<V extends Verb>(verb: V, ...args: readonly number[]): Promise<Answers[V]> {
    this.send([verb, ...args].join(' '))
    return (await this.next(verb)) as Answers[V]
  }

  /** Resolves once it waits; `claimed` resolves when it has a permit. */
  async wait(): Promise<{ readonly claimed: Promise<Claimed> }> {
    this.send('wait')
    ;(await this.next('wait')) as Waiting
    const claimed = this.next('wait') as Promise<Claimed>
    // Whoever only looks at whether it comes may not be there to hear that it does not.
    claimed.catch(() => undefined)
    return { claimed }
  }
}
