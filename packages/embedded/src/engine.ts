import { availableParallelism } from 'node:os'
import { loadTrouble, requireBeside } from '@procref/core'
import { EMPTY_ARRAY, encodeUuid, encodeValue, mapParts } from './cbor.ts'
import { prepareEnvironment } from './engine-environment.ts'
import { EngineSpentError, EngineUnavailableError } from './errors.ts'
import { FairTurns } from './fair-turns.ts'
import { joinInSteps } from './joined.ts'
import { MemoryReturn } from './memory-return.ts'
import { openError } from './open-error.ts'
import { findPlatformBinary } from './platform-binary.ts'
import { parseError, type RpcError, shuttingDown } from './rpc-errors.ts'
import { inTurns, LONG_BYTES } from './turns.ts'

/** What `@surrealdb/node` 3.0.3 has in its binary. Everything is CBOR. */
interface NativeEngine {
  /** Ends the process (SIGABRT) when called after `free()`. */
  execute(request: Uint8Array): Promise<Uint8Array>
  notifications(): Promise<{ recv(): Promise<Uint8Array | null> }>
  /** Waits for every `execute` that has begun. */
  free(): Promise<void>
}

interface NativeModule {
  readonly SurrealNodeEngine: {
    connect(endpoint: string, options?: object): Promise<NativeEngine>
  }
}

/**
 * What the engine says: a result, or an error made for the client. Both encoded. `lost`: the error stands for a request that the engine
 * could not read, or for a result that it could not write.
 */
export type Answer = { readonly result: Buffer } | { readonly error: RpcError; readonly lost?: 'request' | 'result' }

export interface Call {
  readonly method: string
  /** One encoded array. */
  readonly params?: Uint8Array
  /** Left out: the engine's own session, which is the owner of everything. Never left out for a client. */
  readonly session?: string
  readonly txn?: string
}

export interface EngineOptions {
  /** `rocksdb:///path?sync=every`, `mem://`. */
  readonly endpoint: string
  /** Where functions may connect to: anywhere, nowhere, or only there. One that is malformed ends the process. */
  readonly network: boolean | readonly string[]
  /** Which experimental features may be used. A name that the engine does not know ends the process. */
  readonly experimental: readonly string[]
  /** For messages. */
  readonly path: string
}

/** So many calls are started at once at least: one or two would leave the engine idle while we make the next ones, or the disk syncs. */
const MIN_PLACES = 8
/** So many at least while somebody asks one thing after the other: one would leave a processor idle while we make the next one. */
const MIN_FEW = 2

/** Whose turn it is when no client's session is used. */
const OWNER = ''

interface LoadedEngine extends NativeModule {
  readonly version: string
}

let loaded: LoadedEngine | undefined

/**
 * Loads the engine's binary into this process, once. Throws `EngineUnavailableError`.
 *
 * Guarantee: from then on nothing of the folder that it is installed in is read any more.
 */
export function loadEngine(): LoadedEngine {
  if (loaded === undefined) {
    const { file, version } = findPlatformBinary()
    prepareEnvironment()
    loaded = { SurrealNodeEngine: load(file).SurrealNodeEngine, version }
  }
  return loaded
}

/** The version of SurrealDB in the engine that is loaded, or would be. Throws `EngineUnavailableError`. */
export function engineVersion(): string {
  return (loaded ?? findPlatformBinary()).version
}

/** As its storages say it of what the system has refused them (RocksDB and SurrealKV alike). */
const STORAGE_ERROR = 'IO error'
/** It is said in a few words. */
const MAX_ERROR_BYTES = 16_384
const REFUSAL = `an answer of the engine had "${STORAGE_ERROR}" in it`

let spent = false

