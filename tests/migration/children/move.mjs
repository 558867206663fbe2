// Moves the slots of a directory and kills itself at the Nth step: `move.mjs FROM TO SLOTS_DIR N`. Says each step it has come to.
import { writeSync } from 'node:fs'
import { moveSlots } from '@procref/core'
import { backendOf } from '../parts.mjs'

const [, , from, to, dir, at] = process.argv
let steps = 0
await moveSlots({
  dir,
  from: backendOf(0, from, to),
  to: backendOf(4, from, to),
  onStep(step) {
    writeSync(1, `${step}\n`)
    if (++steps === Number(at)) process.kill(process.pid, 'SIGKILL')
  },
})
