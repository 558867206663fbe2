// Loaded before everything, in each thread: every call on a directory of owners is a step, counted in the file STEPS, and before the step
// STOP_BEFORE this process gets the signal STEP_SIGNAL.
import fs from 'node:fs'
import { syncBuiltinESMExports } from 'node:module'

const { STEPS, STOP_BEFORE, STEP_SIGNAL } = process.env
const { appendFileSync, fstatSync, openSync, closeSync } = fs
/** What is done when the clock says so is no step: on a busy machine there is more of it, and a step that only one run had is waited for in vain. */
let byTheClock = false
const { setInterval } = globalThis

globalThis.setInterval = (act, ms, ...args) =>
  setInterval(() => {
    byTheClock = true
    try {
      act(...args)
    } finally {
      byTheClock = false
    }
  }, ms)

/** All threads count together: what was appended is the number, or a greater one, when two threads append at once. */
function step() {
  const fd = openSync(STEPS, 'a')
  appendFileSync(fd, '.')
  const { size } = fstatSync(fd)
  closeSync(fd)
  if (Number(STOP_BEFORE) > 0 && size >= Number(STOP_BEFORE) && isFirst()) process.kill(process.pid, STEP_SIGNAL)
}

/** One of the threads sends the signal, once. */
function isFirst() {
  try {
    closeSync(openSync(`${STEPS}.signalled`, 'wx'))
    return true
  } catch (error) {
    if (error.code !== 'EEXIST') throw error
    return false
  }
}

for (const name of [
  'mkdirSync',
  'writeFileSync',
  'readdirSync',
  'rmSync',
  'rmdirSync',
  'statSync',
  'lstatSync',
  'openSync',
  'utimesSync',
]) {
  const original = fs[name]
  fs[name] = (...args) => {
    if (!byTheClock && String(args[0]).includes('.owners')) step()
    return original(...args)
  }
}
syncBuiltinESMExports()
