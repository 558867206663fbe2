import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import type { ActorCommand } from '../subject.ts'

/** No request takes longer; reaching it means that the program hangs. */
const HANGS_MS = 120_000

/** A program that answers lines with lines of JSON, and ends at the end of its input. Killed, if it still lives, when disposed. */
export class JsonProcess implements AsyncDisposable {
  readonly pid: number
  readonly #child: ChildProcess
  readonly #lines: AsyncIterator<string>
  readonly #name: string
  readonly #exited: Promise<unknown>

  /** Throws if it cannot be started. */
  constructor(command: ActorCommand) {
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

  send(line: string): void {
    this.#child.stdin?.write(`${line}\n`)
  }

  /** The next line; throws when that is an error, or something that it cannot do by its nature (`UnsupportedByNature`). */
  async next(asked: string): Promise<object> {
    const { value, done } = await withinLimit(this.#lines.next(), () => `${this.#name} does not answer "${asked}"`)
    if (done === true) throw new Error(`${this.#name} ended instead of answering "${asked}"`)
    const answer = JSON.parse(value) as { readonly error?: string; readonly unsupported?: string }
    if (answer.unsupported !== undefined) throw new UnsupportedByNature(answer.unsupported)
    if (answer.error !== undefined) throw new AnsweredError(this.#name, asked, answer.error)
    return answer
  }

  /** Ends it at the end of its input: it gives back what it has, and takes away what it would leave behind. */
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
}

/** A program answered with an error. */
export class AnsweredError extends Error {
  /** Its own words. */
  readonly said: string
  constructor(name: string, asked: string, said: string) {
    super(`${name} answers "${asked}" with: ${said}`)
    this.name = 'AnsweredError'
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
