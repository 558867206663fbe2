import { type ChildProcess, spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { eventually } from '@procref/conformance/harness'
import { isAlive, processState } from './proc.ts'

let watcher: ChildProcess | undefined

/**
 * Stops a process (SIGSTOP) and resolves once it stands still. Rejects when there is no such process, or when it ends first.
 *
 * Guarantee: when this program ends, however that happens, whoever it has frozen is continued. A test run that is killed cannot
 * clean up, and a guardian that stands still cannot notice that nobody is left.
 */
export async function freeze(pid: number): Promise<void> {
  const startTicks = processState(pid)?.startTicks
  if (startTicks === undefined || !isAlive(pid)) throw new Error(`there is no process ${pid} to freeze`)
  watcher ??= startWatcher()
  // Told before: were we killed in between, nobody would know of it.
  watcher.stdin?.write(`${pid} ${startTicks}\n`)
  process.kill(pid, 'SIGSTOP')
  await eventually(`${pid} stands still`, () => {
    if (!isAlive(pid)) throw new Error(`process ${pid} ended before it stood still`)
    return processState(pid)?.state === 'T'
  })
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
