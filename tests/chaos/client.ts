import { type Child, openFiles } from '@procref/testing'
import { isThere, type Process, processOf } from './processes.ts'
import type { Trace } from './trace.ts'

interface Event {
  readonly event: string
  readonly [name: string]: unknown
}

/** Whose, and its number. */
type Row = readonly [name: string, n: number]

export interface Answer {
  /** An error of ours has a string; others have numbers, or none. */
  readonly code: unknown
  readonly message: string
}

export interface Lease {
  readonly slot: string
  /** The process that serves; the guardian's own for the embedded engine. */
  readonly server: Process | undefined
  readonly port: number
  /** When the lease was given, or last connected again; `performance.now()`. */
  readonly since: number
}

/** A program that asks for a lease and writes as long as it has it, seen from the outside: by what it prints and by its process. */
export class Client {
  readonly name: string
  readonly timeoutMs: number
  readonly process: Process
  /** Whether the round has told it to leave, or killed it: what becomes of it then says nothing. */
  isDismissed = false
  /** How many of its rows the server has acknowledged. */
  acknowledged = 0
  /** The number that follows that of the last acknowledged one. */
  next = 0
  /** The numbers of rows that the storage refused: they may be there, or come back. */
  readonly refusedRows: Set<number> = new Set()
  /** Of connect(), while it has no answer: when it was called. */
  calledAt: number | undefined
  lease: Lease | undefined
  /** How connect() was answered, if not by a lease. */
  refused: Answer | undefined
  /** Why the lease ended, if it did by itself. */
  lost: Answer | undefined
  hasLeft = false
  hasEnded = false
  readonly #child: Child
  readonly #trace: Trace
  #read = 0
  #stillSince: number | undefined
  #stillMs = 0

  constructor(name: string, timeoutMs: number, child: Child, trace: Trace) {
    this.name = name
    this.timeoutMs = timeoutMs
    this.#child = child
    this.#trace = trace
    const process = processOf(child.pid)
    if (process === undefined) throw new Error(`${name} ended before it began: ${child.stderr()}`)
    this.process = process
    void child.exited.then(({ code, signal }) => {
      this.look()
      this.hasEnded = true
      trace.add(`${name} ended with ${signal ?? `exit code ${code}`}`)
    })
  }

  /** Takes in what it has printed since the last look. */
  look(): void {
    const text = this.#child.stdout()
    for (let end = text.indexOf('\n', this.#read); end !== -1; end = text.indexOf('\n', this.#read)) {
      const line = text.slice(this.#read, end)
      this.#read = end + 1
      if (line.startsWith('{"event":')) this.#take(JSON.parse(line) as Event)
      else this.#trace.add(`${this.name} printed: ${line}`)
    }
  }

  /** A lease that nobody has ended, of a process that is there. */
  get isServed(): boolean {
    return this.lease !== undefined && this.lost === undefined && !this.isDismissed && isThere(this.process)
  }

  /** How long connect() has been without an answer, without the time in which this process was made to stand still. */
  get waitsForMs(): number {
    if (this.calledAt === undefined || this.hasEnded) return 0
    const still = this.#stillMs + (this.#stillSince === undefined ? 0 : performance.now() - this.#stillSince)
    return performance.now() - this.calledAt - still
  }

  standsStill(does: boolean): void {
    if (does) this.#stillSince ??= performance.now()
    else if (this.#stillSince !== undefined) {
      this.#stillMs += performance.now() - this.#stillSince
      this.#stillSince = undefined
    }
  }

  /** Whether it has the slot file of its lease open. */
  hasSlot(): boolean {
    return openFiles(this.process.pid).some(({ target }) => /\/slots\/slot_\d+\.lock( \(deleted\))?$/.test(target))
  }

  leave(): void {
    this.isDismissed = true
    this.#trace.add(`${this.name} is told to leave`)
    this.#child.send('leave')
    void this.#end()
  }

  kill(): void {
    this.isDismissed = true
    this.#trace.add(`${this.name} is killed`)
    this.#child.kill('SIGKILL')
  }

  send(word: string): void {
    this.#child.send(word)
  }

  /** The answer to `rows`: everybody's, in no order. */
  async rows(): Promise<readonly Row[]> {
    return (await this.#child.event<{ readonly rows: readonly Row[] }>('rows')).rows
  }

  errors(): string {
    return this.#child.stderr()
  }

  async #end(): Promise<void> {
    // Its standard input is closed once it has left: a program that ends by itself.
    await this.#child.event('left').catch(() => {})
    this.#child.end()
  }

  #take(event: Event): void {
    if (event.event === 'acknowledged') {
      this.acknowledged++
      this.next = (event.n as number) + 1
      return
    }
    if (event.event === 'refused-row') {
      this.refusedRows.add(event.n as number)
      return
    }
    this.#trace.add(`${this.name} ${JSON.stringify(event)}`)
    if (event.event === 'calling') this.calledAt = performance.now()
    else if (event.event === 'connected') this.#served(event, event.slot as string)
    else if (event.event === 'reconnected') this.#served(event, this.lease?.slot ?? '')
    else if (event.event === 'refused') this.refused = answer(event)
    else if (event.event === 'lost') this.lost = answer(event)
    else if (event.event === 'left') this.hasLeft = true
    if (event.event === 'connected') this.send('write')
    if (event.event === 'connected' || event.event === 'refused') this.calledAt = undefined
  }

  #served({ serverPid, port }: Event, slot: string): void {
    this.lease = { slot, server: processOf(serverPid as number), port: port as number, since: performance.now() }
  }
}

function answer({ code, message, stack }: Event): Answer {
  const text = typeof code === 'string' ? message : (stack ?? message)
  return { code, message: String(text) }
}
