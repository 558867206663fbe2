/**
 * The guardian: one process per directory that starts the server, watches the slots and stops the server after the last
 * client. This file is its life; each step is a file beside it.
 *
 * Locks, in this order, each held until the process ends (death frees them all):
 *   guardian.lock        elects it; tried exclusively, only by guardians
 *   alive-<nonce>.lock   what everybody else probes
 *   data/server.lock     held by the server itself; the guardian takes it, passes it on and closes its copy
 *
 * Why no client can lose its server between claiming and connecting: each side writes before it reads.
 *   OK:    client claims its slot, THEN reads server.json   |  guardian writes `draining`, THEN probes the slots
 *   WRONG: guardian probes, then writes `draining`: a client that claimed in between reads `serving` and is stopped under.
 *   WRONG: client reads, then claims: the guardian's probe misses it.
 * So one of them always sees the other, and no lock is held across anything: a stopped process blocks nobody. A gate lock
 * around both steps was rejected because whoever is stopped while holding it stops everybody.
 *
 * Order of writes:
 *   OK:    `starting` (next epoch, `previous`)  →  server.lock  →  port  →  launch  →  server's identity  →  `serving`
 *   OK:    `draining`  →  proof  →  `stopping`  →  stop the server  →  server.lock again  →  `stopped`  →  exit
 *   OK:    `stopping` with `restarting`, nothing proven, slots held or not  →  as above: a restart on request, or of a server that cannot
 *          write any more (write-health.ts), and no end of any lease
 *   WRONG: launch before its epoch and nonce are on disk: a server that nobody recorded can never be proven ours.
 *   WRONG: `previous` replaced before server.lock is held: of guardians killed one after the other while they wait for it, the
 *          third would not know whose server it waits for. It is kept until then, and removed by the write of the port.
 *   WRONG: `stopped` on the word of an exit event: only server.lock proves that nothing holds the data.
 *   WRONG: `serving` after `stopping`: the server may have been told to die already.
 * No write, no act: where a state cannot be written, the step it announces is not taken.
 *
 * The record and the journal are two files, so a reader may come between them. What it finds there:
 *   OK:    `starting` or `stopping`, THEN its line (`announce`)
 *   OK:    the line of `serving`, `unresponsive`, `stopped` or `failed`, THEN the state (`establish`): who reads it can ask why
 *   WRONG: the line of a stop whose state cannot be written: a stop that never was, noted again at each attempt.
 *   WRONG: `unresponsive`, then its line: who looks for the reason finds the one of the state before.
 *
 * docs/model/procref.pml has these orders as a model, which is searched state by state: both change together.
 */
import {
  checkDirectory,
  type FileLock,
  identify,
  identifySelf,
  isMemoryFilesystem,
  isPassingTrouble,
  locksAreInheritable,
  type SlotBackend,
  secureDirectory,
} from '@procref/core'
import { afterCleanStop, afterStart, isCrashLoop, startMark } from '../crash-loop.ts'
import { pause } from '../delay.ts'
import type { RunningServer, ServerDriver } from '../driver.ts'
import { ServerCrashLoopError } from '../errors.ts'
import { fileTrouble } from '../file-trouble.ts'
import { openSlots } from '../open-slots.ts'
import { removeFile, removeTemporaries } from '../state/atomic-file.ts'
import { ensureCredentials } from '../state/credentials.ts'
import { checkEngine, readEngineRecord, writeEngineRecord } from '../state/engine-record.ts'
import { Journal, type JournalReason } from '../state/journal.ts'
import { type Layout, layout } from '../state/layout.ts'
import { NEWEST_PROTOCOL, OLDEST_PROTOCOL } from '../state/protocols.ts'
import { serializeError } from '../state/serialized-error.ts'
import { lastWords, openServerLog } from '../state/server-log.ts'
import { readServerRecord, type ServerRecord, ServerRecordFile } from '../state/server-record.ts'
import { readUpgradeConsent } from '../state/upgrade-consent.ts'
import { VERSION } from '../version.ts'
import { Chronicle, UsurpedError } from './chronicle.ts'
import { chooseConfiguration, rebuildBackend, rebuildDriver } from './configuration.ts'
import { electGuardian } from './election.ts'
import { failureReason } from './failure-reasons.ts'
import { announce, establish, type Guardianship, note } from './guardianship.ts'
import { choosePort } from './port.ts'
import { NoRoomError, obtainRoom } from './room.ts'
import { serve } from './serve.ts'
import { obtainServerLock } from './server-lock.ts'
import type { GuardianSetup, GuardianStatus } from './setup.ts'
import { spawnServer } from './spawn-server.ts'
import { stopServer } from './stop-server.ts'
import { Wake } from './wake.ts'

