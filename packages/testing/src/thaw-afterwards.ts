// Lines of standard input: "pid startTicks" of a process that was frozen. When it ends they are continued (see freeze.ts).
import { createInterface } from 'node:readline'
import { processState } from './proc.ts'

const frozen = new Map<number, number>()
const lines = createInterface({ input: process.stdin })
lines.on('line', (line) => {
  const [pid = 0, startTicks = 0] = line.split(' ').map(Number)
  frozen.set(pid, startTicks)
})
lines.on('close', () => {
  for (const [pid, startTicks] of frozen) {
    // Whether it stands still is not asked: the signal that stops it may still be under way, and this one takes it back.
    if (processState(pid)?.startTicks !== startTicks) continue
    try {
      process.kill(pid, 'SIGCONT')
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error
    }
  }
})
