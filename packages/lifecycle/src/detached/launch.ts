import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { accessSync, closeSync, constants, existsSync } from 'node:fs'
import type { Readable } from 'node:stream'
import { fileURLToPath } from 'node:url'
import { installedModule, translateErrno } from '@procref/core'
import { rebuildError } from '../state/serialized-error.ts'
import { lastWords, openServerLog } from '../state/server-log.ts'
import { detachedEnvironment } from './environment.ts'
import { LEAVE_ORPHAN } from './leave-orphan.ts'
import { type DetachedError, STATUS_FD } from './status.ts'

/** A new process says its first word after loading its modules; reaching this means it hangs, or the machine does. */
const HELLO_TIMEOUT_MS = 60_000

/** The error for a launch that failed; `remedy` is a sentence of its own. */
export type LaunchFailure = new (
  facts: { readonly reason: string; readonly remedy: string },
  options?: { readonly cause?: unknown },
) => Error

export interface DetachedLaunch {
  /** The module of this package to run, seen from here. It reports through `statusReporter`. */
  readonly program: string
  /** The absolute path of a bundle's own file that does the same, and `leaveOrphan` when it is told `LEAVE_ORPHAN`. */
  readonly bundledProgram?: string
  /** What to do where this package is part of a bundle and there is no `bundledProgram`: a sentence of its own. */
  readonly remedyInBundle: string
  /** Its only argument, as JSON: no secret may be in it. */
  readonly setup: unknown
  /** What Node is told before the program. */
  readonly nodeArguments?: readonly string[]
  /** Added to a small part of our own environment. */
  readonly env: Readonly<Record<string, string>>
  /** Where its output goes. */
  readonly serverLog: string
  /** What starts Node instead of `process.execPath`. */
  readonly command?: readonly [string, ...string[]]
  readonly signal?: AbortSignal
  /** How long its first status may take. Default 60,000. */
  readonly timeoutMs?: number
  readonly Failure: LaunchFailure
}

/**
 * Starts a process that belongs to nobody: own session, parent init, working directory `/`, a small environment, no
 * inherited descriptors.
 *
 * Guarantee: resolves with the first status it reports. Rejects with the error it reports, or with `Failure`; with
 * `PROCREF_TOO_MANY_OPEN_FILES` where this process has no descriptor left for it; with the signal's reason when aborted (it may come up
 * all the same, within `timeoutMs`). One that says nothing for so long is ended, as long as this process lives.
 */
export async function launchDetached<S extends { readonly kind: string }>(options: DetachedLaunch): Promise<S> {
  const [file, ...args] = options.command ?? [process.execPath]
  const { orphaner, program } = programsOf(options)
  checkExecutable(file, options.Failure)
  options.signal?.throwIfAborted()
  const logFd = openServerLog(options.serverLog)
  let child: ChildProcess
  try {
    const { nodeArguments = [], setup } = options
    child = spawn(file, [...args, ...orphaner, ...nodeArguments, program, JSON.stringify(setup)], {
      cwd: '/',
      detached: true,
      env: environmentWith(options.env),
      stdio: ['ignore', 'ignore', logFd, 'pipe'],
      windowsHide: true,
    })
  } finally {
    closeSync(logFd)
  }
  // Without descriptors for its pipe (EMFILE, ENFILE) Node gives a child no `stdio` at all, whatever its types say; why, says the event.
  if ((child.stdio as unknown) === undefined) throw translateErrno((await once(child, 'error'))[0], 'start', file)
  const status = await firstLine<S | DetachedError>(child, options)
  if (isDetachedError(status)) throw rebuildError(status.error)
  return status
}

function isDetachedError(status: { readonly kind: string }): status is DetachedError {
  return status.kind === 'error'
}