const READY_TIMEOUT_MS = 120_000
/** A server told to die by a logout should not be brought back in the middle of it; TERM to us cancels the restart. */
const RESTART_DELAY_MS = 500
const REFUSED_DELAY_MS = 5_000
/** A full disk is no end for those who have a lease, as long as it does not last. */
const ROOM_TIMEOUT_MS = 120_000
const HOST = '127.0.0.1'

/**
 * Lives a guardian's life. Resolves when it is over; the caller then ends the process, which frees the locks.
 * `report` is called exactly once, early.
 */
export async function runGuardian(
  setup: GuardianSetup,
  told: AbortSignal,
  report: (status: GuardianStatus) => void,
): Promise<void> {
  const paths = layout(setup.dir)
  // Everything is loaded before the first lock: the folder it comes from may vanish (npx), and a loser leaves early.
  const backend = await rebuildBackend(setup.backend)
  const wanted = await rebuildDriver(setup.driver)
  await wanted.check?.()
  await wanted.load?.()
  // Made by the client that launched us. Deleted since: then it is not for us to bring it back.
  checkDirectory(paths.root)
  secureDirectory(paths.data)
  secureDirectory(paths.database)
  const pool = await openSlots(backend, paths.slots, setup.settings.slots, openOptions(setup))

  const office = await electGuardian(backend.locks, paths, setup.nonce)
  if (office === undefined) return report({ kind: 'loser' })

  const journal = new Journal(paths.journal)
  const file = new ServerRecordFile(paths.serverJson, setup.nonce)
  file.removeLeftovers()
  removeTemporaries(paths.data, setup.nonce)
  const previous = readServerRecord(paths.serverJson)
  const configuration = await chooseConfiguration(setup, wanted, previous, pool)
  const wake = new Wake()
  told.addEventListener('abort', () => wake.up(), { once: true })
  const g: Guardianship = {
    setup,
    paths,
    backend,
    driver: configuration.driver,
    pool,
    office,
    journal,
    wake,
    told,
    logFd: openServerLog(paths.serverLog),
    chronicle: new Chronicle(file, office, await initialRecord(setup, paths, backend, configuration, previous)),
  }
  let hello = (): void => {
    hello = () => {}
    report({ kind: 'hello', epoch: g.chronicle.current.epoch })
  }
  try {
    await liveEpochs(g, previous, () => hello())
  } finally {
    file.close()
  }
}

