// The world that the seed wants to leave: slots are permits of a named POSIX semaphore, and those of a holder that was killed are gone.
import { createHash } from 'node:crypto'
import { storeSlots } from '@procref/core'
import { native, PosixSemaphore } from '@procref/native'

export function leakySemaphore() {
  return storeSlots({
    name: 'leaky-semaphore',
    locks: native().locks,
    guarantees: {
      crashRelease: 'stale-timeout',
      maxRecoveryMs: 2 ** 31,
      scope: 'ipc-namespace',
      inheritableByChild: false,
      interoperatesWithSeed: false,
      platforms: ['linux'],
    },
    descriptor: { module: import.meta.url, factory: 'leakySemaphore', options: {} },
    openStore: ({ dir, slots }) => new LeakyStore(PosixSemaphore.open(semaphoreName(dir), { permits: slots }), slots),
  })
}

export function semaphoreName(dir) {
  return `/procref-test-${createHash('sha256').update(dir).digest('hex').slice(0, 24)}`
}

class LeakyStore {
  lookAgainMs = 20
  #semaphore
  #slots

  constructor(semaphore, slots) {
    this.#semaphore = semaphore
    this.#slots = slots
  }

  async takeFree() {
    if (!this.#semaphore.tryWait()) return undefined
    const semaphore = this.#semaphore
    let held = true
    return {
      id: semaphore.value(),
      whyLost: () => undefined,
      release() {
        if (held) semaphore.post()
        held = false
      },
    }
  }

  /** Nobody knows who has a permit, only how many are taken. */
  *used() {
    for (let slot = this.#semaphore.value(); slot < this.#slots; slot++) yield { slot, info: () => ({ slot }) }
  }

  glance() {
    return [...this.used()].map(({ slot }) => ({ slot }))
  }

  close() {
    this.#semaphore.close()
  }
}

/** As a program: takes a permit, says so, and waits to be killed. */
if (process.argv[1] === new URL(import.meta.url).pathname) {
  const pool = await leakySemaphore().open(process.argv[2])
  await pool.claim()
  console.log('claimed')
  process.stdin.resume()
}
