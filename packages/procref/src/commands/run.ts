import { type ChildProcess, spawn } from 'node:child_process'
import { constants } from 'node:os'
import { DEFAULT_DATABASE, DEFAULT_NAMESPACE, layout, readCredentials, sharedService } from '@procref/lifecycle'
import { resolveBackend } from '../backends.ts'
import { EXIT_CODE } from '../cli/exit-code.ts'
import { note } from '../cli/output.ts'
import { createProgressLine } from '../cli/progress.ts'
import { defaultDriver } from '../drivers.ts'
import { type PlaceOptions, resolvePlace } from '../place.ts'

export interface RunOptions extends PlaceOptions {
  readonly linger?: number
  readonly label?: string
}

const PASSED_ON = ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGQUIT', 'SIGUSR1', 'SIGUSR2', 'SIGWINCH'] as const

/** The lowest descriptor that is not one of the standard three. */
const SLOT_FD = 3

/**
 * Runs a program while holding a share in the server; resolves with the exit code to end with: the program's own, or 128
 * plus the number of the signal that ended it.
 *
 * The program inherits the slot's descriptor where the backend can pass it on, so that the slot lives as long as either.
 */
export async function runProgram(file: string, args: readonly string[], options: RunOptions): Promise<number> {
  const backend = await resolveBackend(options.backend)
  const { root } = resolvePlace(options)
  using progress = createProgressLine()
  await using lease = await sharedService({
    dir: root,
    backend,
    driver: defaultDriver(),
    whenDifferent: 'join',
    label: options.label ?? [file, ...args].join(' ').slice(0, 100),
    onProgress: ({ message }) => progress.update(message),
    ...(options.linger !== undefined && { lingerMs: options.linger }),
  })
  progress[Symbol.dispose]()
  const { user, password } = readCredentials(layout(root))
  const child = spawn(file, [...args], {
    stdio: ['inherit', 'inherit', 'inherit', ...(lease.slot.fd !== undefined ? [lease.slot.fd] : [])].slice(
      0,
      SLOT_FD + 1,
    ) as 'inherit'[],
    env: {
      ...process.env,
      SURREAL_URL: `ws://${lease.server.host}:${lease.server.port}/rpc`,
      SURREAL_USER: user,
      SURREAL_PASS: password,
      SURREAL_NAMESPACE: DEFAULT_NAMESPACE,
      SURREAL_DATABASE: DEFAULT_DATABASE,
    },
  })
  return await exitOf(child, file)
}

function exitOf(child: ChildProcess, file: string): Promise<number> {
  // A terminal sends Ctrl-C to the program as well; we must outlive it to pass its exit code on.
  const pass = (signal: NodeJS.Signals): void => void child.kill(signal)
  for (const signal of PASSED_ON) process.on(signal, pass)
  return new Promise((resolve) => {
    const end = (code: number): void => {
      for (const signal of PASSED_ON) process.off(signal, pass)
      resolve(code)
    }
    child.once('error', (error: NodeJS.ErrnoException) => {
      note(`procref: ${file} could not be started: ${error.message}`)
      end(error.code === 'ENOENT' ? EXIT_CODE.notFound : EXIT_CODE.notStarted)
    })
    child.once('exit', (code, signal) => end(code ?? 128 + (signal === null ? 0 : constants.signals[signal])))
  })
}
