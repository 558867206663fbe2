import { type ChildProcess, spawn } from 'node:child_process'
import { StringDecoder } from 'node:string_decoder'
import { fileURLToPath } from 'node:url'
import { HANGS_MS } from './waiting.ts'

export interface ChildOptions {
  readonly args?: readonly string[]
  /** Added to this process's own environment; `undefined` takes a variable out. */
  readonly env?: Readonly<Record<string, string | undefined>>
  /** Use exactly `env`, nothing of this process's environment. */
  readonly bareEnv?: 'bare'
  readonly cwd?: string
  /** For Node itself, e.g. `--expose-gc`; only with `startChild`. */
  readonly execArgv?: readonly string[]
  readonly uid?: number
  readonly gid?: number
  /** Its own session and process group. */
  readonly detached?: boolean
  /** Descriptors of ours that become 3, 4, … of the child. */
  readonly inherit?: readonly number[]
}

export type ChildEvent = { readonly event: string } & Readonly<Record<string, unknown>>

export interface ChildExit {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
}

/** A program started by a test. Disposing it kills it (`SIGKILL`, also if stopped) and waits for its end. */
export interface Child extends AsyncDisposable {
  readonly pid: number
  /**
   * The next event `name` that no earlier call took. Rejects with the program's output when it ends first, prints the event
   * `failed`, or does not print it for a minute (`limitMs`: for one of many programs that start at once).
   */
  event<T extends object = Readonly<Record<string, unknown>>>(name: string, limitMs?: number): Promise<ChildEvent & T>
  /** The next line of standard output that is not an event and that no earlier call took. Rejects as `event` does. */
  line(): Promise<string>
  /** Writes one line to its standard input. */
  send(word: string): void
  /** Closes its standard input. */
  end(): void
  kill(signal: NodeJS.Signals): void
  /** Resolves once the end was seen and all output was read. Conclude nothing from a kill before that. */
  readonly exited: Promise<ChildExit>
  /** Everything it printed so far. */
  stdout(): string
  stderr(): string
}

/** Starts a JavaScript program with this process's Node. */
export function startChild(script: string | URL, options: ChildOptions = {}): Child {
  const path = typeof script === 'string' ? script : fileURLToPath(script)
  return startProgram(process.execPath, {
    ...options,
    args: [...(options.execArgv ?? []), path, ...(options.args ?? [])],
  })
}

/** Before it prints a word a program is loaded, and may itself have to wait for other programs, one after the other. */
const ANSWERS_MS = 2 * HANGS_MS

/** Starts any program. */
export function startProgram(file: string, options: ChildOptions = {}): Child {
  const env = { ...(options.bareEnv === 'bare' ? {} : process.env), ...options.env }
  const child = spawn(file, [...(options.args ?? [])], {
    env,
    stdio: ['pipe', 'pipe', 'pipe', ...(options.inherit ?? [])],
    detached: options.detached ?? false,
    ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
    ...(options.uid === undefined ? {} : { uid: options.uid }),
    ...(options.gid === undefined ? {} : { gid: options.gid }),
  })
  return new RunningChild(child, [file, ...(options.args ?? [])].join(' '))
}

type Wanted = { readonly event: string } | 'line'

interface Waiter {
  readonly wanted: Wanted
  readonly resolve: (found: ChildEvent | string) => void
  readonly reject: (error: Error) => void
}

class RunningChild implements Child {
  readonly pid: number
  readonly exited: Promise<ChildExit>
  readonly #process: ChildProcess
  readonly #command: string
  #unread: (ChildEvent | string)[] = []
  #waiters: Waiter[] = []
  #partLine = ''
  #stdout = ''
  #stderr = ''
  #ended: string | undefined

