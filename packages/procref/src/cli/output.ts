import { writeSync } from 'node:fs'
import { isatty } from 'node:tty'
import pc from 'picocolors'

type Environment = Readonly<Record<string, string | undefined>>

/** Functions that colour a text, or leave it alone. */
export type Colors = ReturnType<typeof pc.createColors>

/** Results go to stdout (1), everything else to stderr (2). */
export type OutputFd = 1 | 2

/** Colours for a terminal; `NO_COLOR` takes them away, `FORCE_COLOR` brings them to a file or a pipe, and `NO_COLOR` wins. */
export function colorsFor(fd: OutputFd, env: Environment = process.env): Colors {
  return pc.createColors(hasColors(fd, env))
}

export function hasColors(fd: OutputFd, env: Environment = process.env): boolean {
  if (isSet(env.NO_COLOR)) return false
  const forced = env.FORCE_COLOR
  if (forced !== undefined && forced !== '') return forced !== '0' && forced !== 'false'
  return isatty(fd) && env.TERM !== 'dumb'
}

/** Writes a result and a line end to stdout. */
export function print(text: string): void {
  process.stdout.write(`${text}\n`)
}

/** Writes a result as one JSON document on one line, the form in which programs read it. */
export function printJson(value: unknown): void {
  print(JSON.stringify(value))
}

/** Tells something on stderr that is no result. */
export function note(text: string): void {
  process.stderr.write(`${text}\n`)
}

/** Warnings of this process in the form of the command's other messages, and not as Node prints them. */
export function noteWarnings(): void {
  process.removeAllListeners('warning')
  process.on('warning', ({ message }) => note(`${colorsFor(2).yellow('procref:')} ${message}`))
}

/**
 * Ends the process quietly once nobody reads its output any more (`procref ps | head -1`). Locks and slots that it held
 * are given back by the kernel.
 */
export function endWhenNobodyReads(): void {
  const onError = (error: NodeJS.ErrnoException): void => {
    if (error.code === 'EPIPE' || error.code === 'EIO') process.exit()
    // Throwing here would print a stack into the very stream that is broken (a full disk, most likely).
    reportBrokenOutput(error)
    process.exit(1)
  }
  process.stdout.on('error', onError)
  process.stderr.on('error', onError)
}

function reportBrokenOutput(error: Error): void {
  try {
    writeSync(2, `procref: the output could not be written: ${error.message}\n`)
  } catch {
    // stderr is what broke: there is nobody left to tell, and the exit code says it.
  }
}

function isSet(value: string | undefined): boolean {
  return value !== undefined && value !== ''
}
