// Loaded before everything, in each thread: every call on a directory of owners is a step, counted in the file STEPS, and before the step
// STOP_BEFORE this process gets the signal STEP_SIGNAL.
import fs from 'node:fs'
import { syncBuiltinESMExports } from 'node:module'

const { STEPS, STOP_BEFORE, STEP_SIGNAL } = process.env
const { appendFileSync, fstatSync, openSync, closeSync } = fs

/** All threads count together: what was appended is the number. */
function step() {
  const fd = openSync(STEPS, 'a')
  appendFileSync(fd, '.')
  const { size } = fstatSync(fd)
  closeSync(fd)
  if (size === Number(STOP_BEFORE)) process.kill(process.pid, STEP_SIGNAL)
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
    if (String(args[0]).includes('.owners')) step()
    return original(...args)
  }
}
syncBuiltinESMExports()
