// Lines of standard input: "pid startTicks" of a process that was frozen, or "group path" of a control group that was made. When it
// ends, with the program at its other end, the processes are continued (see freeze.ts), and the groups ended and removed (see control-group.ts).
import { existsSync, rmdirSync, writeFileSync } from 'node:fs'
import { createInterface } from 'node:readline'
import { processState } from './proc.ts'

const frozen = new Map<number, number>()
const groups = new Set<string>()
const lines = createInterface({ input: process.stdin })
lines.on('line', (line) => {
  if (line.startsWith('group ')) groups.add(line.slice('group '.length))
  else {
    const [pid = 0, startTicks = 0] = line.split(' ').map(Number)
    frozen.set(pid, startTicks)
  }
})
lines.on('close', async () => {
  for (const [pid, startTicks] of frozen) thaw(pid, startTicks)
  await Promise.all([...groups].filter(existsSync).map(end))
})

function thaw(pid: number, startTicks: number): void {
  // Whether it stands still is not asked: the signal that stops it may still be under way, and this one takes it back.
  if (processState(pid)?.startTicks !== startTicks) return
  try {
    process.kill(pid, 'SIGCONT')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error
  }
}

const TRIES = 300
const PAUSE_MS = 100

/** Also one that is frozen: who is in it is killed all the same. */
async function end(group: string): Promise<void> {
  for (let tries = 0; tries < TRIES; tries++) {
    try {
      writeFileSync(`${group}/cgroup.kill`, '1')
      rmdirSync(group)
      return
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException
      if (code === 'ENOENT') return
      // Those in it are still ending.
      if (code !== 'EBUSY') throw error
    }
    await new Promise((resolve) => setTimeout(resolve, PAUSE_MS))
  }
}