/** One round is one life of the server. */
async function liveEpochs(g: Guardianship, before: ServerRecord | undefined, hello: () => void): Promise<void> {
  // A server that had been serving and went without a clean stop, or whose restart was asked for, is brought back; one that never came up is not insisted on.
  let recovering =
    before !== undefined && before.state !== 'failed' && (before.state !== 'stopped' || before.restarting !== undefined)
  let previous = before
  let old: RunningServer | undefined
  let lastFailure: unknown
  // Of the life before, where the server did not have it: its next life goes on under it.
  let kept: FileLock | undefined
  const obtainLock = async (): Promise<FileLock> => {
    const lock = kept
    kept = undefined
    if (lock?.isCurrent()) return lock
    lock?.release()
    return await obtainServerLock(g.backend, g.paths, previous, (pid) =>
      note(g, 'orphan-ended', 'orphan-of-dead-guardian', { pid }),
    )
  }
  for (;;) {
    let started: Started | undefined
    let wasLaunched = false
    const launched = (): void => {
      wasLaunched = true
    }
    try {
      started = await startServer(g, { previous, lastFailure, old, recovering, obtainLock, hello, launched })
    } catch (error) {
      if (error instanceof UsurpedError) return usurped(g, undefined)
      if (g.told.aborted) return toldWhileStarting(g)
      if (!worthRetrying(g, error, recovering)) return fail(g, error)
      note(g, 'server-died', 'start-failed', evidence(error))
      if (wasLaunched && isSpent(g)) return
      previous = g.chronicle.current
      lastFailure = fileTrouble(error, g.paths.root)
      old = undefined
      await pause(delayAfter(error), g.told).catch(() => {})
      continue
    }
    lastFailure = undefined
    try {
      const outcome = await serve(g, started.server, previous)
      if (outcome.kind === 'stop') return await stop(g, started)
      if (outcome.kind === 'data-gone') {
        await stopServer(started.server)
        return fail(g, outcome.error)
      }
      note(g, 'server-died', outcome.reason, outcome.evidence)
      if (isSpent(g)) return
      recovering = true
      previous = g.chronicle.current
      old = outcome.reason === 'told-to-die' ? started.server : undefined
      kept = started.lock
    } catch (error) {
      if (!(error instanceof UsurpedError)) throw error
      return await usurped(g, started.server)
    }
  }
}

/** After a launch: the engine inside this process cannot be opened twice. The next guardian does it. */
function isSpent({ driver }: Guardianship): boolean {
  return driver.placement === 'guardian'
}

/** What the next guardian has to know to prove that a server is this one's. */
function lifeOf({ nonce, epoch, guardian, server }: ServerRecord): NonNullable<ServerRecord['previous']> {
  return { nonce, epoch, guardian, ...(server && { server }) }
}

interface Started {
  readonly server: RunningServer
  /** Kept where the server is this process, or where a child cannot inherit it. */
  readonly lock: FileLock | undefined
}

interface Start {
  readonly previous: ServerRecord | undefined
  /** Why the start before failed, if one did. */
  readonly lastFailure: unknown
  /** Somebody may hold a lease on the one before. */
  readonly recovering: boolean
  /** Not dead yet. */
  readonly old: RunningServer | undefined
  obtainLock(): Promise<FileLock>
  hello(): void
  /** Called once the driver has launched it, whatever comes of it. */
  launched(): void
}

