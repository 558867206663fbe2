import { statSync } from 'node:fs'
import type { LaunchContext, RunningServer, ServerDetails, ServerEnd, SpawnPlan } from '../driver.ts'
import { lastWords, tailServerLog } from '../state/server-log.ts'
import { type LookContext, type WaitContext, type WaitStrategy, waitUntilReady } from '../wait/wait.ts'

/** Of the server's last words: where it says why it ended. */
const LAST_WORDS = 50
/** A busy machine is no sick server; the caller's own limit ends it sooner. */
const HEALTH_MS = 10_000
/** As many as stand in what is read of a log at once. */
const NEW_LINES = 1_000
const COMMIT_MS = 20_000

export interface ChildServer {
  readonly plan: SpawnPlan
  /** Told the child's pid, so that it can tell it from a stranger on the port. */
  readonly readiness: (pid: number) => WaitStrategy
  /** Looks once whether it still answers: what is wrong, in a few words. Left out: it cannot be asked. */
  readonly health?: (context: LookContext, pid: number) => Promise<string | undefined>
  /** What in new lines of its log may be about a write that its storage has refused. */
  readonly refusal?: RegExp
  /** Tries once whether it commits a write that leaves nothing; otherwise as `health`. */
  readonly commits?: ((context: LookContext, pid: number) => Promise<string | undefined>) | undefined
  /** Asked once, when it is ready. */
  readonly details?: (context: WaitContext, pid: number) => Promise<ServerDetails>
  /** What the last lines of a server that ended with an exit code other than 0 mean, if anything is known to. */
  readonly explain?: (end: ServerEnd, lastWords: readonly string[]) => Error | undefined
}

/** A server that is a process of its own: TERM asks it, a second TERM hurries it, KILL ends it. */
export function launchChild(context: LaunchContext, server: ChildServer): RunningServer {
  const { health, refusal, commits } = server
  // Before the spawn: the log is appended to, and what stands in it was said by earlier servers.
  const logStart = sizeOf(context.logFile)
  const child = context.spawn(server.plan)
  const ended = child.ended.then((end): ServerEnd => {
    if (end.error !== undefined || end.code === 0 || end.code === null) return end
    const error = server.explain?.(end, lastWords(context.logFile, LAST_WORDS, logStart))
    return error === undefined ? end : { ...end, error }
  })
  return {
    pid: child.pid,
    ended,
    ready: async ({ signal }) => {
      const wait = { ...context, logStart, ended, signal }
      await waitUntilReady(server.readiness(child.pid), wait)
      return (await server.details?.(wait, child.pid)) ?? {}
    },
    ...(health !== undefined && {
      healthy: async ({ signal }) => {
        const wrong = await health({ ...context, logStart, signal, answerMs: HEALTH_MS }, child.pid)
        if (wrong !== undefined) throw new Error(wrong)
      },
    }),
    ...(refusal !== undefined && { refusedWrite: refusalsIn(context.logFile, logStart, refusal) }),
    ...(commits !== undefined && {
      commits: async ({ signal }) => {
        const wrong = await commits({ ...context, logStart, signal, answerMs: COMMIT_MS }, child.pid)
        if (wrong !== undefined) throw new Error(wrong)
      },
    }),
    terminate: () => child.signal('SIGTERM'),
    kill: () => child.signal('SIGKILL'),
  }
}

/** Looks at what the log has got since the last look. What cannot be read is no refusal. */
function refusalsIn(logFile: string, logStart: number, refusal: RegExp): () => string | undefined {
  let seenTo = logStart
  return () => {
    try {
      const size = sizeOf(logFile)
      if (size === seenTo) return undefined
      const lines = tailServerLog(logFile, NEW_LINES, seenTo)
      seenTo = size
      return lines.find((line) => refusal.test(line))
    } catch {
      return undefined
    }
  }
}

function sizeOf(path: string): number {
  return statSync(path, { throwIfNoEntry: false })?.size ?? 0
}
