import { watch } from 'node:fs'
import type { SlotBackend } from '@procref/core'
import { delay, type KeepAlive, type Wakeable } from '../delay.ts'
import type { ServerDriver } from '../driver.ts'
import { ConnectTimeoutError, type GuardianLaunchError, StoppedOnRequestError } from '../errors.ts'
import { lackOfRoom } from '../guardian/room.ts'
import { standstill } from '../identity/standstill.ts'
import type { Layout } from '../state/layout.ts'
import { rebuildError } from '../state/serialized-error.ts'
import { lastWords } from '../state/server-log.ts'
import type { ServerRecord, ServiceSettings } from '../state/server-record.ts'
import { checkProtocol } from './check-protocol.ts'
import { Launcher } from './launcher.ts'
import { hasEnded, isUp, look, type View } from './look.ts'

const FIRST_ROUND_MS = 100
const LAST_ROUND_MS = 2_000

export interface WaitContext {
  readonly paths: Layout
  readonly backend: SlotBackend
  readonly driver: ServerDriver
  readonly settings: ServiceSettings
  readonly label: string | undefined
  readonly guardianCommand: readonly [string, ...string[]] | undefined
  readonly guardianProgram: string | undefined
  readonly timeoutMs: number
  /** Compared with `performance.now()`. */
  readonly deadline: number
  readonly signal: AbortSignal
  readonly keepAlive: KeepAlive
  readonly progress: (step: 'launching' | 'waiting', message: string) => void
  /** Called each time that there is no guardian, before one is launched, by us or by somebody else. */
  readonly beforeLaunch?: (() => Promise<void>) | undefined
}

/**
 * Waits until a server is up, launching a guardian when there is none.
 *
 * Each round looks at the alive lock FIRST: nobody holds it (or there is no record) → launch, whatever the state says. A
 * state is what a guardian wanted last; if that guardian is dead nobody will carry it on.
 *   WRONG: waiting for "the next state" after `stopping`: its guardian may have been killed, and our own slot keeps the next away.
 *   WRONG: taking what is found after the own launch for history: the own guardian may have failed by then.
 *   WRONG: waiting for `start.lock`: its holder may be stopped. It thins the herd and decides nothing; `guardian.lock` does.
 *
 * `before` is what the caller saw before it launched a guardian itself; left out: it has launched none.
 *
 * Caller: hold a slot already, or the server may stop right after.
 * Throws `OlderProtocolError`, `ConnectTimeoutError`, and what ended the epoch that was waited for.
 */
export async function awaitServing(context: WaitContext, before?: View): Promise<ServerRecord> {
  const wake: Wakeable = { up: undefined }
  let watcher: { close(): void } | undefined
  let first = before
  let rounds = 0
  const launcher = new Launcher(context)
  try {
    for (;;) {
      context.signal.throwIfAborted()
      const view = look(context.backend.locks, context.paths)
      if (isUp(view)) {
        checkProtocol(view.record, context.paths.root)
        return view.record
      }
      first ??= view
      throwIfEndedSince(view.record, first.record, context.paths)
      if (performance.now() >= context.deadline) throw timedOut(context, view, launcher.lastFailure)
      if (view.guardian === 'absent') {
        await launcher.prepare()
        if (await launcher.tryLaunch()) continue
        context.progress('waiting', 'another process starts the guardian')
      } else {
        launcher.guardianSeen()
        context.progress('waiting', waitedFor(view, context.paths))
      }
      watcher ??= watchDirectory(context.paths.root, wake)
      const round = Math.min(LAST_ROUND_MS, FIRST_ROUND_MS * 1.5 ** rounds++) * (0.75 + 0.5 * Math.random())
      const left = context.deadline - performance.now()
      await delay(Math.max(1, Math.min(round, left)), context.keepAlive, context.signal, wake)
    }
  } finally {
    watcher?.close()
  }
}

/**
 * `failed`, and a stop on request, concern those who waited for that epoch. One that was there before this wait began is
 * history: the caller wants to try anew.
 */
function throwIfEndedSince(record: ServerRecord | undefined, first: ServerRecord | undefined, paths: Layout): void {
  if (record === undefined || !hasEnded(record)) return
  const old = first !== undefined && hasEnded(first) && first.nonce === record.nonce && first.epoch === record.epoch
  if (!old) throw endOf(record, paths)
}

/** The error that a record which `hasEnded` means for those who waited for it or had a lease on it. */
export function endOf(record: ServerRecord, paths: Layout): Error {
  return record.failure === undefined
    ? new StoppedOnRequestError({ dir: paths.root, epoch: record.epoch })
    : rebuildError(record.failure)
}

function timedOut(context: WaitContext, view: View, launch: GuardianLaunchError | undefined): ConnectTimeoutError {
  const { paths, timeoutMs } = context
  // The end of the log is in our own error.
  const failed = launch === undefined ? '' : ` (the last attempt: ${launch.reason.split('; the end of its log')[0]})`
  const facts = {
    dir: paths.root,
    timeoutMs,
    waitedFor: `${waitedFor(view, paths)}${failed}`,
    logTail: lastWords(paths.serverLog, 20),
  }
  return new ConnectTimeoutError(facts, launch && { cause: launch })
}

function waitedFor(view: View, paths: Layout): string {
  const { record, guardian } = view
  if (record === undefined || guardian === 'absent') return 'a guardian to start'
  const stands = standstill(record.guardian)
  const who = `the guardian (pid ${record.guardian.pid}${stands === undefined ? '' : `, which ${stands}`})`
  if (guardian === 'unknown') return `${who}, whose lock cannot be probed`
  switch (record.state) {
    case 'starting':
      return `${who} to start the server (epoch ${record.epoch}, port ${record.port})${hindrance(record, paths)}`
    case 'draining':
      return `${who} to decide whether the server is still used`
    case 'stopping':
      return `${who} to stop the server (epoch ${record.epoch})`
    default:
      return `${who} to leave (state ${record.state})`
  }
}

/** What keeps a server from being started for longer than that takes. */
function hindrance(record: ServerRecord, paths: Layout): string {
  const lack = record.durable ? lackOfRoom(paths.database) : undefined
  return lack === undefined ? '' : `. ${lack.message.replace(/\.$/, '')}`
}

/** Only an optimisation: without it (inotify has limits per user) the rounds see the change a little later. */
function watchDirectory(dir: string, wake: Wakeable): { close(): void } {
  try {
    const watcher = watch(dir, { persistent: false }, (_event, name) => {
      if (name === 'server.json') wake.up?.()
    })
    watcher.on('error', () => watcher.close())
    return watcher
  } catch {
    return { close: () => {} }
  }
}