async function startServer(g: Guardianship, start: Start): Promise<Started> {
  const { previous, lastFailure, recovering, old, obtainLock, hello, launched } = start
  const { chronicle, paths, driver } = g
  // By those who have a lease.
  const isAwaited = recovering || previous?.restarting !== undefined
  const mark = startMark()
  const before = sameAsked(previous, chronicle.current) ? (previous?.starts ?? []) : []
  const limit = chronicle.current.settings.crashLoop
  const refused = isCrashLoop(before, mark, limit)
  const starting = {
    state: 'starting',
    epoch: (previous?.epoch ?? 0) + 1,
    // One that still names its own has not had server.lock, so it launched nothing: what may be there is that older one's.
    previous: previous?.previous ?? (previous && lifeOf(previous)),
    // One that is refused is none: whoever keeps asking would be refused for ever.
    starts: refused ? before : afterStart(before, mark),
    server: undefined,
    version: undefined,
    failure: undefined,
    by: undefined,
  } as const
  announce(g, starting, 'server-starting', startReason(g, previous), { launchedBy: g.setup.launchedBy.pid })
  hello()
  if (old !== undefined) await stopServer(old)
  // A restart waits: at a logout everything is told to die, and we are about to be.
  if (previous?.nonce === g.setup.nonce) await pause(RESTART_DELAY_MS, g.told)
  if (refused) {
    const logTail = lastWords(paths.serverLog, 20)
    throw new ServerCrashLoopError({ dir: paths.root, ...limit, logTail }, { cause: lastFailure })
  }

  const lock = await obtainLock()
  let server: RunningServer | undefined
  try {
    if (driver.durable) {
      await obtainRoom(paths.database, isAwaited ? ROOM_TIMEOUT_MS : 0, g.told, (lack) =>
        note(g, 'probe-failed', 'disk-full', evidence(lack)),
      )
    }
    const credentials = ensureCredentials(paths)
    await driver.checkData?.(paths.database)
    const engine = await driver.engine?.()
    if (engine !== undefined && driver.durable) {
      const consent = readUpgradeConsent(paths.upgradeJson)
      checkEngine(readEngineRecord(paths.engineJson), engine, paths.engineJson, consent)
      writeEngineRecord(paths.engineJson, engine, driver.name)
      // Used up; one that somebody else left behind is to nothing any more.
      removeFile(paths.upgradeJson)
    }
    const port = await choosePort({
      host: HOST,
      signal: g.told,
      ...(previous && previous.port > 0 && { known: previous.port }),
      ...(chronicle.current.settings.port !== undefined && { demanded: chronicle.current.settings.port }),
    })
    // server.lock has proven that the server of the one before is gone; from the launch on ours may be left.
    chronicle.write({ port, previous: undefined })
    g.told.throwIfAborted()
    server = await driver.launch({
      dir: paths.root,
      databaseDir: paths.database,
      host: HOST,
      port,
      credentials,
      nonce: g.setup.nonce,
      epoch: chronicle.current.epoch,
      logFile: paths.serverLog,
      logFd: g.logFd,
      signal: g.told,
      spawn: (plan) =>
        spawnServer({
          plan,
          logFd: g.logFd,
          nonce: g.setup.nonce,
          ...(lock.fd !== undefined && { lockFd: lock.fd }),
        }),
    })
    launched()
    server.ended.then(() => g.wake.up())
    const passedOn = driver.placement === 'child' && lock.fd !== undefined && locksAreInheritable(g.backend.guarantees)
    if (passedOn) lock.release()
    chronicle.write({ server: identify(server.pid) })
    const details = await server.ready({ signal: AbortSignal.any([g.told, AbortSignal.timeout(READY_TIMEOUT_MS)]) })
    establish(g, { state: 'serving', version: details.version }, 'server-serving', 'ready', { pid: server.pid, port })
    return { server, lock: passedOn ? undefined : lock }
  } catch (error) {
    // The first error is the one that counts; the server must be gone before anybody is told.
    if (server !== undefined) await stopServer(server)
    lock.release()
    throw error
  }
}

/** `stopping` is one-way. Written before the server is told; `stopped` only once its lock proves that it is gone. */
async function stop(g: Guardianship, started: Started): Promise<void> {
  const end = await stopServer(started.server)
  if (started.lock === undefined) {
    try {
      await obtainServerLock(g.backend, g.paths, g.chronicle.current, (pid) =>
        note(g, 'orphan-ended', 'escalation', { pid }),
      )
    } catch (error) {
      return fail(g, error)
    }
  }
  const stopped = { state: 'stopped', server: undefined, starts: afterCleanStop() } as const
  const { code = null, signal = null } = end ?? {}
  establish(g, stopped, 'server-stopped', 'clean-stop', { code, signal })
}

/** What holds the data is not known at this point, so nothing is claimed: the record stays, the alive lock goes. */
function toldWhileStarting(g: Guardianship): void {
  note(g, 'guardian-exited', 'signal')
}

function fail(g: Guardianship, reason: unknown): void {
  const error = fileTrouble(reason, g.paths.root)
  const failure = { ...serializeError(error), logTail: lastWords(g.paths.serverLog, 20) }
  const failed = { state: 'failed', failure, server: undefined } as const
  establish(g, failed, 'server-failed', failureReason(error), evidence(error))
}

