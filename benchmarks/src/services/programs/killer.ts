// As mongodb-memory-server does it: `killer.js DIR PARENT CHILD` looks every second whether the parent still lives, and ends the child
// when it does not.
import { setTimeout as after } from 'node:timers/promises'
import { identify, isSameProcess } from '@procref/core'
import { noteStop } from '../stop-note.ts'

const LOOK_MS = 1_000

const [, , dir = '', ...pids] = process.argv
const [parent, child] = pids.map((pid) => identify(Number(pid)))
while (parent !== undefined && child !== undefined && isSameProcess(parent) && isSameProcess(child))
  await after(LOOK_MS)
if (child !== undefined && isSameProcess(child)) {
  noteStop(dir)
  process.kill(child.pid, 'SIGTERM')
}
