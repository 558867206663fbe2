import { LeaseLostError } from '../errors.ts'

const LOOK_MS = 1_000

/** What of a lease is needed to end it. */
interface Losable {
  readonly ended: AbortSignal
  lose(reason: unknown): void
}

/**
 * Ends the lease of a program that was abandoned. `parent`: this process's parent died. `stdin`: standard input ended; the
 * program has to read it, as MCP servers do, because nobody else can without taking its input away. Keeps nothing alive.
 */
export function endWith(what: 'parent' | 'stdin', lease: Losable, dir: string): void {
  const end = (reason: string): void => lease.lose(new LeaseLostError({ dir, reason }))
  if (what === 'stdin') {
    const onEnd = (): void => end('standard input ended, so the program that used it is gone')
    process.stdin.once('end', onEnd)
    process.stdin.once('close', onEnd)
    lease.ended.addEventListener('abort', () => {
      process.stdin.off('end', onEnd)
      process.stdin.off('close', onEnd)
    })
    return
  }
  const parent = process.ppid
  const timer = setInterval(() => {
    if (process.ppid === parent) return
    clearInterval(timer)
    end(`the parent process ${parent} is gone`)
  }, LOOK_MS)
  timer.unref()
  lease.ended.addEventListener('abort', () => clearInterval(timer))
}