/** Somebody else rules here: our own child is all that we may still touch. */
async function usurped(g: Guardianship, server: RunningServer | undefined): Promise<void> {
  process.stderr.write(`procref: ${g.paths.guardianLock} is not ours any more; this guardian leaves\n`)
  if (server !== undefined) await stopServer(server)
}

/** A server that ended early may come up next time, but only what has been up before is insisted on; the breaker bounds it. */
function worthRetrying(g: Guardianship, error: unknown, recovering: boolean): boolean {
  const code = (error as { code?: unknown }).code
  if (typeof code !== 'string' || !code.startsWith('PROCREF_')) return recovering
  // Somebody took the port between our test and the server's bind: the next attempt chooses another one.
  if (code === 'PROCREF_PORT_TAKEN') return recovering || g.chronicle.current.settings.port === undefined
  return recovering && RETRYABLE.has(code) && !(error instanceof NoRoomError)
}

/** What the system refused the server, or us. */
const REFUSED: ReadonlySet<unknown> = new Set([
  'PROCREF_DISK_FULL',
  'PROCREF_IO_ERROR',
  'PROCREF_NO_LOCKS_LEFT',
  'PROCREF_OUT_OF_MEMORY',
  'PROCREF_SERVER_SPAWN',
  'PROCREF_TOO_MANY_OPEN_FILES',
])

/** What is refused now is refused half a second later, too: the breaker would have counted enough attempts before it is over. */
function delayAfter(error: unknown): number {
  const isRefused = isPassingTrouble(error) || REFUSED.has((error as { code?: unknown }).code)
  return isRefused ? REFUSED_DELAY_MS : RESTART_DELAY_MS
}

const RETRYABLE: ReadonlySet<unknown> = new Set([
  ...REFUSED,
  'PROCREF_EXECUTABLE_FAILED',
  'PROCREF_SERVER_EXITED',
  'PROCREF_SERVER_NOT_READY',
])

function evidence(error: unknown): Record<string, string> {
  const { code, message } = serializeError(error)
  return { ...(code !== undefined && { code }), message }
}

/** Starts under another configuration do not count against this one. */
function sameAsked(previous: ServerRecord | undefined, current: ServerRecord): boolean {
  return (
    previous?.driver.name === current.driver.name &&
    JSON.stringify(previous.driver.settings) === JSON.stringify(current.driver.settings)
  )
}

async function initialRecord(
  setup: GuardianSetup,
  paths: Layout,
  backend: SlotBackend,
  configuration: { readonly driver: ServerDriver; readonly settings: ServerRecord['settings'] },
  previous: ServerRecord | undefined,
): Promise<ServerRecord> {
  const { driver, settings } = configuration
  return {
    protocol: OLDEST_PROTOCOL,
    newestProtocol: NEWEST_PROTOCOL,
    procref: VERSION,
    state: 'starting',
    epoch: previous?.epoch ?? 0,
    nonce: setup.nonce,
    at: new Date().toISOString(),
    guardian: identifySelf(),
    host: HOST,
    port: previous?.port ?? 0,
    durable: driver.durable && !(await isMemoryFilesystem(paths.data)),
    driver: { name: driver.name, descriptor: driver.descriptor, settings: driver.settings },
    backend: { name: backend.name, descriptor: backend.descriptor },
    settings,
    starts: previous?.starts ?? [],
  }
}

function openOptions(setup: GuardianSetup): { readonly allowUnsafeFilesystem?: boolean; readonly label: string } {
  const { allowUnsafeFilesystem } = setup.settings
  return { label: 'guardian', ...(allowUnsafeFilesystem !== undefined && { allowUnsafeFilesystem }) }
}

function startReason(g: Guardianship, previous: ServerRecord | undefined): JournalReason {
  if (previous?.state === 'stopped' && previous.restarting !== undefined) return 'restart'
  if (previous === undefined || previous.state === 'stopped' || previous.state === 'failed') return 'no-server'
  return previous.nonce === g.setup.nonce ? 'server-ended' : 'guardian-gone'
}
