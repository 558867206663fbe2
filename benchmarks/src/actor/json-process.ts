import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { setTimeout as delay } from 'node:timers/promises'
import type { ActorCommand } from '../subject.ts'

/** No request takes longer; reaching it means that the program hangs. */
const HANGS_MS = 120_000
/** Of its standard error: enough for an uncaught error and its stack. */
const MOST_COMPLAINT = 4_096
/** So long after its end its last words are waited for: who inherited its standard error may keep it open. */
const LAST_WORDS_MS = 1_000

const running = new Set<JsonProcess>()

/** Kills all that are left, so that a run that was interrupted waits for none of their answers. */
export async function killAllProcesses(): Promise<void> {
  await Promise.all([...running].map((each) => each.kill()))
}

/** A program that answers lines with lines of JSON, and ends at the end of its input. Killed, if it still lives, when disposed. */
export class JsonProcess implements AsyncDisposable {
  readonly pid: number
  readonly #child: ChildProcess
  readonly #lines: AsyncIterator<string>
  readonly #name: string
  readonly #exited: Promise<unknown>
  readonly #complained: Promise<unknown>
  #complaint = ''

  /** Throws if it cannot be started. */
  constructor(command: ActorCommand) {
    const env = { ...process.env, ...command.env }
    const child = spawn(command.file, [...command.args], { stdio: 'pipe', env })
    this.#name = [command.file, ...command.args].join(' ')
    this.#exited = once(child, 'exit')
      .catch(() => undefined)
      .then(() => running.delete(this))
    if (child.pid === undefined)
      throw new Error(`${this.#name} could not be started: is ${command.file} there, and may it be executed?`)
    // It may die before it has read: whoever asks is told by the missing answer.
    child.stdin.on('error', () => undefined)
    running.add(this)
    this.pid = child.pid
    this.#child = child
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      this.#complaint = (this.#complaint + text).slice(-MOST_COMPLAINT)
    })
    this.#complained = once(child.stderr, 'close').catch(() => undefined)
    this.#lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]()
  }

  send(line: string): void {
    this.#child.stdin?.write(`${line}\n`)
  }

  /** The next line; throws when that is an error, or something that it cannot do by its nature (`UnsupportedByNature`). */
  async next(asked: string): Promise<object> {
    const { value, done } = await withinLimit(this.#lines.next(), () => `${this.#name} does not answer "${asked}"`)
    if (done === true) throw await this.#ended(asked)
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

  async #ended(asked: string): Promise<EndedError> {
    await Promise.race([this.#complained, delay(LAST_WORDS_MS)])
    return new EndedError(this.#name, asked, this.#complaint.trim())
  }
}

/** A program ended, by an error of its own or by a signal, before it answered. */
export class EndedError extends Error {
  /** The end of what it wrote to its standard error. */
  readonly complaint: string
  constructor(name: string, asked: string, complaint: string) {
    super(`${name} ended instead of answering "${asked}"${complaint === '' ? '' : `: ${complaint}`}`)
    this.name = 'EndedError'
    this.complaint = complaint
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
