import { eventually } from '@procref/conformance/harness'
import { isAlive, processState, threadStates } from './proc.ts'
import { undoAfterwards } from './watcher.ts'

/**
 * Stops a process (SIGSTOP) and resolves once it stands still, with all its threads. Rejects when there is no such process, or when it ends first.
 *
 * Guarantee: when this program ends, however that happens, whoever it has frozen is continued. A test run that is killed cannot
 * clean up, and a guardian that stands still cannot notice that nobody is left.
 */
export async function freeze(pid: number): Promise<void> {
  const startTicks = processState(pid)?.startTicks
  if (startTicks === undefined || !isAlive(pid)) throw new Error(`there is no process ${pid} to freeze`)
  // Told before: were we killed in between, nobody would know of it.
  undoAfterwards(`${pid} ${startTicks}`)
  process.kill(pid, 'SIGSTOP')
  await eventually(`${pid} stands still`, () => {
    if (!isAlive(pid)) throw new Error(`process ${pid} ended before it stood still`)
    const states = threadStates(pid)
    // Each thread stops when it comes to it: of a busy program some go on while the first one stands still.
    return states.length > 0 && states.every((state) => state === 'T')
  })
}
