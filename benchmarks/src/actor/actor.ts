import type { PreparedSubject } from '../subject.ts'
import { JsonProcess, UnsupportedByNature } from './json-process.ts'
import type { Answers, Claimed, Passed, Verb, Waiting } from './protocol.ts'

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

  /** As `ask`; undefined where the subject cannot do it. */
  async askIfAble<V extends Verb>(verb: V): Promise<Answers[V] | undefined> {
    try {
      return await this.ask(verb)
    } catch (error) {
      if (error instanceof UnsupportedByNature) return undefined
      throw error
    }
  }

  /** Resolves once it waits; `claimed` resolves when it has a permit. */
  async wait(): Promise<{ readonly claimed: Promise<Claimed> }> {
    return { claimed: (await this.#begin('wait')).ended as Promise<Claimed> }
  }

  /** Resolves once it waits; `passed` resolves when it has had a permit for so long. */
  async pass(microseconds: number): Promise<{ readonly passed: Promise<Passed> }> {
    return { passed: (await this.#begin('pass', microseconds)).ended as Promise<Passed> }
  }

  async #begin(verb: string, ...args: readonly number[]): Promise<{ readonly ended: Promise<object> }> {
    this.send([verb, ...args].join(' '))
    ;(await this.next(verb)) as Waiting
    const ended = this.next(verb)
    // Whoever only looks at whether it comes may not be there to hear that it does not.
    ended.catch(() => undefined)
    return { ended }
  }
}
