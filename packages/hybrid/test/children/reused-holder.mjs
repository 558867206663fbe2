// In a pid namespace of its own: a holder is killed and its pid given to a newcomer, first one that has nothing to do with the pool, then
// one that claims a slot itself. Its argument is the pool's directory.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { identify } from '@procref/core'
import { hybrid } from '@procref/hybrid'
import { startChild } from '@procref/testing'
import { say, sayFailed } from '@procref/testing/child'

const ATTEMPTS = 1_000
const NEVER_MS = 3_600_000
const HOLDER = fileURLToPath(new URL('./holder.mjs', import.meta.url))
const [, , dir] = process.argv

/** A holder that was killed with a slot; nobody has looked since. */
async function deadHolder() {
  const holder = startChild(HOLDER, { args: [JSON.stringify({ dir, slots: 2, scanMs: NEVER_MS })] })
  await holder.event('ready')
  holder.send('tryClaim')
  const { slot } = await holder.event('tryClaim')
  const identity = identify(holder.pid)
  holder.kill('SIGKILL')
  await holder.exited
  return { identity, slot }
}

/** The process that `start` makes, with the pid of the dead one. */
async function newcomerFor(dead, start) {
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    writeFileSync('/proc/sys/kernel/ns_last_pid', String(dead.pid - 1))
    const newcomer = start()
    const own = identify(newcomer.pid)
    // One that began in the same tick of the kernel's clock could not be told apart.
    if (newcomer.pid === dead.pid && own.startTicks !== dead.startTicks) return newcomer
    newcomer.kill('SIGKILL')
    await (newcomer.exited ?? once(newcomer, 'exit'))
  }
  throw new Error(`pid ${dead.pid} was not given out again`)
}

async function main() {
  // A stranger has the pid: the dead holder is not thought alive.
  const first = await deadHolder()
  const stranger = await newcomerFor(first.identity, () => spawn('sleep', ['300'], { stdio: 'ignore' }))
  const pool = await hybrid({ scanMs: NEVER_MS }).open(dir)
  const held = await pool.held()
  const claimed = [await pool.claim(), await pool.claim()]
  say('stranger', {
    first: first.slot,
    held: held.length,
    claimed: claimed.length,
    lives: identify(stranger.pid) !== undefined,
  })
  for (const slot of claimed) await slot.release()
  await pool.close()
  stranger.kill('SIGKILL')

  // A holder has the pid: it is not robbed when what its predecessor held is given back.
  const second = await deadHolder()
  const args = [JSON.stringify({ dir, scanMs: NEVER_MS })]
  const successor = await newcomerFor(second.identity, () => startChild(HOLDER, { args }))
  await successor.event('ready')
  const asked = async () => {
    successor.send('tryClaim')
    return (await successor.event('tryClaim')).slot
  }
  const slots = [await asked(), await asked(), await asked()]
  const again = await hybrid({ scanMs: 20 }).open(dir)
  const holders = (await again.held()).map(({ pid }) => pid === second.identity.pid)
  const oneMore = (await again.tryClaim())?.id ?? null
  successor.send('verify')
  say('successor', { slots, holders, oneMore, lost: (await successor.event('verify')).error })
  await again.close()
  successor.kill('SIGKILL')
  await successor.exited
}

main().catch(sayFailed)
