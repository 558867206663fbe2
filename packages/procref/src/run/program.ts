import { type ChildProcess, spawn } from 'node:child_process'
import { constants } from 'node:os'
import { EXIT_CODE } from '../cli/exit-code.ts'
import { isForeground } from './terminal.ts'

/** What a supervisor or a user sends to a program on purpose. */
const SENT = ['SIGTERM', 'SIGHUP', 'SIGUSR1', 'SIGUSR2'] as const
/** What a terminal sends to every process of the foreground group by itself. SIGTSTP and SIGCONT need nobody's help. */
const TYPED = ['SIGINT', 'SIGQUIT'] as const

/**
 * The number under which the program has the slot's descriptor: beyond what shell scripts use by number, and low enough for
 * a Node program to keep it from its own children (Node closes inherited descriptors in them up to 16).
 */
const SLOT_FD = 15

export type Stdio = 'inherit' | 'ignore' | number

/** How a program ended, as its parent has to pass it on. */
export type ProgramEnd =
  | { readonly kind: 'exited'; readonly code: number }
  | { readonly kind: 'killed'; readonly signal: NodeJS.Signals }
  | { readonly kind: 'not-started'; readonly code: number; readonly error: Error }

export interface Program {
  readonly file: string
  readonly args: readonly string[]
  readonly env: NodeJS.ProcessEnv
  /** A descriptor that the program inherits: what it locks stays locked as long as the program lives. */
  readonly slotFd: number | undefined
}

/**
 * Runs a program on our standard input and output until it ends. Signals to us are passed on to it; Ctrl-C reaches it from the
 * terminal, and us as well, but only it decides what that means. Never rejects.
 */
export function runToEnd(program: Program): Promise<ProgramEnd> {
  return new Promise((resolve) => {
    let child: ChildProcess | undefined
    const send = (signal: NodeJS.Signals): void => void child?.kill(signal)
    const sendUnlessTyped = (signal: NodeJS.Signals): void => {
      if (!isForeground()) send(signal)
    }
    const end = (how: ProgramEnd): void => {
      for (const signal of SENT) process.off(signal, send)
      for (const signal of TYPED) process.off(signal, sendUnlessTyped)
      resolve(how)
    }
    // Before the program exists: a Ctrl-C from now on must not end us before it.
    for (const signal of SENT) process.on(signal, send)
    for (const signal of TYPED) process.on(signal, sendUnlessTyped)
    try {
      child = spawn(program.file, [...program.args], { stdio: stdioWith(program.slotFd), env: program.env })
    } catch (error) {
      // A name with a NUL byte in it, for one.
      end({ kind: 'not-started', code: EXIT_CODE.notStarted, error: error as Error })
      return
    }
    child.once('error', (error: NodeJS.ErrnoException) => {
      const code = error.code === 'ENOENT' ? EXIT_CODE.notFound : EXIT_CODE.notStarted
      if (child?.pid === undefined) end({ kind: 'not-started', code, error })
    })
    child.once('exit', (code, signal) =>
      end(signal === null ? { kind: 'exited', code: code ?? 0 } : { kind: 'killed', signal }),
    )
  })
}

/** Re-raised where the difference between being killed and exiting matters to shells; for the rest a second core dump would be a lie. */
const RERAISED: ReadonlySet<NodeJS.Signals> = new Set(['SIGINT', 'SIGTERM', 'SIGHUP'])

/**
 * Ends as the program did: with its exit code, or by the signal that ended it. Where that signal does not end us (other
 * signals, pid 1 of a container) the exit code is 128 plus its number. Caller: has nothing left to do.
 */
export function endAs(end: ProgramEnd): void {
  if (end.kind !== 'killed') {
    process.exitCode = end.code
    return
  }
  process.exitCode = 128 + constants.signals[end.signal]
  if (RERAISED.has(end.signal)) process.kill(process.pid, end.signal)
}

function stdioWith(slotFd: number | undefined): Stdio[] {
  const stdio: Stdio[] = ['inherit', 'inherit', 'inherit']
  if (slotFd === undefined) return stdio
  // `ignore` leaves a number above 2 closed.
  while (stdio.length < SLOT_FD) stdio.push('ignore')
  return [...stdio, slotFd]
}