/** One line from the status pipe. Every way out leaves no listener, no timer and no open pipe behind. */
function firstLine<S>(child: ChildProcess, options: DetachedLaunch): Promise<S> {
  const pipe = child.stdio[STATUS_FD] as Readable
  const failed = (what: string, cause?: unknown): Error =>
    new options.Failure(
      { reason: `${what}${logTail(options.serverLog)}`, remedy: `See ${options.serverLog}.` },
      { cause },
    )
  return new Promise<S>((resolve, reject) => {
    let text = ''
    const timeoutMs = options.timeoutMs ?? HELLO_TIMEOUT_MS
    endUnlessEndedBy(child, timeoutMs)
    const timer = setTimeout(() => finish(failed(`said nothing for ${timeoutMs / 1000} s`)), timeoutMs)
    const onAbort = (): void => finish(options.signal?.reason)
    const finish = (result: unknown, status?: S): void => {
      clearTimeout(timer)
      options.signal?.removeEventListener('abort', onAbort)
      pipe.removeAllListeners()
      // The other end may still be written to by a launcher that is dying: that must not surface here.
      pipe.on('error', () => {})
      pipe.destroy()
      child.unref()
      if (status !== undefined) resolve(status)
      else reject(result)
    }
    options.signal?.addEventListener('abort', onAbort, { once: true })
    child.on('error', (error: NodeJS.ErrnoException) => finish(notStarted(error, options)))
    pipe.setEncoding('utf8')
    pipe.on('error', (error) => finish(failed('broke its status pipe', error)))
    pipe.on('data', (chunk: string) => {
      text += chunk
      const end = text.indexOf('\n')
      if (end < 0) return
      try {
        finish(undefined, JSON.parse(text.slice(0, end)) as S)
      } catch (error) {
        finish(failed(`said something that is not JSON: ${text.slice(0, 200)}`, error))
      }
    })
    pipe.on('end', () => finish(failed('ended before it was ready')))
  })
}

/**
 * A Node that does not get one of its threads (EAGAIN) can stand still before it runs anything, and would do so for ever. What our child has
 * left behind by then is no child of ours, and not meant.
 */
function endUnlessEndedBy(child: ChildProcess, ms: number): void {
  const timer = setTimeout(() => void child.kill('SIGKILL'), ms).unref()
  child.once('exit', () => clearTimeout(timer))
}

/** Nothing of ours has run: the log says nothing of it. */
function notStarted(error: NodeJS.ErrnoException, { serverLog, Failure }: DetachedLaunch): Error {
  const isLimit = error.code === 'EAGAIN'
  const reason = isLimit ? 'no process is left for it (EAGAIN)' : 'could not be started'
  const remedy = isLimit
    ? 'End some programs, or raise the limit (`ulimit -u`, TasksMax= of a systemd unit).'
    : `See ${serverLog}.`
  return new Failure({ reason, remedy }, { cause: error })
}

function logTail(path: string): string {
  const lines = lastWords(path, 10)
  return lines.length === 0 ? '' : `; the end of its log:\n  ${lines.join('\n  ')}\n`
}

function environmentWith(more: Readonly<Record<string, string>>): NodeJS.ProcessEnv {
  const env: NodeJS.ProcessEnv = { ...detachedEnvironment(), ...more }
  // Electron's executable is then Node; anything else ignores it.
  if (process.versions.electron !== undefined) env.ELECTRON_RUN_AS_NODE = '1'
  return env
}

interface Programs {
  /** What Node is told to do `leaveOrphan` for the program: a file, and its first arguments. */
  readonly orphaner: readonly string[]
  readonly program: string
}

/** Of the installed package, or the bundle's own: beside a bundle there may be a main.js, too, the application's. */
function programsOf({ program, bundledProgram, remedyInBundle, Failure }: DetachedLaunch): Programs {
  if (bundledProgram !== undefined) {
    if (existsSync(bundledProgram)) return { orphaner: [bundledProgram, LEAVE_ORPHAN], program: bundledProgram }
    throw new Failure({ reason: `its program ${bundledProgram} is missing`, remedy: remedyInBundle })
  }
  const modules = ['./launcher.js', program].map((path) => installedModule('@procref/lifecycle', import.meta.url, path))
  const [launcher, main] = modules.map((url) => (url === undefined ? undefined : fileURLToPath(url)))
  if (launcher === undefined || main === undefined) {
    throw new Failure({
      reason:
        'its program is missing: this program is a bundle that it is no file of, or the folder of @procref/lifecycle was removed',
      remedy: remedyInBundle,
    })
  }
  const missing = [launcher, main].find((file) => !existsSync(file))
  if (missing === undefined) return { orphaner: [launcher], program: main }
  throw new Failure({
    reason: `its program ${missing} is missing, as if its folder was removed`,
    remedy: 'Keep @procref/lifecycle installed while programs use it.',
  })
}

/** Starting an application instead of Node would start a fork bomb: the application calls connect() again. */
function checkExecutable(file: string, Failure: LaunchFailure): void {
  if (file === process.execPath && process.getBuiltinModule?.('node:sea')?.isSea() === true) {
    throw new Failure({
      reason: `${file} is a single executable, which starts itself and not Node`,
      remedy: 'Give connect() the option guardianCommand: the command that starts Node.',
    })
  }
  try {
    if (file.includes('/') || file.includes('\\')) accessSync(file, constants.X_OK)
  } catch (error) {
    throw new Failure(
      {
        reason: `${file} is missing or not executable`,
        remedy: 'Give connect() the option guardianCommand: the command that starts Node.',
      },
      { cause: error },
    )
  }
}
