import { watch } from 'node:fs'
import { basename } from 'node:path'
import { errnoOf, type LockWatch, leadsElsewhere, ProcrefError, processState, translateErrno } from '@procref/core'
import type { RunningServer } from '../driver.ts'
import { DirectoryGoneError } from '../errors.ts'
import { proveListener } from '../identity/listener.ts'
import { type GuardianRequest, takeRequest } from '../state/request-file.ts'
import { serializeError } from '../state/serialized-error.ts'
import { capServerLog, SERVER_LOG_LIMIT_BYTES } from '../state/server-log.ts'
import { readServerRecord, type ServerRecord } from '../state/server-record.ts'
import { UsurpedError } from './chronicle.ts'
import { holdAlive } from './election.ts'
import { failureReason } from './failure-reasons.ts'
import { announce, type Guardianship, note } from './guardianship.ts'
import { Health } from './health.ts'
import { Linger } from './linger.ts'
import { roomOf } from './room.ts'
import { Collector } from './small-footprint.ts'
import { WriteHealth } from './write-health.ts'

const BEAT_MS = 5_000
/** After a step that could not be written or proven, e.g. on a full disk. */
const RETRY_MS = 1_000
/** A server that has replaced one that could not write, and cannot either, is replaced after so long: whoever only reads is served meanwhile. */
const REPLACEMENT_LIFE_MS = 10_000

/** Why the time of serving is over. For `stop` the state on disk is `stopping`. */
export type Outcome =
  | { readonly kind: 'stop' }
  | {
      readonly kind: 'ended'
      readonly reason: 'server-ended' | 'told-to-die'
      readonly evidence: Record<string, string | number | null>
    }
  | { readonly kind: 'data-gone'; readonly error: DirectoryGoneError }

/**
 * Watches slots, server, locks and requests until one of them ends this time of serving. Throws `UsurpedError`.
 * Sleeps until something happens: the slots became empty, the server ended, a signal, a request, the next beat, another
 * answer to the question whether the server still answers (which decides nothing but what the state is called).
 */
export async function serve(
  g: Guardianship,
  server: RunningServer,
  previous: ServerRecord | undefined,
): Promise<Outcome> {
  const sources = new AbortController()
  let end: Awaited<RunningServer['ended']> | undefined
  server.ended.then((value) => {
    end = value
    g.wake.up()
  })
  let dataLock = watchServerLock(g)
  const requests = watchRequests(g)
  const empty = watchEmpty(g, sources.signal)
  const linger = new Linger(g.paths.slots, g.chronicle.current.settings.lingerMs)
  const health = new Health(
    server,
    () => serverState(g),
    () => g.wake.up(),
  )
  const writes = new WriteHealth(
    server,
    () => roomOf(g.paths.database),
    () => g.wake.up(),
  )
  const collector = new Collector()
  const replaceableFrom = performance.now() + (couldNotWrite(previous) ? REPLACEMENT_LIFE_MS : 0)
  /** What the journal says. */
  let noted: Health['state'] = 'serving'
  /** What is recorded, between stops that were not proven. */
  let up: Health['state'] = 'serving'
  let nextBeat = performance.now() + BEAT_MS
  let stopAt: number | undefined
  let stopNow: StopReason | undefined
  tryToWrite(g, () => g.chronicle.reserve())
  try {
    for (;;) {
      const look = writes.suspects ? performance.now() + RETRY_MS : Number.POSITIVE_INFINITY
      await g.wake.sleep(Math.min(nextBeat, look, stopAt ?? Number.POSITIVE_INFINITY) - performance.now())
      if (end !== undefined) {
        const { code, signal, error } = end
        return {
          kind: 'ended',
          reason: 'server-ended',
          evidence: { code, signal, ...(error && { error: serializeError(error).message }) },
        }
      }
      if (g.told.aborted) {
        // Whoever ends us does not wait for a disk: the server is stopped in order even if nobody can be told.
        tryToWrite(g, () => announceStop(g, { by: 'signal' }))
        return { kind: 'stop' }
      }
      const beat = performance.now() >= nextBeat
      if (beat) {
        nextBeat = performance.now() + BEAT_MS
        await beatOnce(g)
        const lock = watchServerLock(g, dataLock)
        dataLock = lock
        if (lock !== undefined && (await tryToLook(g, () => leadsElsewhere(lock)))) {
          return { kind: 'data-gone', error: new DirectoryGoneError({ dir: g.paths.data }) }
        }
        if ((await tryToLook(g, () => listenerState(g))) === 'gone') {
          return { kind: 'ended', reason: 'told-to-die', evidence: { pid: server.pid, port: g.chronicle.current.port } }
        }
        health.ask()
        collector.beat()
      }
      // What a server logs may be a refusal: the sooner it is replaced, the less is at stake.
      if (beat || requests.logged || writes.suspects) {
        requests.logged = false
        writes.ask()
      }
      if (writes.stuck !== undefined && performance.now() >= replaceableFrom) {
        stopNow = { restarting: { by: process.pid }, seen: writes.stuck }
      }
      // As `establish`, in two: where the record cannot be written the attempt is repeated, the line is not.
      if (health.state !== noted) {
        g.chronicle.verifyOffice()
        noteHealth(g, health)
        noted = health.state
      }
      if (noted !== up && tryToWrite(g, () => recordHealth(g, noted))) up = noted
      if (requests.pending || beat) {
        requests.pending = false
        const request = await tryToLook(g, () => nextRequest(g))
        if (request?.kind === 'restart') stopNow = { restarting: { by: request.by }, seen: undefined }
        if (request?.kind === 'stop') {
          if (request.force) stopNow = { by: 'request' }
          else if ((await countHeld(g)) === 0) {
            // Whoever asks does not want to wait for the linger of those who have left.
            linger.start()
            stopAt = performance.now()
          } else note(g, 'request-ignored', 'slot-held', { by: request.by })
        }
      }
      if (stopNow !== undefined) {
        const reason = stopNow
        if (tryToWrite(g, () => announceStop(g, reason))) return { kind: 'stop' }
        stopAt = performance.now() + RETRY_MS
        continue
      }
      if (empty.maybe && stopAt === undefined) {
        empty.maybe = false
        if ((await countHeld(g)) === 0) stopAt = performance.now() + linger.start()
        else empty.watch()
      }
      if (stopAt !== undefined && performance.now() >= stopAt) {
        const verdict = await tryToStop(g, linger, up)
        if (verdict === 'stopping') return { kind: 'stop' }
        stopAt = verdict === 'in-use' ? undefined : performance.now() + verdict.againInMs
        if (verdict === 'in-use') empty.watch()
      }
    }
  } finally {
    sources.abort()
    health.close()
    writes.close()
    dataLock?.close()
    requests.close()
  }
}

