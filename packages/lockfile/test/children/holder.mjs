// Holds the only slot in the folder argv[2]; tells when it is lost, and does what it is told.
import { lockfile } from '@procref/lockfile'
import { obey, say } from '@procref/testing/child'

const LEASE_MS = 5_000
const pool = await lockfile({ leaseMs: LEASE_MS }).open(process.argv[2], { slots: 1 })
let slot = await pool.tryClaim()

function watch() {
  if (slot === undefined) return
  const { fence, lost } = slot
  lost.addEventListener('abort', () => say('lost', { fence, code: lost.reason.code, message: lost.reason.message }))
}

watch()
obey({
  async try() {
    slot = await pool.tryClaim()
    watch()
    say('tried', { fence: slot?.fence ?? null })
  },
  /** Until it gets it. */
  async claim() {
    slot = await pool.claim({ timeoutMs: 60_000 })
    watch()
    say('claimed', { fence: slot.fence })
  },
  async verify() {
    say('verified', {
      code: await slot.verify().then(
        () => null,
        ({ code }) => code,
      ),
    })
  },
  async release() {
    await slot.release()
    say('released')
  },
  /** The event loop stands still, as with a long synchronous computation. */
  busy() {
    const end = performance.now() + 3 * LEASE_MS
    while (performance.now() < end);
    say('idle')
  },
})
say('opened', { fence: slot?.fence ?? null })
