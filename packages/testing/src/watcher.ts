import { type ChildProcess, spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'

let watcher: ChildProcess | undefined

/**
 * Tells a process that outlives this one, however this one ends, what it has to undo then: see thaw-afterwards.ts. A test run that is killed
 * cannot clean up.
 */
export function undoAfterwards(line: string): void {
  watcher ??= startWatcher()
  watcher.stdin?.write(`${line}\n`)
}

/** Its standard input ends with this program. */
function startWatcher(): ChildProcess {
  const program = fileURLToPath(new URL('./thaw-afterwards.js', import.meta.url))
  const child = spawn(process.execPath, [program], { stdio: ['pipe', 'ignore', 'inherit'], detached: true, cwd: '/' })
  child.unref()
  const { stdin } = child
  if ('unref' in stdin && typeof stdin.unref === 'function') stdin.unref()
  return child
}