/** Writes `draining`, proves that every slot is free, writes `stopping`. Anything short of proof leaves the server as it was. */
async function tryToStop(
  g: Guardianship,
  linger: Linger,
  up: Health['state'],
): Promise<'stopping' | 'in-use' | { readonly againInMs: number }> {
  const extended = linger.left()
  if (extended > 0) return { againInMs: extended }
  if (!tryToWrite(g, () => g.chronicle.write({ state: 'draining' }))) return { againInMs: RETRY_MS }
  let proven = false
  try {
    proven = await g.pool.provenEmpty()
  } catch (error) {
    note(g, 'probe-failed', 'slots-unknown', { message: serializeError(error).message })
  }
  if (proven && tryToWrite(g, () => announceStop(g, { by: 'empty' }))) return 'stopping'
  if (!tryToWrite(g, () => g.chronicle.write({ state: up }))) return { againInMs: RETRY_MS }
  tryToWrite(g, () => g.chronicle.reserve())
  return proven ? { againInMs: RETRY_MS } : 'in-use'
}

function noteHealth(g: Guardianship, health: Health): void {
  const pid = g.chronicle.current.server?.pid ?? null
  if (health.state === 'serving') note(g, 'server-serving', 'answers-again', { pid })
  else note(g, 'server-unresponsive', 'no-answer', { pid, process: serverState(g) ?? null, seen: health.seen })
}

/** Leaves what is reserved for a stop alone: this is news, not a step. */
function recordHealth(g: Guardianship, state: Health['state']): void {
  g.chronicle.write({ state }, 'keep-reserve')
}

/** For people, and so that a stopped server is not asked in vain: what cannot be seen now is unknown. */
function serverState(g: Guardianship): string | undefined {
  const { server } = g.chronicle.current
  try {
    return server === undefined ? undefined : processState(server)
  } catch {
    return undefined
  }
}

/** Why `stopping` is written, as the record says it: one of the two. `seen`: nobody has asked for it, the server cannot write. */
type StopReason =
  | Required<Pick<ServerRecord, 'by'>>
  | (Required<Pick<ServerRecord, 'restarting'>> & { readonly seen: string | undefined })

function announceStop(g: Guardianship, why: StopReason): void {
  if ('restarting' in why) {
    const { restarting, seen } = why
    const change = { state: 'stopping', restarting } as const
    if (seen === undefined) announce(g, change, 'server-stopping', 'restart', restarting)
    else announce(g, change, 'server-stopping', 'writes-refused', { seen })
    return
  }
  const { by } = why
  announce(g, { state: 'stopping', by }, 'server-stopping', by === 'empty' ? 'slots-empty' : by)
}

/** Its guardian has asked itself for a restart. */
function couldNotWrite(record: ServerRecord | undefined): boolean {
  return record?.restarting !== undefined && record.restarting.by === record.guardian.pid
}

/** No write, no act; the failure is journalled (which may fail as well) and the step comes again. */
function tryToWrite(g: Guardianship, write: () => void): boolean {
  try {
    write()
    return true
  } catch (error) {
    if (error instanceof UsurpedError) throw error
    const reason = failureReason(error) === 'disk-full' ? 'disk-full' : 'io-error'
    note(g, 'write-failed', reason, { message: serializeError(error).message })
    return false
  }
}

