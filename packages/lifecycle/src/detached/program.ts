import { fileTrouble } from '../file-trouble.ts'
import { type StatusReporter, statusReporter } from './status.ts'

/**
 * The frame of a detached process: its setup as JSON in the first argument, TERM, INT and HUP as one signal to end, every
 * failure reported and logged. Caller: only in a program that `launchDetached` starts, and once.
 */
export function runDetached<Setup extends { readonly dir: string }, Status>(
  name: string,
  run: (setup: Setup, told: AbortSignal, report: StatusReporter<Status>['report']) => Promise<void>,
): void {
  const { report, leave } = statusReporter<Status>(name)
  const told = new AbortController()
  for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) {
    process.on(signal, () => told.abort(new Error(`the ${name} received ${signal}`)))
  }
  process.on('uncaughtException', leave)
  process.on('unhandledRejection', leave)
  const setup = JSON.parse(process.argv[2] ?? '') as Setup
  process.title = `procref ${name} ${setup.dir}`
  // process.exit, not a natural end: an engine's threads can keep the process, and its death is what frees the locks.
  run(setup, told.signal, report).then(
    () => process.exit(0),
    (error: unknown) => leave(fileTrouble(error, setup.dir)),
  )
}