/** SurrealDB's engine with one database open. There is one in a process, once. */
export class Engine {
  readonly #native: NativeEngine
  readonly version: string
  readonly #turns = new FairTurns({
    all: Math.max(MIN_PLACES, 4 * availableParallelism()),
    few: Math.max(MIN_FEW, availableParallelism()),
  })
  readonly #memory = new MemoryReturn()
  #refusal: string | undefined
  #inFlight = 0
  #idle: (() => void) | undefined
  #stopping = false

  private constructor(native: NativeEngine, version: string) {
    this.#native = native
    this.version = version
  }

  /**
   * Loads the engine and opens the database. `notify` gets every notification of a live query, encoded; it must not throw.
   * Throws `EngineUnavailableError`, `DatabaseOpenError`, `DatabaseLockedError`, `EngineSpentError`.
   */
  static async open(options: EngineOptions, notify: (notification: Buffer) => void): Promise<Engine> {
    if (spent) throw new EngineSpentError()
    const { SurrealNodeEngine, version } = loadEngine()
    spent = true
    let native: NativeEngine
    try {
      const { network, experimental } = options
      const capabilities = { scripting: false, network_targets: network, experimental: [...experimental] }
      native = await SurrealNodeEngine.connect(options.endpoint, { capabilities })
    } catch (cause) {
      spent = false
      throw openError(options.path, cause)
    }
    const engine = new Engine(native, version)
    await engine.#listen(notify)
    return engine
  }

  /** What its storage may have refused since the last call: a text that clients have written can look like it. */
  takeRefusal(): string | undefined {
    const refusal = this.#refusal
    this.#refusal = undefined
    return refusal
  }

  /** Never rejects: what the engine cannot read or write becomes a parse error, as the real server says it. */
  async call(call: Call): Promise<Answer> {
    if (this.#stopping) return { error: shuttingDown() }
    this.#inFlight++
    const entered = this.#turns.enter(call.session ?? OWNER)
    const turn = entered instanceof Promise ? await entered : entered
    try {
      const parts = callParts(call)
      const isLong = (call.params?.length ?? 0) > LONG_BYTES
      const request = isLong ? await inTurns(joinInSteps(parts)) : Buffer.concat(parts)
      const answer = view(await this.#native.execute(request))
      this.#memory.passed(request.length)
      this.#memory.passed(answer.length)
      if (answer.length <= MAX_ERROR_BYTES && answer.includes(STORAGE_ERROR)) this.#refusal = REFUSAL
      return answerOf(answer)
    } catch (cause) {
      return { error: parseError(), lost: String(cause).includes(NO_FORM) ? 'result' : 'request' }
    } finally {
      this.#turns.leave(turn)
      this.#inFlight--
      if (this.#inFlight === 0) this.#idle?.()
    }
  }

  /**
   * Lets no further call in, waits for those in flight until `hurry`, and closes the database. With calls still in flight
   * it is left open: what was acknowledged is the system's at least, and the end of the process closes it.
   */
  async close(hurry: AbortSignal): Promise<'closed' | 'left-open'> {
    this.#stopping = true
    if (this.#inFlight > 0) {
      await new Promise<void>((resolve) => {
        this.#idle = resolve
        if (hurry.aborted) resolve()
        else hurry.addEventListener('abort', () => resolve(), { once: true })
      })
    }
    if (this.#inFlight > 0) return 'left-open'
    await this.#native.free()
    return 'closed'
  }

  async #listen(notify: (notification: Buffer) => void): Promise<void> {
    const source = await this.#native.notifications()
    const listen = async (): Promise<void> => {
      for (let next = await source.recv(); next !== null; next = await source.recv()) notify(view(next))
    }
    void listen()
  }
}

function load(file: string): NativeModule {
  try {
    return requireBeside(import.meta.url)(file) as NativeModule
  } catch (cause) {
    const trouble = loadTrouble(cause, file)
    if (trouble !== undefined) throw trouble
    const said = cause instanceof Error ? cause.message : String(cause)
    throw new EngineUnavailableError(
      `could not be loaded: ${said}`,
      'Its binary does not fit this system; install a `surreal` executable and use surrealBinary().',
      { cause },
    )
  }
}

/** What the engine rejects a call with whose result has no form in CBOR (a regex). All else are params that are no SurrealDB values. */
const NO_FORM = 'Unsupported value type'

const methods = new Map<string, Buffer>()

/**
 * `params` come last in a map of stated length: should the engine see the end of a client's bytes elsewhere than we did,
 * what follows cannot become another method or session.
 */
function callParts({ method, params, session, txn }: Call): readonly Uint8Array[] {
  let name = methods.get(method)
  if (name === undefined) {
    name = encodeValue(method)
    methods.set(method, name)
  }
  return mapParts([
    ['method', name],
    ...(session === undefined ? [] : [['session', encodeUuid(session)] as const]),
    ...(txn === undefined ? [] : [['txn', encodeUuid(txn)] as const]),
    ['params', params ?? EMPTY_ARRAY],
  ])
}

/** `{ error: { cause: …`: the engine's own errors begin so. Everything else is a result, a client's `{ error: 1 }` too. */
const ERROR_HEAD = Buffer.concat([Buffer.of(0xa1), encodeValue('error')])
const CAUSE = encodeValue('cause')

function answerOf(bytes: Buffer): Answer {
  const body = ERROR_HEAD.length
  const isError =
    bytes.subarray(0, body).equals(ERROR_HEAD) && bytes.subarray(body + 1, body + 1 + CAUSE.length).equals(CAUSE)
  return isError ? { error: bytes.subarray(body) } : { result: bytes }
}

function view(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}