/**
 * `undefined` where the look could not be made (no descriptor is left, the disk fails, the file system has become read-only): that proves
 * nothing. A guardian that ended for it would take the server away from everybody who has a lease. It is journalled (which may fail as well),
 * and the look comes again.
 */
async function tryToLook<T>(g: Guardianship, look: () => T | Promise<T>): Promise<T | undefined> {
  try {
    return await look()
  } catch (error) {
    noteTrouble(g, error)
    return undefined
  }
}

/** Rethrows what nobody expects of a look. */
function noteTrouble(g: Guardianship, error: unknown): void {
  if (error instanceof UsurpedError || (errnoOf(error) === undefined && !(error instanceof ProcrefError))) throw error
  const known = translateErrno(error, 'look at', g.paths.root)
  note(g, 'probe-failed', failureReason(known), { message: serializeError(error).message })
}

async function countHeld(g: Guardianship): Promise<number> {
  try {
    return await g.pool.count()
  } catch {
    return 1 // What cannot be counted is in use.
  }
}

/** The work of every 5 s: do others see that we live, is the record still ours, the log within its limit? */
async function beatOnce(g: Guardianship): Promise<void> {
  await tryToLook(g, async () => {
    g.chronicle.verifyOffice()
    if (!leadsElsewhere(g.office.aliveLock)) return
    // Where that cannot be done now, what was released is not current at the next beat either.
    g.office.aliveLock.release()
    g.office.aliveLock = await holdAlive(g.backend.locks, g.paths, g.setup.nonce)
  })
  if (recordedNonce(g) !== g.setup.nonce) {
    tryToWrite(g, () => g.chronicle.write({}))
  }
  tryToWrite(g, () => capServerLog(g.logFd, SERVER_LOG_LIMIT_BYTES))
  g.journal.rotateIfLarge()
  // Looks at every slot and keeps hold of those in use, so that a deleted folder cannot hide their holders later.
  await countHeld(g)
}

function recordedNonce(g: Guardianship): string | undefined {
  try {
    return readServerRecord(g.paths.serverJson)?.nonce
  } catch {
    return undefined
  }
}

/** Only a proof counts: nobody, or somebody else, listens on the server's port. */
function listenerState(g: Guardianship): 'fine' | 'gone' {
  const { port, server } = g.chronicle.current
  if (server === undefined) return 'fine'
  // Of `command()` the server may be a wrapper, which has somebody else listen.
  const state = proveListener({ port, server, with: 'its session' })
  return state === 'nobody' || state === 'stranger' ? 'gone' : 'fine'
}

/** The data directory may be deleted or replaced under a running server; its lock file tells. Where it cannot be watched now, it is tried again. */
function watchServerLock(g: Guardianship, watched?: LockWatch): LockWatch | undefined {
  try {
    return watched ?? g.backend.locks.watch(g.paths.serverLock)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') noteTrouble(g, error)
    return undefined
  }
}

/** Sets `maybe` and wakes the guardian each time the pool may have become empty after `watch()`. */
function watchEmpty(g: Guardianship, signal: AbortSignal): { maybe: boolean; watch(): void } {
  const source = {
    maybe: false,
    watch(): void {
      const hint = (): void => {
        if (signal.aborted) return
        source.maybe = true
        g.wake.up()
      }
      g.pool.whenEmpty({ signal }).then(hint, () => {
        // The hint could not be had (descriptors ran out?): look again after a while instead.
        if (!signal.aborted) setTimeout(hint, RETRY_MS)
      })
    },
  }
  source.watch()
  return source
}

/** Whoever has lost its office leaves before it takes away, as nobody's, what the next guardian was asked. */
function nextRequest(g: Guardianship): GuardianRequest | undefined {
  g.chronicle.verifyOffice()
  return takeRequest(g.paths.requestJson, g.setup.nonce)
}

/** A stop request, and news in the server's log, are seen at once where files can be watched, else at the next beat. */
function watchRequests(g: Guardianship): { pending: boolean; logged: boolean; close(): void } {
  const source = { pending: true, logged: false, close: (): void => {} }
  const log = basename(g.paths.serverLog)
  let nextLook = 0
  try {
    const watcher = watch(g.paths.root, { persistent: false }, (_event, name) => {
      // A server that logs a lot is not looked at for each line of it.
      const isNews = name === log && performance.now() >= nextLook
      if (isNews) nextLook = performance.now() + RETRY_MS
      if (name !== 'request.json' && !isNews) return
      if (isNews) source.logged = true
      else source.pending = true
      g.wake.up()
    })
    watcher.on('error', () => watcher.close())
    source.close = () => watcher.close()
  } catch {
    // No watches left on this machine (inotify limits): the beat sees the request.
  }
  return source
}
