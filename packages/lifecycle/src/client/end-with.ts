import { LeaseLostError } from '../errors.ts'

const LOOK_MS = 1_000

/** What of a lease is needed to end it. */
interface Losable {
  readonly ended: AbortSignal
  lose(reason: unknown): void
}

/**
 * Ends the lease of a program that was abandoned, at once if it was while the lease was made. `parent`: the parent that this process had when
 * `endWith` was called died. `stdin`: standard input ended; the program has to read it, as MCP servers do, because nobody else can without
 * taking its input away. Keeps nothing alive.
 *
 * Caller: calls this before anything is waited for, and what it returns once there is a lease.
 */
export function endWith(what: 'parent' | 'stdin', dir: string): (lease: Losable) => void {
  const watch = what === 'stdin' ? endWithInput : endWithParent(process.ppid)
  return (lease) => watch(lease, (reason) => lease.lose(new LeaseLostError({ dir, reason })))
}

type Watch = (lease: Losable, end: (reason: string) => void) => void

const endWithInput: Watch = (lease, end) => {
  const { stdin } = process
  const onEnd = (): void => end('standard input ended, so the program that used it is gone')
  // Nobody is told of either a second time.
  if (stdin.readableEnded || stdin.destroyed) return onEnd()
  stdin.once('end', onEnd)
  stdin.once('close', onEnd)
  lease.ended.addEventListener('abort', () => {
    stdin.off('end', onEnd)
    stdin.off('close', onEnd)
  })
}

function endWithParent(parent: number): Watch {
  return (lease, end) => {
    const look = (): void => {
      if (process.ppid !== parent) end(`the parent process ${parent} is gone`)
    }
    const timer = setInterval(look, LOOK_MS)
    timer.unref()
    lease.ended.addEventListener('abort', () => clearInterval(timer))
    look()
  }
}
