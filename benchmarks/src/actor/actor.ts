import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import type { ActorCommand, PreparedSubject } from '../subject.ts'
import type { Answers, Claimed, Passed, Verb, Waiting } from './protocol.ts'

/** No request of a scenario takes longer; reaching it means that the actor hangs. */
const HANGS_MS = 120_000

/** A process of its own with one pool of a subject. Killed, if it still lives, when disposed. */
export class Actor implements AsyncDisposable {
  readonly pid: number
  readonly #child: ChildProcess
  readonly #lines: AsyncIterator<string>
  readonly #name: string
  readonly #exited: Promise<unknown>

  private constructor(command: ActorCommand) {
    const env = { ...process.env, ...command.env }
    const child = spawn(command.file, [...command.args], { stdio: ['pipe', 'pipe', 'inherit'], env })
    this.#name = [command.file, ...command.args].join(' ')
    this.#exited = once(child, 'exit').catch(() => undefined)
    if (child.pid === undefined) throw new Error(`${this.#name} could not be started`)
    // It may die before it has read: whoever asks is told by the missing answer.
    child.stdin.on('error', () => undefined)
    this.pid = child.pid
    this.#child = child
    this.#lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]()
  }

  /** Resolves once its pool is open. */
  static async start(subject: PreparedSubject, dir: string, slots: number): Promise<Actor> {
    const actor = new Actor(subject.command(dir, slots))
    try {
      await actor.#next('ready')
      return actor
    } catch (error) {
      await actor.kill()
      throw error
    }
  }

  /** Throws for an error and for what the subject cannot do (`UnsupportedByNature`). */
  async ask<V extends Verb>(verb: V, ...args: readonly number[]): Promise<Answers[V]> {
    this.#send(verb, args)
    return (await this.#next(verb)) as Answers[V]
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

  /** Ends it at the end of its input: it gives back what it has, and takes away what its pool would leave behind. */
  async end(): Promise<void> {
    this.#child.stdin?.end()
    await withinLimit(this.#exited, () => `${this.#name} does not end`)
  }

  /** Resolves once it is gone. */
  async kill(signal: NodeJS.Signals = 'SIGKILL'): Promise<void> {
    this.#child.kill(signal)
    await this.#exited
  }

  /** SIGSTOP or SIGCONT; does not wait. */
  signal(signal: NodeJS.Signals): void {
    this.#child.kill(signal)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.kill()
  }

  async #begin(verb: string, ...args: readonly number[]): Promise<{ readonly ended: Promise<object> }> {
    this.#send(verb, args)
    ;(await this.#next(verb)) as Waiting
    const ended = this.#next(verb)
    // Whoever only looks at whether it comes may not be there to hear that it does not.
    ended.catch(() => undefined)
    return { ended }
  }

  #send(verb: string, args: readonly number[]): void {
    this.#child.stdin?.write(`${[verb, ...args].join(' ')}\n`)
  }

  async #next(verb: string): Promise<object> {
    const { value, done } = await withinLimit(this.#lines.next(), () => `${this.#name} does not answer "${verb}"`)
    if (done === true) throw new Error(`${this.#name} ended instead of answering "${verb}"`)
    const answer = JSON.parse(value) as { readonly error?: string; readonly unsupported?: string }
    if (answer.unsupported !== undefined) throw new UnsupportedByNature(answer.unsupported)
    if (answer.error !== undefined) throw new ActorError(this.#name, verb, answer.error)
    return answer
  }
}

/** An actor answered with an error. */
export class ActorError extends Error {
  /** Its own words. */
  readonly said: string
  constructor(name: string, verb: string, said: string) {
    super(`${name} answers "${verb}" with: ${said}`)
    this.name = 'ActorError'
    this.said = said
  }
}

/** A subject cannot do by its nature what was asked; the message says why. */
export class UnsupportedByNature extends Error {}

async function withinLimit<T>(promise: Promise<T>, message: () => string): Promise<T> {
  let timer: NodeJS.Timeout | undefined
  const limit = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`${message()} within ${HANGS_MS / 1_000} s`)), HANGS_MS)
  })
  try {
    return await Promise.race([promise, limit])
  } finally {
    clearTimeout(timer)
  }
}