  constructor(child: ChildProcess, command: string) {
    this.#process = child
    this.#command = command
    // Without a pid the spawn has failed: `error` says why, and `exited` and every wait reject with it.
    this.pid = child.pid ?? 0
    this.exited = new Promise((resolve, reject) => {
      child.on('error', (error) => {
        this.#end(`could not be started: ${error.message}`)
        reject(error)
      })
      child.on('close', (code, signal) => {
        this.#end(`ended with ${signal ?? `exit code ${code}`}`)
        resolve({ code, signal })
      })
    })
    // The waits report it; `exited` must not also be an unhandled rejection when nobody looks at it.
    this.exited.catch(() => {})
    const decoder = new StringDecoder('utf8')
    child.stdout?.on('data', (bytes: Buffer) => this.#read(decoder.write(bytes)))
    child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      this.#stderr += text
    })
    // EPIPE: it ended before it read; its waits say so.
    child.stdin?.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code !== 'EPIPE' && error.code !== 'ECONNRESET') this.#end(error.message)
    })
  }

  event<T extends object>(name: string, limitMs: number = ANSWERS_MS): Promise<ChildEvent & T> {
    return this.#wait({ event: name }, limitMs) as Promise<ChildEvent & T>
  }

  line(): Promise<string> {
    return this.#wait('line', ANSWERS_MS) as Promise<string>
  }

  send(word: string): void {
    this.#process.stdin?.write(`${word}\n`)
  }

  end(): void {
    this.#process.stdin?.end()
  }

  kill(signal: NodeJS.Signals): void {
    this.#process.kill(signal)
  }

  stdout(): string {
    return this.#stdout
  }

  stderr(): string {
    return this.#stderr
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#process.kill('SIGKILL')
    // A grandchild that inherited our pipes would keep `close` away for as long as it lives.
    this.#process.once('exit', () => this.#closePipes())
    if (this.#process.exitCode !== null || this.#process.signalCode !== null) this.#closePipes()
    if (this.#process.pid !== undefined) await this.exited
  }

  #closePipes(): void {
    this.#process.stdin?.destroy()
    this.#process.stdout?.destroy()
    this.#process.stderr?.destroy()
  }

  #read(text: string): void {
    this.#stdout += text
    const lines = (this.#partLine + text).split('\n')
    this.#partLine = lines.pop() ?? ''
    for (const line of lines) this.#unread.push(parseEvent(line) ?? line)
    this.#serve()
  }

  #end(how: string): void {
    this.#ended ??= how
    this.#serve()
  }

  #wait(wanted: Wanted, limitMs: number): Promise<ChildEvent | string> {
    return new Promise((resolve, reject) => {
      const name = wanted === 'line' ? 'a line' : `the event '${wanted.event}'`
      const timer = setTimeout(() => {
        this.#waiters = this.#waiters.filter((other) => other !== waiter)
        reject(this.#failure(`did not print ${name} within ${limitMs} ms`))
      }, limitMs)
      const waiter: Waiter = {
        wanted,
        resolve: (found) => {
          clearTimeout(timer)
          resolve(found)
        },
        reject: (error) => {
          clearTimeout(timer)
          reject(error)
        },
      }
      this.#waiters.push(waiter)
      this.#serve()
    })
  }

  #serve(): void {
    const waiting = this.#waiters
    this.#waiters = []
    for (const waiter of waiting) {
      const { wanted } = waiter
      const at = this.#unread.findIndex((item) => isWanted(item, wanted))
      const [found] = at === -1 ? [] : this.#unread.splice(at, 1)
      if (found !== undefined) {
        waiter.resolve(found)
        continue
      }
      const name = wanted === 'line' ? 'a line' : `the event '${wanted.event}'`
      const failed = this.#unread.find((item) => typeof item !== 'string' && item.event === 'failed')
      if (failed !== undefined) waiter.reject(this.#failure(`failed instead of printing ${name}`))
      else if (this.#ended !== undefined) waiter.reject(this.#failure(`${this.#ended} before it printed ${name}`))
      else this.#waiters.push(waiter)
    }
  }

  #failure(what: string): Error {
    return new Error(
      `'${this.#command}' (pid ${this.pid}) ${what}\nits output:\n${this.#stdout}\nits errors:\n${this.#stderr}`,
    )
  }
}

function isWanted(item: ChildEvent | string, wanted: Wanted): boolean {
  if (typeof item === 'string') return wanted === 'line'
  return wanted !== 'line' && item.event === wanted.event
}

function parseEvent(line: string): ChildEvent | undefined {
  if (!line.startsWith('{"event":')) return undefined
  try {
    return JSON.parse(line) as ChildEvent
  } catch (error) {
    // Not ours after all: it stays a line.
    if (error instanceof SyntaxError) return undefined
    throw error
  }
}
