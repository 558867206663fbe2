import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { MessageChannel, type MessagePort, receiveMessageOnPort, Worker } from 'node:worker_threads'
import { installedModule, isPassingTrouble, needDescriptors, ProcrefError } from '@procref/core'
import type { Failure, HeartAnswer, HeartCall, HeartSetup, LostNotice } from './heart-messages.ts'
import type { OwnRecord } from './owner-record.ts'

/**
 * So many waits in vain mean that the thread does not work: taking a lock is a few system calls. Counted in waits, not in time: a process
 * that was stopped for minutes would else find the time over before its thread had a chance to go on.
 */
const WAIT_MS = 100
const HANGS_WAITS = 300
/** Its event loop takes four (Node 20), its program one. */
const DESCRIPTORS_OF_THREAD = 8

/** The thread that keeps locks fresh could not be started, or does not answer; so no lock can be promised. */
export class HeartUnavailableError extends ProcrefError {
  constructor(reason: string, cause?: unknown) {
    super(
      'PROCREF_HEART_UNAVAILABLE',
      `The thread that sends the heartbeats of lock files ${reason}. lockfile() needs worker threads; where there are none use native() or flock().`,
      { cause },
    )
  }
}

/**
 * The thread of this thread's locks: one is enough for all of them. It keeps no process alive.
 *
 * `take` waits for the thread, so that locking is one synchronous call as in every `FileLocker`.
 */
export class Heart {
  readonly #worker: Worker
  readonly #calls: MessagePort
  readonly #answered: Int32Array<SharedArrayBuffer>
  readonly #onLost = new Map<string, (reason: string) => void>()
  #ended: unknown

  constructor() {
    const calls = new MessageChannel()
    const notices = new MessageChannel()
    const answered = new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT)
    const setup: HeartSetup = { calls: calls.port2, notices: notices.port2, answered }
    const program = programOfThread()
    // A thread that lacks one says so to an event loop that waits for its answer.
    needDescriptors(fileURLToPath(program), DESCRIPTORS_OF_THREAD)
    let worker: Worker
    try {
      worker = new Worker(program, {
        name: 'procref-heart',
        workerData: setup,
        transferList: [calls.port2, notices.port2],
        // What the program is started with (loaders, inspectors) is not for this thread.
        execArgv: [],
      })
    } catch (error) {
      throw new HeartUnavailableError('could not be started', error)
    }
    this.#worker = worker
    this.#calls = calls.port1
    this.#answered = new Int32Array(answered)
    notices.port1.on('message', (notice: LostNotice) => this.#lost(notice))
    worker.on('error', (error) => this.#end(error))
    worker.on('exit', (code) => this.#end(new Error(`it ended with code ${code}`)))
    notices.port1.unref()
    worker.unref()
  }

  /** It works no more: whoever wants another lock needs another heart. */
  get ended(): boolean {
    return this.#ended !== undefined
  }

  /** False: somebody else was first. Throws the system's errors. `onLost` is called at most once, and never before this returns. */
  take(owners: string, number: number, record: OwnRecord, beatMs: number, onLost: (reason: string) => void): boolean {
    const taken = this.#ask({ do: 'take', owners, number, record, beatMs })
    if (taken) this.#onLost.set(record.claim, onLost)
    return taken
  }

  /** Stops the heartbeats; the lock itself was given back before. */
  forget(claim: string): void {
    this.#onLost.delete(claim)
    if (this.#ended === undefined) this.#calls.postMessage({ do: 'forget', claim } satisfies HeartCall)
  }

  #ask(call: HeartCall): boolean {
    if (this.#ended !== undefined) throw new HeartUnavailableError('has ended', this.#ended)
    Atomics.store(this.#answered, 0, 0)
    this.#calls.postMessage(call)
    // Again and again: what wakes us first can be the notification that belongs to the answer before, which we saw without waiting for it.
    for (let waits = 0; Atomics.load(this.#answered, 0) === 0; ) {
      if (Atomics.wait(this.#answered, 0, 0, WAIT_MS) !== 'timed-out' || ++waits < HANGS_WAITS) continue
      const reason = `did not answer within ${(HANGS_WAITS * WAIT_MS) / 1000} s`
      // Its answer would be taken for that of the next question, and what it takes now nobody would give back.
      void this.#worker.terminate()
      this.#end(new Error(`it ${reason}`))
      throw new HeartUnavailableError(reason)
    }
    const answer = receiveMessageOnPort(this.#calls)?.message as HeartAnswer
    if ('taken' in answer) return answer.taken
    if ('failed' in answer) throw rebuilt(answer.failed)
    // Node loads no module again that it could not load once: the next lock needs another thread. This one ends by itself.
    const broken = rebuilt(answer.broken)
    this.#end(broken)
    throw isPassingTrouble(broken) ? broken : new HeartUnavailableError(`could not be started: ${broken.message}`)
  }

  #lost({ claim, reason }: LostNotice): void {
    const tell = this.#onLost.get(claim)
    this.#onLost.delete(claim)
    tell?.(reason)
  }

  /** Without heartbeats every lock is lost sooner or later: better now, and told. */
  #end(why: unknown): void {
    if (this.#ended !== undefined) return
    this.#ended = why
    const tellAll = [...this.#onLost.values()]
    this.#onLost.clear()
    for (const tell of tellAll) tell('the thread that sends its heartbeats has ended')
  }
}

function rebuilt(failure: Failure): Error {
  return Object.assign(new Error(failure.message), failure)
}

/** Looked for before the thread is made: what is wrong with it would be told later, to an event loop that waits for an answer. */
function programOfThread(): URL {
  const module = installedModule('@procref/lockfile', import.meta.url, './heart-worker.js')
  if (module === undefined) {
    throw new HeartUnavailableError(
      'could not be started: @procref/lockfile is part of a bundle, and its thread would have to be a file of its own. ' +
        'Keep the package out of the bundle, and installed, or use native() (see docs/where-processes-live.md)',
    )
  }
  const program = new URL(module)
  if (existsSync(program)) return program
  throw new HeartUnavailableError(`could not be started: there is no ${program.pathname} (was its folder removed?)`)
}
