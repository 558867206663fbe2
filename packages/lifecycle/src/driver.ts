import type { Descriptor, Json } from '@procref/core'

/**
 * A kind of server: how to launch it, when it is ready, how to stop it. A driver is rebuilt inside the guardian from its
 * `descriptor`; constructing one does nothing (no file access, no process).
 */
export interface ServerDriver {
  /** Stable and lower-case, e.g. `surreal-binary`. */
  readonly name: string
  readonly descriptor: Descriptor
  /**
   * What all clients of one server have to agree on (storage, capabilities, command line), compared key by key for
   * `ConfigMismatchError`. No secret, no path that differs between users of the same server.
   */
  readonly settings: { readonly [key: string]: Json }
  /**
   * Those of `settings` that the caller said explicitly: a running server that differs in the others is shared as it runs. Left
   * out: all of them.
   */
  readonly asked?: { readonly [key: string]: Json }
  /** `child`: the server is a process that the guardian spawns. `guardian`: it runs inside the guardian's process. */
  readonly placement: 'child' | 'guardian'
  /** False: nothing survives the server's end (memory storage). */
  readonly durable: boolean
  /**
   * For `placement: 'guardian'`: what the guardian's environment has to say from its first instruction on, as it does to the C
   * library. No secret. Everything else a driver can set once it is there.
   */
  readonly guardianEnvironment?: Readonly<Record<string, string>>
  /**
   * Called in the client before a guardian is launched and again in the guardian: throws a typed error that says what is
   * missing and how to get it (no executable found, module not installed). Quick, starts nothing that stays.
   */
  check?(): Promise<void>
  /**
   * Called in the guardian, once, before its first lock: loads what the later calls need of the folder that the driver is
   * installed in, because that may vanish (npx). Left out: importing the driver's module has loaded everything.
   */
  load?(): Promise<void>
  /** Who is about to write the data directory. Left out: the data has no version that matters. */
  engine?(): Promise<EngineIdentity>
  /**
   * Called in the guardian, under `server.lock` and before anything is recorded beside the data: throws `DataEngineMismatchError`
   * when what is in `databaseDir` is plainly not what this driver would open. Left out: whatever is there can be opened.
   */
  checkData?(databaseDir: string): Promise<void>
  /**
   * Starts the server, which then belongs to the caller. Rejects if it could not even be started, leaving nothing behind.
   * Resolves early: readiness is `RunningServer.ready()`.
   */
  launch(context: LaunchContext): Promise<RunningServer>
}

/** What is recorded beside the data, so that another engine, or an older one, is refused before it opens them. */
export interface EngineIdentity {
  /** `surrealdb` */
  readonly engine: string
  /** `3.3.5` */
  readonly version: string
  /** `rocksdb` */
  readonly storage: string
}

/** The server's own administrator, random, known only to those who can read the directory. */
export interface Credentials {
  readonly user: string
  readonly password: string
}

export interface Endpoint {
  /** Always a loopback address. */
  readonly host: string
  readonly port: number
}

export interface LaunchContext extends Endpoint {
  /** The root directory, absolute. */
  readonly dir: string
  /** `data/db` in it: exists, 0700, belongs to the server. */
  readonly databaseDir: string
  readonly credentials: Credentials
  /** This life of the guardian; a child server carries it as `PROCREF_INSTANCE`. */
  readonly nonce: string
  readonly epoch: number
  /** The server's own output goes here (O_APPEND; the guardian caps it by truncating in place, so never keep an offset). */
  readonly logFile: string
  readonly logFd: number
  /** Aborted when the start is given up. */
  readonly signal: AbortSignal
  /** For `placement: 'child'` only: the one way to spawn the server, see `SpawnPlan`. */
  spawn(plan: SpawnPlan): ServerProcess
}

/**
 * What to execute. The guardian adds: the inherited `server.lock` as descriptor 3, `PROCREF_INSTANCE`, its own session,
 * output to the log, and the binding of the child's life to the guardian's where the kernel offers one.
 */
export interface SpawnPlan {
  /** Absolute path. */
  readonly file: string
  /** Never a secret: other users can read them. */
  readonly args: readonly string[]
  /** Added to the guardian's own small environment. */
  readonly env: Readonly<Record<string, string>>
  readonly cwd?: string
}

export interface ServerProcess {
  readonly pid: number
  /** Resolves (never rejects) once the process has ended and its exit status was collected. */
  readonly ended: Promise<ServerEnd>
  signal(name: 'SIGTERM' | 'SIGKILL'): void
}

export interface ServerEnd {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
  /** A reason known better than the exit code, e.g. `EADDRINUSE` or the engine's own error. */
  readonly error?: Error
}

export interface RunningServer {
  /** The process that serves; the guardian's own for `placement: 'guardian'`. */
  readonly pid: number
  /** Resolves (never rejects) once the server has ended: no longer listening and its exit status collected. */
  readonly ended: Promise<ServerEnd>
  /**
   * Resolves when the server answers its callers (for SurrealDB: an authenticated query, and the default namespace and
   * database exist). Rejects with the signal's reason, or `ServerNotReadyError` with that as its cause, when aborted; with a
   * typed error when the server ended instead.
   */
  ready(options: { readonly signal: AbortSignal }): Promise<ServerDetails>
  /**
   * Resolves when the server, once ready, answers; rejects with what was seen instead, in a message for people. Left out: it
   * cannot be asked.
   *
   * Guarantee: it changes nothing, sends no secret, and settles soon after `signal` was aborted.
   * Unspecified: what it rejects with when aborted.
   * Caller: one at a time, each with a limit; and nobody is ever ended because this failed.
   */
  healthy?(options: { readonly signal: AbortSignal }): Promise<void>
  /**
   * What makes it possible that its storage has refused a write since the last call, in a few words. Left out: it says nothing of that.
   *
   * Guarantee: answers at once, never throws. A suspicion and no verdict: it may be of a write that is of no interest, and a refusal may go unnoticed.
   */
  refusedWrite?(): string | undefined
  /**
   * Resolves when the server, once ready, has committed a write that leaves nothing in its data; rejects with what was seen instead, in a message
   * for people. Left out: it cannot be asked.
   *
   * Guarantee: settles soon after `signal` was aborted.
   * Caller: asks only when there is a suspicion, one at a time, each with a limit.
   */
  commits?(options: { readonly signal: AbortSignal }): Promise<void>
  /** Asks it to stop; a second call asks it to hurry (drop what is still connected). Returns at once, never throws. */
  terminate(): void
  /** Ends it without asking. For `placement: 'guardian'` a no-op: the guardian's exit does it. Never throws. */
  kill(): void
}

export interface ServerDetails {
  readonly version?: string
}
