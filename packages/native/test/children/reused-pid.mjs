// In a pid namespace of its own: records a process, ends it, gives its pid to a newcomer, and signals the recorded one.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { say } from '@procref/conformance/harness'
import { identify } from '@procref/core'
import { native } from '@procref/native'
import { signalSame } from '../../../lifecycle/dist/identity/signal.js'

const ATTEMPTS = 1_000

async function started() {
  const child = spawn('sleep', ['300'], { stdio: 'ignore' })
  await once(child, 'spawn')
  return child
}

async function ended(child) {
  const exit = once(child, 'exit')
  child.kill('SIGKILL')
  await exit
}

async function newcomerFor(recorded) {
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    writeFileSync('/proc/sys/kernel/ns_last_pid', String(recorded.pid - 1))
    const newcomer = await started()
    // One that began in the same tick of the kernel's clock could not be told apart.
    if (newcomer.pid === recorded.pid && identify(newcomer.pid).startTicks !== recorded.startTicks) return newcomer
    await ended(newcomer)
  }
  throw new Error(`pid ${recorded.pid} was not given out again`)
}

const { processes } = native()
const first = await started()
const recorded = identify(first.pid)
await ended(first)
const newcomer = await newcomerFor(recorded)
const own = identify(newcomer.pid)
const answers = {
  native: processes.signalSame(recorded, 'SIGKILL'),
  js: signalSame(recorded, 'SIGKILL'),
  both: signalSame(recorded, 'SIGKILL', processes),
}
say('reused', { recorded, newcomer: own, answers, after: identify(newcomer.pid) })

const exit = once(newcomer, 'exit')
const signalled = processes.signalSame(own, 'SIGKILL')
say('ended', { signalled, by: (await exit)[1] })
