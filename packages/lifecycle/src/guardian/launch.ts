import { type ChildProcess, spawn } from 'node:child_process'
import { accessSync, closeSync, constants, existsSync } from 'node:fs'
import type { Readable } from 'node:stream'
import { fileURLToPath } from 'node:url'
import { GuardianLaunchError } from '../errors.ts'
import { rebuildError } from '../state/serialized-error.ts'
import { openServerLog, tailServerLog } from '../state/server-log.ts'
import { guardianEnvironment } from './environment.ts'
import { type GuardianSetup, type GuardianStatus, STATUS_FD } from './setup.ts'

/** A new guardian says hello after loading its modules; reaching this means it hangs, or the machine does. */
const HELLO_TIMEOUT_MS = 60_000

/** How a launch ended. `loser`: a guardian exists already, which is as good. */
export type LaunchOutcome = { readonly kind: 'hello'; readonly epoch: number } | { readonly kind: 'loser' }

export interface LaunchOptions {
  readonly setup: GuardianSetup
  readonly serverLog: string
  /** What starts Node instead of `process.execPath`. */
  readonly command?: readonly [string, ...string[]]
  readonly signal?: AbortSignal
}

/**
 * Starts a guardian that belongs to nobody: own session, parent init, working directory `/`, a small environment, no
 * inherited descriptors.
 *
 * Guarantee: resolves when the new guardian holds its locks and has written `starting`, or has found another one.
 * Rejects with the guardian's own typed error, or with `GuardianLaunchError`; with the signal's reason when aborted (the
 * guardian may come up all the same: it then finds no slot held and stops).
 */
export async function launchGuardian(options: LaunchOptions): Promise<LaunchOutcome> {
  const launcher = fileURLToPath(new URL('./launcher.js', import.meta.url))
  const [file, ...args] = options.command ?? [process.execPath]
  checkExecutable(file, launcher)
  options.signal?.throwIfAborted()
  const logFd = openServerLog(options.serverLog)
  let child: ChildProcess
  try {
    child = spawn(file, [...args, launcher, JSON.stringify(options.setup)], {
      cwd: '/',
      detached: true,
      env: environmentOfGuardian(options.setup.nonce),
      stdio: ['ignore', 'ignore', logFd, 'pipe'],
      windowsHide: true,
    })
  } finally {
    closeSync(logFd)
  }
  const status = await firstLine(child, options)
  if (status.kind === 'error') throw rebuildError(status.error)
  return status
}

/** One line from the status pipe. Every way out leaves no listener, no timer and no open pipe behind. */
function firstLine(child: ChildProcess, options: LaunchOptions): Promise<GuardianStatus> {
  const pipe = child.stdio[STATUS_FD] as Readable
  const failed = (what: string, cause?: unknown): GuardianLaunchError =>
    new GuardianLaunchError(
      { reason: `${what}${logTail(options.serverLog)}`, remedy: `See ${options.serverLog}.` },
      { cause },
    )
  return new Promise<GuardianStatus>((resolve, reject) => {
    let text = ''
    const timer = setTimeout(() => finish(failed(`said nothing for ${HELLO_TIMEOUT_MS / 1000} s`)), HELLO_TIMEOUT_MS)
    const onAbort = (): void => finish(options.signal?.reason)
    const finish = (result: unknown, status?: GuardianStatus): void => {
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
    child.once('error', (error) => finish(failed('could not be started', error)))
    pipe.setEncoding('utf8')
    pipe.on('error', (error) => finish(failed('broke its status pipe', error)))
    pipe.on('data', (chunk: string) => {
      text += chunk
      const end = text.indexOf('\n')
      if (end < 0) return
      try {
        finish(undefined, JSON.parse(text.slice(0, end)) as GuardianStatus)
      } catch (error) {
        finish(failed(`said something that is not JSON: ${text.slice(0, 200)}`, error))
      }
    })
    pipe.on('end', () => finish(failed('ended before it was ready')))
  })
}

function logTail(path: string): string {
  const lines = tailServerLog(path, 10)
  return lines.length === 0 ? '' : `; the end of its log:\n  ${lines.join('\n  ')}\n`
}

function environmentOfGuardian(nonce: string): NodeJS.ProcessEnv {
  const env: NodeJS.ProcessEnv = { ...guardianEnvironment(), PROCREF_GUARDIAN: '1', PROCREF_INSTANCE: nonce }
  // Electron's executable is then Node; anything else ignores it.
  if (process.versions.electron !== undefined) env.ELECTRON_RUN_AS_NODE = '1'
  return env
}

/** Starting an application instead of Node would start a fork bomb: the application calls connect() again. */
function checkExecutable(file: string, launcher: string): void {
  if (!existsSync(launcher)) {
    throw new GuardianLaunchError({
      reason: `its program ${launcher} is missing: a bundler left it out, or its folder was removed`,
      remedy: 'Keep @procref/lifecycle out of the bundle and installed while programs use it.',
    })
  }
  if (file === process.execPath && process.getBuiltinModule?.('node:sea')?.isSea() === true) {
    throw new GuardianLaunchError({
      reason: `${file} is a single executable, which starts itself and not Node`,
      remedy: 'Give connect() the option guardianCommand: the command that starts Node.',
    })
  }
  try {
    if (file.includes('/') || file.includes('\\')) accessSync(file, constants.X_OK)
  } catch (error) {
    throw new GuardianLaunchError(
      {
        reason: `${file} is missing or not executable`,
        remedy: 'Give connect() the option guardianCommand: the command that starts Node.',
      },
      { cause: error },
    )
  }
}
